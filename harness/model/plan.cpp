#include "harness/model/plan.hpp"

#include <algorithm>

namespace assay {

bool is_machine_unit(const Unit& unit) {
  return unit.closes == Closes::machine && unit.can_pass && !unit.manual && unit.planned_probe.empty();
}

bool is_evidence_for(const Case& test_case, const Requirement& requirement) {
  const auto& from = requirement.evidence_from;
  return test_case.covers == requirement.id || std::find(from.begin(), from.end(), test_case.covers) != from.end();
}

}  // namespace assay
