#include "harness/engine/run.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "harness/engine/device_states.hpp"
#include "harness/engine/invocation_recorder.hpp"
#include "harness/engine/observe.hpp"
#include "harness/engine/places.hpp"
#include "harness/expr/expand.hpp"

namespace assay {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kConfirmRounds = 5;  // 250 ms, 500 ms, 1 s, 2 s between them
constexpr int kFirstRounds = 3;

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

class PlanRun final : public Run {
 public:
  explicit PlanRun(RunInputs inputs);

  void interrupt(int signal) override;
  asio::awaitable<Result<RunOutcome>> execute() override;

 private:
  Result<> begin_capture();
  asio::awaitable<void> end_capture();
  asio::awaitable<Result<>> run_phases();
  asio::awaitable<Result<>> run_phase();
  asio::awaitable<Result<>> run_group(Intrusiveness group);
  asio::awaitable<void> bring_about();
  asio::awaitable<void> check_all(std::string_view when, int rounds);
  void drop_queue();

  bool in_phase(const std::string& state) const { return phase_ == nullptr || phase_->state == state; }

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

PlanRun::PlanRun(RunInputs inputs)
    : inputs_(std::move(inputs)),
      places_(inputs_.plan, inputs_.networks, inputs_.executors),
      states_(inputs_.plan, inputs_.device_state, inputs_.recipes,
              [this](std::string_view type, json::object data) { return journal(type, std::move(data)); }),
      next_invocation_(inputs_.first_invocation) {
  for (const auto& step : inputs_.plan.steps) {
    steps_[step.id].step = &step;
  }
  for (auto& observation : inputs_.earlier) {
    const auto identity = observation.invocation.identity();
    // What an interruption or a lost device cut short is done again; the later observation counts.
    if (observation.completion != Completion::cancelled && observation.completion != Completion::device_lost) {
      started_[identity] = observation.invocation.id;
      ended_.insert(identity);
    }
    observations_.push_back(std::move(observation));
  }
}

Result<> PlanRun::journal(std::string_view type, json::object data) {
  auto written = inputs_.bundle.append(type, std::move(data));
  if (!written && !broken_) {
    broken_ = written.error();
  }
  return written;
}

void PlanRun::interrupt(int signal) {
  if (interrupted_) {
    return;
  }
  interrupted_ = true;
  std::ignore = journal("interrupted", {{"signal", signal}});
  for (auto& [id, cancel] : signals_) {
    cancel.emit(asio::cancellation_type::terminal);
  }
  wake();
}

void PlanRun::wake() {
  changed_ = true;
  if (change_) {
    change_->cancel();
  }
}

asio::awaitable<void> PlanRun::check_liveness(const Target& target, std::string_view when, int rounds) {
  Target answered;
  const auto check = co_await places_.check(target, rounds, answered);
  if (interrupted_) {
    co_return;
  }
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(check.took).count();
  json::object data{{"alive", check.alive},        {"how", check.how},
                    {"address", answered.address}, {"rtt_us", micros},
                    {"vantage", answered.vantage}, {"when", when}};
  if (!journal("liveness", std::move(data)) || check.alive) {
    co_return;
  }
  if (!lost_) {
    lost_ = true;
    lost_because_ = target.address + ": " + check.how;
    std::ignore = journal("device_lost", {{"after", last_ended_}, {"address", target.address}, {"how", check.how}});
    for (auto& [id, cancel] : signals_) {
      cancel.emit(asio::cancellation_type::terminal);
    }
    wake();
  }
}

asio::awaitable<Result<RunOutcome>> PlanRun::execute() {
  change_.emplace(co_await asio::this_coro::executor);
  if (auto begun = journal("run_started", {{"plan", inputs_.plan.plan.id}, {"pace", to_json(inputs_.plan.dut.pace)}});
      !begun) {
    co_return begun.error();
  }
  if (auto said = begin_capture(); !said) {
    co_return said.error();
  }
  const auto ran = co_await run_phases();
  if (!ran && !broken_) {
    broken_ = ran.error();
  }
  co_await end_capture();
  if (broken_) {
    co_return *broken_;
  }
  if (!interrupted_) {
    if (auto finished = journal("run_finished", {}); !finished) {
      co_return finished.error();
    }
  }
  RunOutcome outcome;
  outcome.interrupted = interrupted_;
  outcome.device_lost = lost_;
  outcome.lost_because = lost_because_;
  outcome.observations = std::move(observations_);
  co_return outcome;
}

Result<> PlanRun::begin_capture() {
  if (inputs_.capture != nullptr) {
    return journal("capture_started", inputs_.capture->description());
  }
  return inputs_.no_capture.empty() ? Result<>{} : journal("no_capture", {{"because", inputs_.no_capture}});
}

asio::awaitable<void> PlanRun::end_capture() {
  if (inputs_.capture == nullptr || broken_) {
    co_return;
  }
  auto ended = co_await inputs_.capture->finish_run();
  if (ended) {
    std::ignore = journal("capture_ended", std::move(*ended));
  } else {
    broken_ = ended.error();
  }
}

/// All work of one state, then all of the next: the device changes state as seldom as the plan allows.
asio::awaitable<Result<>> PlanRun::run_phases() {
  if (inputs_.plan.phases.empty()) {
    const auto ran = co_await run_phase();
    co_return ran;
  }
  phase_ = &inputs_.plan.phases.front();
  if (inputs_.device_state.empty() && !states_.is_in(*phase_)) {
    co_await check_all("before", kFirstRounds);
  }
  for (const auto& phase : inputs_.plan.phases) {
    phase_ = &phase;
    const auto ran = co_await run_phase();
    if (!ran) {
      co_return ran.error();
    }
  }
  if (!stopping()) {
    std::ignore = co_await states_.leave_trigger();
  }
  co_return Result<>{};
}

/// Barriers stand only before intrusive and before destructive work; what comes before is one flow.
asio::awaitable<Result<>> PlanRun::run_phase() {
  arrived_ = phase_ == nullptr || states_.is_in(*phase_);
  barred_ = false;
  if (arrived_) {
    co_await check_all("before", kFirstRounds);
  }
  for (const auto group : {Intrusiveness::benign, Intrusiveness::intrusive, Intrusiveness::destructive}) {
    if (stopping() || barred_) {
      break;
    }
    const auto ran = co_await run_group(group);
    if (!ran) {
      co_return ran.error();
    }
    if (arrived_) {
      co_await check_all(group == Intrusiveness::destructive ? "after" : "between", kConfirmRounds);
    }
  }
  co_return Result<>{};
}

asio::awaitable<void> PlanRun::check_all(std::string_view when, int rounds) {
  const auto targets = targets_in(inputs_.plan, phase_);
  for (const auto& target : targets) {
    if (!stopping()) {
      co_await check_liveness(target, when, rounds);
    }
  }
}

/// Brings the device to the state of the phase, now that something is to be done there, and waits until it answers.
asio::awaitable<void> PlanRun::bring_about() {
  const auto targets = targets_in(inputs_.plan, phase_);
  std::ignore = co_await places_.stranger(targets);  // who it was before
  const auto reached = co_await states_.reach(*phase_);
  if (reached && !stopping()) {
    co_await places_.await_ready(targets);
    co_await check_all("after a change of state", kConfirmRounds);
    const auto who = co_await places_.stranger(targets);
    arrived_ = who.empty();
    if (!arrived_) {
      std::ignore = states_.deny(*phase_, who);
    }
  }
  if (!arrived_) {
    barred_ = true;
    drop_queue();
  }
}

void PlanRun::drop_queue() {
  for (const auto& queued : queue_) {
    const auto identity = queued.invocation.identity();
    started_.erase(identity);
    for (auto& [id, state] : steps_) {
      state.waiting.erase(identity);
    }
  }
  queue_.clear();
}

asio::awaitable<Result<>> PlanRun::run_group(Intrusiveness group) {
  const auto executor = co_await asio::this_coro::executor;
  while (true) {
    changed_ = false;
    if (!stopping()) {
      if (auto expanded = expand_ready_steps(group); !expanded) {
        co_return expanded.error();
      }
      if (!queue_.empty() && !arrived_) {
        co_await bring_about();
      }
      if (barred_) {
        break;
      }
      start_what_may_run(executor);
    }
    if (changed_) {
      continue;  // an invocation that ended without waiting for anything
    }
    if (running_.empty()) {
      break;
    }
    boost::system::error_code woken;
    change_->expires_at(Clock::time_point::max());
    co_await change_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  co_return Result<>{};
}

/// Expands every step of the group whose sources have ended.
Result<> PlanRun::expand_ready_steps(Intrusiveness group) {
  for (bool again = true; again;) {
    again = false;
    for (const auto& planned : inputs_.plan.steps) {
      auto& state = steps_.at(planned.id);
      const bool in_group = planned.intrusiveness == group ||
                            (group == Intrusiveness::benign && planned.intrusiveness == Intrusiveness::passive);
      const bool ready = std::all_of(planned.after.begin(), planned.after.end(), [&](const auto& source) {
        const auto& before = steps_.at(source);
        return before.expanded && before.waiting.empty();
      });
      if (state.expanded || !planned.allowed || !in_group || !ready || !in_phase(planned.target.state)) {
        continue;
      }
      if (auto expanded = expand(state); !expanded) {
        return expanded;
      }
      again = true;
    }
  }
  return {};
}

Result<> PlanRun::expand(StepState& state) {
  state.expanded = true;
  if (state.step->for_each.empty()) {
    return enqueue(state, std::nullopt);
  }
  const auto expansion = expand_step(inputs_.plan, *state.step, observations_);
  json::object data{{"step", state.step->id}, {"endpoints", to_json(expansion.endpoints)}};
  if (!expansion.error.empty()) {
    data["error"] = expansion.error;
  }
  if (auto written = journal("expanded", std::move(data)); !written) {
    return written;
  }
  for (const auto& endpoint : expansion.endpoints) {
    if (auto queued = enqueue(state, endpoint); !queued) {
      return queued;
    }
  }
  return {};
}

/// Equal invocations are one: a second step that asks for it only waits for it.
Result<> PlanRun::enqueue(StepState& state, std::optional<Endpoint> endpoint) {
  Queued queued;
  queued.step = state.step;
  queued.invocation.probe = state.step->probe;
  queued.invocation.target = state.step->target;
  queued.invocation.endpoint = endpoint;
  queued.invocation.parameters = state.step->parameters;
  const auto identity = queued.invocation.identity();
  if (ended_.contains(identity)) {
    return {};
  }
  state.waiting.insert(identity);
  if (started_.contains(identity)) {
    return {};
  }
  queued.invocation.id = "i" + std::to_string(next_invocation_++);
  started_[identity] = queued.invocation.id;
  queue_.push_back(std::move(queued));
  return {};
}

/// `exclusive: device` runs alone on its sample, `exclusive: login` beside no other login on it. One side of a unit at
/// a time: what is done to it from two would come from two budgets.
bool PlanRun::may_start(const Queued& queued) const {
  const auto& sample = queued.invocation.target.sample;
  return std::none_of(running_.begin(), running_.end(), [&](const auto& entry) {
    const auto& other = entry.second;
    if (other.invocation.target.sample != sample) {
      return false;
    }
    return other.invocation.target.vantage != queued.invocation.target.vantage ||
           other.step->exclusive == Exclusive::device || queued.step->exclusive == Exclusive::device ||
           (other.step->exclusive == Exclusive::login && queued.step->exclusive == Exclusive::login);
  });
}

void PlanRun::start_what_may_run(const asio::any_io_executor& executor) {
  for (auto next = queue_.begin(); next != queue_.end() && running_.size() < inputs_.max_concurrent;) {
    if (!may_start(*next)) {
      ++next;
      continue;
    }
    const auto id = next->invocation.id;
    const auto& queued = running_.emplace(id, std::move(*next)).first->second;
    next = queue_.erase(next);
    auto& cancel = signals_[id];
    auto work = invoke(queued);
    const auto there = inputs_.executors ? inputs_.executors(queued.invocation.target) : executor;
    asio::co_spawn(there, std::move(work),
                   asio::bind_cancellation_slot(cancel.slot(), [this, id](std::exception_ptr failed) {
                     if (failed && !broken_) {
                       broken_ = Error{ErrorKind::internal, "an invocation ended in an exception of the engine", {}};
                     }
                     running_.erase(id);
                     signals_.erase(id);
                     wake();
                   }));
  }
}

asio::awaitable<void> PlanRun::invoke(const Queued& queued) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (inputs_.progress) {
    const auto& endpoint = queued.invocation.endpoint;
    RunProgress progress{static_cast<std::int64_t>(ended_.size()), static_cast<std::int64_t>(started_.size()),
                         queued.invocation.probe + (endpoint ? " " + endpoint->text() : std::string{}) +
                             seen_from(inputs_.plan, queued.invocation.target)};
    inputs_.progress(progress);
  }
  if (!journal("invocation_started", {{"invocation", to_json(queued.invocation)}, {"step", queued.step->id}})) {
    co_return;
  }
  const auto* descriptor = find_probe(inputs_.probes, queued.invocation.probe);
  const auto info = describe_probe(*descriptor);
  Observation observation;
  observation.invocation = queued.invocation;
  observation.began = utc_now();
  InvocationRecorder recorder(info, observation,
                              [this](std::string_view title, std::string_view type, std::string_view bytes) {
                                return inputs_.bundle.artifact(title, type, bytes);
                              });
  const auto began = Clock::now();
  co_await observe(queued, observation, recorder);
  const auto finished = Clock::now();
  observation.took_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(finished - began).count();
  if (inputs_.capture != nullptr) {
    const auto kept = co_await inputs_.capture->finish(observation, recorder.concealed());
    if (!kept && !broken_) {
      broken_ = kept.error();
    }
  }
  co_await believe(queued, observation, finished);
  ended(queued, std::move(observation));
}

/// Runs the probe. Nothing it does leaves this function but its observation.
asio::awaitable<void> PlanRun::observe(const Queued& queued, Observation& observation, InvocationRecorder& recorder) {
  const auto deadline = Clock::now() + milliseconds{queued.step->deadline_ms};
  const auto network = inputs_.networks(queued.invocation.target, deadline, queued.invocation.id);
  const auto* descriptor = find_probe(inputs_.probes, queued.invocation.probe);
  const Progress progress = [this, &queued](std::int64_t done, std::int64_t total, std::string_view what) {
    if (inputs_.progress) {
      RunProgress report{
          done, total,
          queued.invocation.probe + " " + std::string{what} + seen_from(inputs_.plan, queued.invocation.target)};
      inputs_.progress(report);
    }
  };
  co_await observe_once(queued.invocation, *descriptor, inputs_.plan.dut, inputs_.library, *network, recorder,
                        progress);
  if (lost_ && observation.completion != Completion::completed) {
    observation.completion = Completion::device_lost;
  }
}

/// An observation can be believed when the device answered after it ended. Checks that run side by side are shared.
asio::awaitable<void> PlanRun::believe(const Queued& queued, Observation& observation, Clock::time_point ended) {
  places_.learn(observation);
  const auto& target = queued.invocation.target;
  if (!stopping() && places_.alive_since(target) < ended) {
    co_await check_liveness(target, "after " + queued.invocation.id, kConfirmRounds);
  }
  if (lost_ && places_.alive_since(target) < ended) {
    observation.completion = Completion::device_lost;
    observation.error = "the device stopped answering during or after this (" + lost_because_ + ")";
  }
}

void PlanRun::ended(const Queued& queued, Observation observation) {
  observation.id = "o" + std::to_string(observations_.size() + 1);
  if (!journal("observation", {{"observation", to_json(observation)}})) {
    return;
  }
  const auto identity = queued.invocation.identity();
  ended_.insert(identity);
  last_ended_ = queued.invocation.id;
  observations_.push_back(std::move(observation));
  for (auto& [id, state] : steps_) {
    state.waiting.erase(identity);
  }
}

}  // namespace

std::unique_ptr<Run> make_run(RunInputs inputs) {
  return std::make_unique<PlanRun>(std::move(inputs));
}

}  // namespace assay
