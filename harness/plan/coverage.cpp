#include "harness/plan/coverage.hpp"

#include <algorithm>
#include <vector>

namespace assay {

namespace {

/// Units of all cases that are evidence for the requirement.
std::vector<const Unit*> units_of(const Plan& plan, const Requirement& requirement) {
  std::vector<const Unit*> out;
  for (const auto& test_case : plan.cases) {
    if (is_evidence_for(test_case, requirement)) {
      for (const auto& unit : test_case.units) {
        out.push_back(&unit);
      }
    }
  }
  return out;
}

}  // namespace

PlanCoverage coverage_of(const Plan& plan) {
  PlanCoverage out;
  out.plan = plan.id;
  for (const auto& requirement : plan.requirements) {
    const auto units = units_of(plan, requirement);
    const auto count = [&](auto test) { return std::count_if(units.begin(), units.end(), test); };
    const auto closed = count([](const Unit* unit) { return is_machine_unit(*unit); });
    const auto seen = count([](const Unit* unit) { return !unit->observe.empty() && unit->planned_probe.empty(); });
    ++out.requirements;
    if (!units.empty() && closed == static_cast<std::ptrdiff_t>(units.size())) {
      ++out.machine;
    } else if (closed + seen > 0) {
      ++out.partly;
    } else {
      ++out.person;
    }
    out.planned += count([](const Unit* unit) { return !unit->planned_probe.empty(); }) > 0 ? 1 : 0;
    out.unconfirmed += requirement.strength == Strength::unconfirmed ? 1 : 0;
  }
  return out;
}

}  // namespace assay
