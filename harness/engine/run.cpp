#include "harness/engine/run.hpp"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "harness/engine/run_in_progress.hpp"

namespace assay {

namespace {

constexpr int kFirstRounds = 3;

}  // namespace

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
  auto reached = co_await states_.reach(*phase_);
  if (reached && phase_->trigger.empty() && inputs_.secrets.changed) {
    reached = inputs_.secrets.changed->begin_state(targets);
  }
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

std::unique_ptr<Run> make_run(RunInputs inputs) {
  return std::make_unique<PlanRun>(std::move(inputs));
}

}  // namespace assay
