#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include "harness/engine/device_states.hpp"
#include "harness/engine/invocation_recorder.hpp"
#include "harness/engine/places.hpp"
#include "harness/engine/run.hpp"

namespace assay {

/// A run in progress; only run.cpp and run_steps.cpp know it.
class PlanRun final : public Run {
 public:
  explicit PlanRun(RunInputs inputs);

  void interrupt(int signal) override;
  asio::awaitable<Result<RunOutcome>> execute() override;

 private:
  using Clock = std::chrono::steady_clock;

  static constexpr int kConfirmRounds = 5;  // 250 ms, 500 ms, 1 s, 2 s between them

  /// A node of the graph with its progress.
  struct StepState {
    const PlannedStep* step = nullptr;
    bool expanded = false;
    std::set<std::string> waiting;  // identities of its invocations that have not ended
  };

  struct Queued {
    Invocation invocation;
    const PlannedStep* step = nullptr;
  };

  // Its course (run.cpp).
  Result<> begin_capture();
  asio::awaitable<void> end_capture();
  asio::awaitable<Result<>> run_phases();
  asio::awaitable<Result<>> run_phase();
  asio::awaitable<Result<>> run_group(Intrusiveness group);
  asio::awaitable<void> bring_about();
  asio::awaitable<void> check_all(std::string_view when, int rounds);
  void drop_queue();

  bool in_phase(const std::string& state) const { return phase_ == nullptr || phase_->state == state; }

  // Its steps (run_steps.cpp).
  Result<> expand_ready_steps(Intrusiveness group);
  Result<> expand(StepState& state);
  Result<> enqueue(StepState& state, std::optional<Endpoint> endpoint);
  void start_what_may_run(const asio::any_io_executor& executor);
  bool may_start(const Queued& queued) const;
  asio::awaitable<void> invoke(const Queued& queued);  // `queued` stands in running_
  asio::awaitable<void> observe(const Queued& queued, Observation& observation, InvocationRecorder& recorder);
  asio::awaitable<void> believe(const Queued& queued, Observation& observation, Clock::time_point ended);
  void ended(const Queued& queued, Observation observation);
  asio::awaitable<void> check_liveness(const Target& target, std::string_view when, int rounds);
  Result<> journal(std::string_view type, json::object data);

  bool stopping() const { return interrupted_ || lost_ || broken_.has_value(); }

  void wake();

  RunInputs inputs_;
  std::map<std::string, StepState> steps_;
  std::deque<Queued> queue_;
  std::map<std::string, std::string> started_;  // invocation identity -> id, queued, running and ended ones
  std::set<std::string> ended_;                 // identities
  std::map<std::string, Queued> running_;       // by invocation id; stays until its coroutine is gone
  std::map<std::string, asio::cancellation_signal> signals_;
  Places places_;
  DeviceStates states_;
  const PlannedPhase* phase_ = nullptr;  // null: the plan has one state only
  bool arrived_ = false;                 // the device is in the state of the phase and answered there
  bool barred_ = false;                  // it could not be brought there
  std::vector<Observation> observations_;
  std::optional<asio::steady_timer> change_;
  std::int64_t next_invocation_;
  bool changed_ = false;  // since run_group looked last
  bool interrupted_ = false;
  bool lost_ = false;
  std::string lost_because_;
  std::string last_ended_;
  std::optional<Error> broken_;  // our own failure: evidence that cannot be kept is not taken
};

}  // namespace assay
