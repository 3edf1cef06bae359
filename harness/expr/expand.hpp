#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/model/observation.hpp"
#include "harness/model/run_plan.hpp"

namespace assay {

/// The endpoints a step runs on, in the order first yielded, each once.
struct Expansion {
  std::vector<Endpoint> endpoints;
  std::vector<std::string> missing;  // what for_each asked for and was not observed or not declared
  std::string error;                 // of the expression, or of an item that is no endpoint
};

/// The steps of a run plan with what they expand to and what was observed for them, each worked out once. Steps that
/// do not read one another are evaluated together.
class StepView {
 public:
  StepView(const RunPlan& plan, std::span<const Observation> observations);

  /// Expands these steps and all they come after.
  void resolve(const std::vector<std::string>& step_ids);

  /// Of a resolved step; a device probe's expansion is empty.
  const Expansion& expansion(const std::string& step_id) const;
  const std::vector<const Observation*>& observations(const std::string& step_id) const;

  /// Nothing when the plan has no such step.
  const PlannedStep* step(const std::string& step_id) const;

 private:
  void settle(const PlannedStep& step, Expansion expansion);
  json::value document(const PlannedStep& step) const;

  const RunPlan& plan_;
  std::map<std::string, const PlannedStep*> steps_;
  std::map<std::string, const Observation*> by_identity_;  // the last of each invocation
  std::map<std::string, Expansion> expansions_;
  std::map<std::string, std::vector<const Observation*>> observations_;
  json::object base_;
};

/// Evaluates the step's `for_each` over the observations of the steps it comes after. Deterministic: engine and judge
/// get the same from the same observations.
Expansion expand_step(const RunPlan& plan, const PlannedStep& step, std::span<const Observation> observations);

/// The observations that belong to a step: same probe, target and parameters, and one of the endpoints it expands to;
/// of several for one invocation the last.
std::vector<const Observation*> observations_of(const RunPlan& plan, const PlannedStep& step,
                                                std::span<const Observation> observations);

}  // namespace assay
