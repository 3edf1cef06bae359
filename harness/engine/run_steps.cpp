#include <algorithm>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "harness/engine/observe.hpp"
#include "harness/engine/recipe_bench.hpp"
#include "harness/engine/run_in_progress.hpp"
#include "harness/expr/expand.hpp"

namespace assay {

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

namespace {

bool guesses(const PlannedStep& step) {
  return step.exclusive == Exclusive::guesses;
}

bool logs_in(const PlannedStep& step) {
  return step.exclusive == Exclusive::login || guesses(step);
}

}  // namespace

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
  const auto is_guess = [](const Queued& other) { return guesses(*other.step); };
  const auto behind = is_guess(queued) ? queue_.end() : std::find_if(queue_.begin(), queue_.end(), is_guess);
  queue_.insert(behind, std::move(queued));
  return {};
}

/// `exclusive: device` runs alone on its sample, logins beside no other login on it. One side of a unit at
/// a time: what is done to it from two would come from two budgets.
bool PlanRun::may_start(const Queued& queued) const {
  const auto& sample = queued.invocation.target.sample;
  // Guesses do not overtake what waits for the device, or for other logins on it: that needs its accounts.
  const auto needs_accounts = [&](const Queued& other) {
    return other.invocation.target.sample == sample && !guesses(*other.step) &&
           other.step->exclusive != Exclusive::none;
  };
  if (guesses(*queued.step) && std::any_of(queue_.begin(), queue_.end(), needs_accounts)) {
    return false;
  }
  return std::none_of(running_.begin(), running_.end(), [&](const auto& entry) {
    const auto& other = entry.second;
    if (other.invocation.target.sample != sample) {
      return false;
    }
    return other.invocation.target.vantage != queued.invocation.target.vantage ||
           other.step->exclusive == Exclusive::device || queued.step->exclusive == Exclusive::device ||
           (logs_in(*other.step) && logs_in(*queued.step));
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
  InvocationRecorder recorder(info, observation, keeping_in(inputs_.bundle, inputs_.secrets));
  const auto began = Clock::now();
  co_await observe(queued, observation, recorder);
  const auto finished = Clock::now();
  observation.took_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(finished - began).count();
  if (inputs_.capture != nullptr) {
    const auto concealed = recorder.concealed();
    const auto kept = co_await inputs_.capture->finish(observation, concealed, recorder.withheld());
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
  // A probe before may have left an account with another password.
  const auto changed = inputs_.secrets.changed
                           ? inputs_.secrets.changed->applied(inputs_.plan.dut, queued.invocation.target)
                           : std::optional<Dut>{};
  const Dut& dut = changed ? *changed : inputs_.plan.dut;
  RecipeBench bench({queued.invocation, descriptor->intrusiveness, dut, deadline, inputs_.folder}, inputs_.recipes,
                    recorder,
                    [this](std::string_view type, json::object data) { return journal(type, std::move(data)); });
  co_await observe_once(queued.invocation, *descriptor, dut, inputs_.library, *network, recorder, progress, bench);
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

}  // namespace assay
