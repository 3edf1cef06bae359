#include "harness/engine/device_states.hpp"

#include <algorithm>

#include "harness/engine/recipe_bench.hpp"
#include "harness/model/json_text.hpp"

namespace assay {

std::string last_state(std::span<const Event> events) {
  std::string out;
  for (const auto& event : events) {
    if (event.type == "state_change" || event.type == "state_failed") {
      out = "?";
    } else if (event.type == "state_reached") {
      out = string_at(event.data, "state");
    }
  }
  return out;
}

std::vector<Target> targets_in(const RunPlan& plan, const PlannedPhase* phase) {
  std::vector<Target> out;
  const auto add = [&](const Target& target) {
    if ((phase == nullptr || phase->state == target.state) && std::find(out.begin(), out.end(), target) == out.end()) {
      out.push_back(target);
    }
  };
  std::for_each(plan.targets.begin(), plan.targets.end(), add);
  for (const auto& step : plan.steps) {
    if (phase != nullptr && !phase->trigger.empty()) {
      add(step.target);
    }
  }
  return out;
}

std::string seen_from(const RunPlan& plan, const Target& target) {
  return plan.targets.size() > 1 || !plan.phases.empty() ? " from " + target.vantage + ", " + target.state : "";
}

DeviceStates::DeviceStates(const RunPlan& plan, std::string state, const RunRecipe& run, Journal journal)
    : plan_(plan), state_(std::move(state)), run_(run), journal_(std::move(journal)) {
  const auto found =
      std::find_if(plan.phases.begin(), plan.phases.end(), [](const auto& phase) { return phase.found; });
  if (state_.empty() && found != plan.phases.end()) {
    state_ = found->state;
  }
}

const PlannedPhase* DeviceStates::phase_of(const std::string& state) const {
  const auto found =
      std::find_if(plan_.phases.begin(), plan_.phases.end(), [&](const auto& phase) { return phase.state == state; });
  return found == plan_.phases.end() ? nullptr : &*found;
}

asio::awaitable<Result<>> DeviceStates::reach(const PlannedPhase& phase) {
  if (is_in(phase)) {
    co_return Result<>{};
  }
  if (!phase.trigger.empty()) {
    const auto base = state_before(phase.state);
    const auto back = co_await go_back_to(base);
    if (!back) {
      std::ignore = journal_("state_failed", {{"state", phase.state}, {"because", back.error().what}});
      co_return back.error();
    }
  }
  const auto changed = co_await change(phase.state, phase, phase.recipe);
  co_return changed;
}

Result<> DeviceStates::deny(const PlannedPhase& phase, const std::string& because) {
  state_ = "?";
  return journal_("state_failed", {{"state", phase.state}, {"because", because}});
}

/// A trigger is pulled in its own state only, not on top of what another trigger changed.
asio::awaitable<Result<>> DeviceStates::go_back_to(const std::string& base) {
  if (state_ == base) {
    co_return Result<>{};
  }
  const auto* here = phase_of(state_);
  if (here != nullptr && here->undo && state_before(state_) == base) {
    const auto undone = co_await change(base, *here, here->undo);
    co_return undone;
  }
  const auto* there = phase_of(base);
  if (there != nullptr && there->recipe) {
    const auto reached = co_await change(base, *there, there->recipe);
    co_return reached;
  }
  co_return Error{ErrorKind::unsupported, "nothing brings the device back to state " + base, {}};
}

asio::awaitable<Result<>> DeviceStates::leave_trigger() {
  const auto* here = phase_of(state_);
  if (here == nullptr || here->trigger.empty() || !here->undo) {
    co_return Result<>{};
  }
  const auto base = state_before(state_);
  const auto left = co_await change(base, *here, here->undo);
  co_return left;
}

/// One recipe, for each unit in turn: a command cannot know which one is meant unless it is told.
asio::awaitable<Result<>> DeviceStates::change(const std::string& to, const PlannedPhase& phase,
                                               const std::optional<Recipe>& recipe) {
  if (!recipe || !run_) {
    Error nothing{ErrorKind::unsupported, "nothing brings the device there", {}};
    std::ignore = journal_("state_failed", {{"state", to}, {"because", nothing.what}});
    co_return nothing;
  }
  const auto begun = journal_("state_change", {{"from", state_},
                                               {"state", to},
                                               {"trigger", phase.trigger},
                                               {"samples", to_json(phase.samples)},
                                               {"recipe", to_json(*recipe)}});
  if (!begun) {
    co_return begun.error();
  }
  json::array said;
  for (const auto& sample : phase.samples) {
    const std::map<std::string, std::string> environment{{"ASSAY_SAMPLE", sample}, {"ASSAY_STATE", to}};
    const auto ran = co_await run_(*recipe, environment);
    if (!ran || ran->kind != RecipeOutcome::Kind::done) {
      const auto why = ran ? "a person has to do it: " + ran->text : ran.error().what;
      state_ = "?";
      std::ignore = journal_("state_failed", {{"state", to}, {"sample", sample}, {"because", why}});
      co_return Error{ErrorKind::io, why, {}};
    }
    said.push_back(json::object{{"sample", sample}, {"text", last_words(ran->text)}});
  }
  state_ = to;
  const auto reached = journal_("state_reached", {{"state", to}, {"said", std::move(said)}});
  co_return reached;
}

}  // namespace assay
