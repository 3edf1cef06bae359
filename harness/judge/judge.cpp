#include "harness/judge/judge.hpp"

#include <algorithm>

#include "harness/expr/document.hpp"
#include "harness/judge/answers.hpp"
#include "harness/judge/roll_up.hpp"

namespace assay {

namespace {

/// The instance of that id; a unit's own id names the unit as a whole.
std::optional<Instance> find_instance(const RunView& view, const std::string& id) {
  for (const auto& test_case : view.plan().plan.cases) {
    for (const auto& unit : test_case.units) {
      const auto own = unit_id(test_case, unit);
      if (id == own) {
        return view.whole(test_case, unit);
      }
      if (!id.starts_with(own + "/") && !id.starts_with(own + "@")) {
        continue;
      }
      for (auto& instance : view.instances(test_case, unit)) {
        if (instance.id == id) {
          return instance;
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Verdicts judge(const RunPlan& plan, std::span<const Observation> observations, const RunFacts& facts,
               const HumanRecord& record) {
  const RunView view{plan, observations, facts};
  auto judged = judge_units(view);
  apply_answers(judged, record);
  return roll_up(plan, std::move(judged), record);
}

json::value judge_document(const RunPlan& plan, const std::string& unit_id, std::span<const Observation> observations) {
  auto document = declaration_document(plan.plan, plan.dut, plan.date);
  const RunFacts facts;
  const RunView view{plan, observations, facts};
  if (const auto instance = find_instance(view, unit_id)) {
    for (const auto& [key, value] : instance_document(*instance)) {
      document[key] = value;
    }
  }
  return document;
}

}  // namespace assay
