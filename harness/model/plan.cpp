#include "harness/model/plan.hpp"

#include <algorithm>

namespace assay {

std::string edition_of(std::string_view qualified) {
  return std::string{qualified.substr(0, qualified.find(':'))};
}

std::string short_id(std::string_view qualified) {
  const auto colon = qualified.find(':');
  return std::string{colon == std::string_view::npos ? qualified : qualified.substr(colon + 1)};
}

bool is_machine_unit(const Unit& unit) {
  return unit.closes == Closes::machine && unit.can_pass && !unit.manual && unit.planned_probe.empty();
}

bool is_evidence_for(const Case& test_case, const Requirement& requirement) {
  const auto& from = requirement.evidence_from;
  return test_case.covers == requirement.id || std::find(from.begin(), from.end(), test_case.covers) != from.end();
}

std::string lacks_in_words(const Plan& plan, const std::string& key) {
  return "plan " + plan.id + " needs device." + key + " in the DUT file, and it is unknown there" +
         (key == "managed" ? ": say retail or isp" : "");
}

bool is_after_trigger(const Unit& unit, const std::string& alias) {
  return std::any_of(unit.pair.begin(), unit.pair.end(), [&](const auto& pair) {
    return std::find(pair.after.begin(), pair.after.end(), alias) != pair.after.end();
  });
}

}  // namespace assay
