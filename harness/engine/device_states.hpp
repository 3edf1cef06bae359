#pragma once

#include <functional>
#include <span>
#include <string>

#include "harness/engine/run.hpp"

namespace assay {

/// Brings the device from one phase of the run plan to the next and writes down what it did.
class DeviceStates {
 public:
  using Journal = std::function<Result<>(std::string_view type, json::object data)>;

  /// `state` is where an interrupted run left the device; empty: where the plan finds it.
  DeviceStates(const RunPlan& plan, std::string state, const RunRecipe& run, Journal journal);

  bool is_in(const PlannedPhase& phase) const { return state_ == phase.state; }

  /// Runs what leads there. The error says in words why the device is not there; it is in the journal too.
  asio::awaitable<Result<>> reach(const PlannedPhase& phase);

  /// Writes down that the device is not in that state after all, whatever the recipe said.
  Result<> deny(const PlannedPhase& phase, const std::string& because);

  /// Undoes the last trigger, if there is a way: the device is left as it was found.
  asio::awaitable<Result<>> leave_trigger();

 private:
  asio::awaitable<Result<>> go_back_to(const std::string& base);
  asio::awaitable<Result<>> change(const std::string& to, const PlannedPhase& phase,
                                   const std::optional<Recipe>& recipe);
  const PlannedPhase* phase_of(const std::string& state) const;

  const RunPlan& plan_;
  std::string state_;  // empty: unknown
  const RunRecipe& run_;
  Journal journal_;
};

/// The targets whose state is that of the phase; all without one. Those behind a trigger stand in the steps alone.
std::vector<Target> targets_in(const RunPlan& plan, const PlannedPhase* phase);

/// " from wan, factory", for progress, where that is not the same for the whole run.
std::string seen_from(const RunPlan& plan, const Target& target);

/// The state that the journal of an interrupted run shows the device to be in: empty when none was reached by a change,
/// "?" when a change had begun and not ended.
std::string last_state(std::span<const Event> events);

}  // namespace assay
