#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/expr/expand.hpp"
#include "harness/expr/expr.hpp"
#include "harness/model/observation.hpp"
#include "harness/model/run_plan.hpp"
#include "harness/model/verdict.hpp"

namespace assay {

/// What keeps a clean unit from a PASS, by the rule it falls under.
enum class Obstacle : std::uint8_t {
  error,         // our fault: of a probe, an expression or the plan
  never_ran,     // not allowed, interrupted: NOT_TESTED, and the reason for whatever is missing too
  missing,       // asked and not settled: INCONCLUSIVE
  out_of_reach,  // a vantage, state or sample that this run has not: NOT_TESTED when all else is clean
};

struct Obstructed {
  Obstacle kind = Obstacle::missing;
  Finding finding;
};

/// An alias as one instance sees it.
struct AliasView {
  std::string alias;
  const ProbeInfo* probe = nullptr;
  std::vector<const Observation*> observations;
  bool expected = true;  // false: its for_each left this instance's endpoint out, so nothing of it is needed
};

/// One verdict to give: a unit, or one expanded endpoint of it, or the rest of an expanded unit that no endpoint
/// shows (`rest`), with everything that was seen for it.
struct Instance {
  const Case* test_case = nullptr;
  const Unit* unit = nullptr;
  std::string id;
  std::string endpoint;
  bool rest = false;
  std::vector<AliasView> aliases;
  json::object pair;                  // of a unit with a state pair: what programs read as .pair
  std::vector<Obstructed> obstacles;  // of steps and observations; those of expressions come later
};

/// Everything the run says about units, indexed once.
class RunView {
 public:
  RunView(const RunPlan& plan, std::span<const Observation> observations, const RunFacts& facts);

  /// The instances of a unit in a fixed order. An expanded unit has its `rest` last; it is dropped later when nothing
  /// is wrong with it and an endpoint was judged.
  std::vector<Instance> instances(const Case& test_case, const Unit& unit) const;

  /// The unit as a whole, whatever it expands over.
  Instance whole(const Case& test_case, const Unit& unit) const;

  /// `expect` of an expanded unit: endpoints that have to be among the expanded ones of every target.
  std::vector<Obstructed> unexpanded(const Instance& rest, const Evaluated& expected) const;

  const RunPlan& plan() const { return plan_; }

 private:
  std::vector<const PlannedStep*> steps_of(const std::string& unit_id, const std::string& alias) const;
  void add_reach(const Case& test_case, const Unit& unit, std::vector<Obstructed>& out) const;
  void add_step(const PlannedStep& step, const std::optional<Endpoint>& only, std::vector<Obstructed>& out) const;
  void add_expansion(const PlannedStep& step, const std::optional<Endpoint>& only, std::vector<Obstructed>& out) const;
  void add_invocation(const PlannedStep& step, const std::optional<Endpoint>& endpoint,
                      std::vector<Obstructed>& out) const;
  void add_completion(const PlannedStep& step, const Observation& observation, std::vector<Obstructed>& out) const;
  Instance narrowed(const Case& test_case, const Unit& unit, const PlannedStep& over,
                    const std::optional<Endpoint>& endpoint) const;
  std::string place(const Target& target, const std::optional<Endpoint>& endpoint) const;
  std::string death() const;
  bool several_states() const;
  json::object pair_of(const Unit& unit) const;
  std::string left_out(const std::string& name) const;

  const RunPlan& plan_;
  const RunFacts& facts_;
  StepView steps_;
  std::map<std::pair<std::string, std::string>, const UnitBinding*> bindings_;
};

std::string unit_id(const Case& test_case, const Unit& unit);

}  // namespace assay
