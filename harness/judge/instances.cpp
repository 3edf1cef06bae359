#include "harness/judge/instances.hpp"

#include <algorithm>
#include <set>

#include "harness/expr/document.hpp"
#include "harness/judge/findings.hpp"

namespace assay {

namespace {

std::string text(const std::optional<Endpoint>& endpoint) {
  return endpoint ? endpoint->text() : std::string{};
}

/// Notes of expansions name their endpoint (" on tcp/443 ("): those of another endpoint do not concern this one.
bool concerns(const std::string& note, const std::optional<Endpoint>& only) {
  if (!only || (note.find(" on tcp/") == std::string::npos && note.find(" on udp/") == std::string::npos)) {
    return true;
  }
  return note.find(" on " + only->text() + " ") != std::string::npos;
}

bool yields(const Expansion& expansion, const std::optional<Endpoint>& endpoint) {
  return !endpoint ||
         std::find(expansion.endpoints.begin(), expansion.endpoints.end(), *endpoint) != expansion.endpoints.end();
}

std::vector<std::string> wanted(const std::vector<std::string>& list, const char* fallback) {
  return list.empty() ? std::vector<std::string>{fallback} : list;
}

}  // namespace

namespace {

/// "state factory", "state initialised after the trigger services_off".
std::string state_in_words(const std::string& state) {
  const auto base = state_before(state);
  return "state " + base + (base == state ? "" : " after the trigger " + state.substr(base.size() + 1));
}

}  // namespace

std::string unit_id(const Case& test_case, const Unit& unit) {
  return test_case.id + "/" + unit.id;
}

RunView::RunView(const RunPlan& plan, std::span<const Observation> observations, const RunFacts& facts)
    : plan_(plan), facts_(facts), steps_(plan, observations) {
  std::vector<std::string> ids;
  for (const auto& binding : plan.bindings) {
    bindings_[{binding.unit, binding.alias}] = &binding;
    ids.insert(ids.end(), binding.steps.begin(), binding.steps.end());
  }
  steps_.resolve(ids);
}

std::vector<const PlannedStep*> RunView::steps_of(const std::string& unit, const std::string& alias) const {
  std::vector<const PlannedStep*> out;
  if (const auto found = bindings_.find({unit, alias}); found != bindings_.end()) {
    for (const auto& id : found->second->steps) {
      if (const auto* step = steps_.step(id)) {
        out.push_back(step);
      }
    }
  }
  return out;
}

std::string RunView::place(const Target& target, const std::optional<Endpoint>& endpoint) const {
  std::string out = endpoint ? " on " + endpoint->text() : "";
  if (plan_.targets.size() > 1) {
    out += " of sample " + target.sample + " (" + target.vantage + ", " + target.address +
           (several_states() ? ", " + target.state : "") + ")";
  }
  return out;
}

bool RunView::several_states() const {
  return std::any_of(plan_.targets.begin(), plan_.targets.end(),
                     [&](const auto& target) { return target.state != plan_.targets.front().state; });
}

/// ": why" for a state or trigger that the plan knows a reason for.
std::string RunView::left_out(const std::string& name) const {
  const auto found =
      std::find_if(plan_.left_out.begin(), plan_.left_out.end(), [&](const auto& entry) { return entry.name == name; });
  return found == plan_.left_out.end() ? "" : ": " + found->because;
}

std::string RunView::death() const {
  return "the device stopped answering" + (facts_.lost_at.empty() ? "" : " at " + facts_.lost_at) +
         (facts_.lost_after.empty() ? "" : " after " + facts_.lost_after);
}

/// What the case asks for and this run cannot reach.
void RunView::add_reach(const Case& test_case, const Unit& unit, std::vector<Obstructed>& out) const {
  if (unit.observe.empty()) {
    return;
  }
  // Where no probe could be planned at all, that is also why every fact is missing.
  const auto id = unit_id(test_case, unit);
  const bool planned = std::any_of(unit.observe.begin(), unit.observe.end(),
                                   [&](const auto& observe) { return !steps_of(id, observe.alias).empty(); });
  const auto kind = planned ? Obstacle::out_of_reach : Obstacle::never_ran;
  std::set<std::string> vantages;
  std::set<std::string> states;
  std::set<std::string> samples;
  for (const auto& target : plan_.targets) {
    vantages.insert(target.vantage);
    states.insert(target.state);
    samples.insert(target.sample);
  }
  for (const auto& vantage : wanted(test_case.vantages, "lan")) {
    if (!vantages.contains(vantage)) {
      out.push_back({kind, open_thing(ClosedBy::laboratory, "vantage " + vantage + " is not available in this run")});
    }
  }
  for (const auto& state : wanted(test_case.states, "initialised")) {
    if (!states.contains(state)) {
      out.push_back({kind, open_thing(ClosedBy::laboratory,
                                      "the device was not in state " + state + " in this run" + left_out(state))});
    }
  }
  if (!unit.pair.empty() && !planned && out.empty()) {
    out.push_back({kind, open_thing(ClosedBy::laboratory, "the trigger " + unit.pair.front().trigger +
                                                              " of this state pair was not pulled in this run" +
                                                              left_out(unit.pair.front().trigger))});
  }
  if (static_cast<std::int64_t>(samples.size()) < test_case.samples) {
    out.push_back({kind, open_thing(ClosedBy::laboratory, "needs " + std::to_string(test_case.samples) +
                                                              " samples of the model, " +
                                                              std::to_string(samples.size()) + " could be reached")});
  }
}

void RunView::add_completion(const PlannedStep& step, const Observation& observation,
                             std::vector<Obstructed>& out) const {
  const auto endpoint = text(observation.invocation.endpoint);
  const auto who = step.probe + place(step.target, observation.invocation.endpoint);
  const auto why = observation.error.empty() ? std::string{} : ": " + observation.error;
  const auto add = [&](Obstacle kind, ClosedBy by, const std::string& what) {
    auto finding = open_thing(by, what, endpoint);
    finding.observations = {observation.id};
    out.push_back({kind, std::move(finding)});
  };
  switch (observation.completion) {
    case Completion::harness_fault:
      add(Obstacle::error, ClosedBy::harness, "probe " + who + " failed by our own fault" + why);
      return;
    case Completion::denied:
      add(Obstacle::never_ran, ClosedBy::probe, "probe " + who + " was not allowed" + why);
      return;
    case Completion::device_lost:
      add(Obstacle::missing, ClosedBy::evidence, "what " + who + " saw cannot be believed: " + death());
      return;
    case Completion::cancelled:
      add(Obstacle::missing, ClosedBy::probe, "probe " + who + " was cut short" + why);
      return;
    case Completion::completed:
    case Completion::refused:
    case Completion::unreachable:
    case Completion::reset:
    case Completion::timed_out:
      return;  // matters only through facts that are not settled
  }
}

/// An invocation that was planned: how it ended, or why it never ran.
void RunView::add_invocation(const PlannedStep& step, const std::optional<Endpoint>& endpoint,
                             std::vector<Obstructed>& out) const {
  const auto& seen = steps_.observations(step.id);
  const auto found = std::find_if(
      seen.begin(), seen.end(), [&](const auto* observation) { return observation->invocation.endpoint == endpoint; });
  if (found != seen.end()) {
    add_completion(step, **found, out);
    return;
  }
  const auto who = step.probe + place(step.target, endpoint);
  const auto unreached = facts_.unreached.find(step.target.state);
  if (unreached != facts_.unreached.end()) {
    out.push_back({Obstacle::never_ran, open_thing(ClosedBy::laboratory,
                                                   "the device could not be brought to " +
                                                       state_in_words(unreached->first) + ": " + unreached->second,
                                                   text(endpoint))});
  } else if (facts_.device_lost) {
    out.push_back(
        {Obstacle::missing, open_thing(ClosedBy::evidence, death() + ", before " + who + " ran", text(endpoint))});
  } else if (!facts_.finished) {
    out.push_back({Obstacle::never_ran,
                   open_thing(ClosedBy::probe, "the run was interrupted before " + who + " ran", text(endpoint))});
  } else {
    out.push_back({Obstacle::missing, open_thing(ClosedBy::probe, who + " left no observation", text(endpoint))});
  }
}

void RunView::add_expansion(const PlannedStep& step, const std::optional<Endpoint>& only,
                            std::vector<Obstructed>& out) const {
  const auto& expansion = steps_.expansion(step.id);
  if (!expansion.error.empty()) {
    out.push_back({Obstacle::error,
                   open_thing(ClosedBy::harness, (step.where.empty() ? "" : step.where + ": ") + "the endpoints for " +
                                                     step.probe + " could not be worked out: " + expansion.error)});
  }
  for (const auto& note : expansion.missing) {
    if (concerns(note, only)) {
      out.push_back({Obstacle::missing,
                     open_thing(closer_of_doubt(note), "the endpoints for " + step.probe + place(step.target, {}) +
                                                           " are not all known: " + note)});
    }
  }
}

/// Everything of one step; with `only`, what concerns that endpoint.
void RunView::add_step(const PlannedStep& step, const std::optional<Endpoint>& only,
                       std::vector<Obstructed>& out) const {
  if (!step.allowed) {
    out.push_back({Obstacle::never_ran,
                   open_thing(ClosedBy::probe,
                              step.intrusiveness == Intrusiveness::destructive && plan_.allow == "destructive"
                                  ? "probe " + step.probe + " is destructive and sample " + step.target.sample +
                                        " may not be spent"
                                  : "probe " + step.probe + " is " + enum_name(step.intrusiveness) +
                                        " and this run allows " + plan_.allow + " at most",
                              text(only))});
    return;
  }
  if (step.for_each.empty()) {
    add_invocation(step, std::nullopt, out);
    return;
  }
  add_expansion(step, only, out);
  for (const auto& endpoint : steps_.expansion(step.id).endpoints) {
    if (!only || endpoint == *only) {
      add_invocation(step, endpoint, out);
    }
  }
}

json::object RunView::pair_of(const Unit& unit) const {
  if (unit.pair.empty()) {
    return {};
  }
  const auto& pair = unit.pair.front();
  const auto phase = std::find_if(plan_.phases.begin(), plan_.phases.end(),
                                  [&](const auto& one) { return one.trigger == pair.trigger; });
  const bool planned = phase != plan_.phases.end() && phase->recipe;
  return {{"trigger", pair.trigger},
          {"after", to_json(pair.after)},
          {"closes", planned ? to_json(phase->recipe->closes) : json::value(json::array{})}};
}

Instance RunView::whole(const Case& test_case, const Unit& unit) const {
  Instance out;
  out.test_case = &test_case;
  out.unit = &unit;
  out.id = unit_id(test_case, unit);
  out.pair = pair_of(unit);
  add_reach(test_case, unit, out.obstacles);
  for (const auto& observe : unit.observe) {
    AliasView view{observe.alias, find_probe_info(plan_, observe.probe), {}, true};
    for (const auto* step : steps_of(out.id, observe.alias)) {
      const auto& seen = steps_.observations(step->id);
      view.observations.insert(view.observations.end(), seen.begin(), seen.end());
      add_step(*step, std::nullopt, out.obstacles);
    }
    out.aliases.push_back(std::move(view));
  }
  return out;
}

/// One endpoint of one target: of the other aliases it sees what was observed on the same target, on the same endpoint
/// or on none.
Instance RunView::narrowed(const Case& test_case, const Unit& unit, const PlannedStep& over,
                           const std::optional<Endpoint>& endpoint) const {
  Instance out;
  out.test_case = &test_case;
  out.unit = &unit;
  out.endpoint = text(endpoint);
  out.id = unit_id(test_case, unit);
  out.pair = pair_of(unit);
  for (const auto& observe : unit.observe) {
    AliasView view{observe.alias, find_probe_info(plan_, observe.probe), {}, false};
    for (const auto* step : steps_of(out.id, observe.alias)) {
      if (!is_same_place(step->target, over.target)) {
        continue;
      }
      const auto only = step->for_each.empty() ? std::nullopt : endpoint;
      view.expected = view.expected || yields(steps_.expansion(step->id), only);
      for (const auto* observation : steps_.observations(step->id)) {
        if (!observation->invocation.endpoint || observation->invocation.endpoint == endpoint) {
          view.observations.push_back(observation);
        }
      }
      const bool source = std::find(over.after.begin(), over.after.end(), step->id) != over.after.end();
      if (!source || only) {  // a sweep that was cut short does not touch what is known of this endpoint
        add_step(*step, only, out.obstacles);
      }
    }
    out.aliases.push_back(std::move(view));
  }
  out.id += out.endpoint.empty() ? "" : "/" + out.endpoint;
  if (plan_.targets.size() > 1) {
    out.id += "@" + over.target.sample + "/" + over.target.vantage + "/" + over.target.address;
    out.id += several_states() ? "/" + over.target.state : "";
  }
  return out;
}

std::vector<Instance> RunView::instances(const Case& test_case, const Unit& unit) const {
  std::vector<Instance> out;
  if (unit.expand.empty() || !unit.planned_probe.empty()) {
    out.push_back(whole(test_case, unit));
    return out;
  }
  Instance rest;
  rest.test_case = &test_case;
  rest.unit = &unit;
  rest.id = unit_id(test_case, unit);
  rest.rest = true;
  rest.pair = pair_of(unit);
  add_reach(test_case, unit, rest.obstacles);
  const auto over_steps = steps_of(rest.id, unit.expand);
  for (const auto* over : over_steps) {
    if (over->for_each.empty()) {
      out.push_back(narrowed(test_case, unit, *over, std::nullopt));
      continue;
    }
    for (const auto& id : over->after) {  // what the endpoints were read from decides whether they are all there
      if (const auto* source = steps_.step(id)) {
        add_step(*source, std::nullopt, rest.obstacles);
      }
    }
    add_expansion(*over, std::nullopt, rest.obstacles);
    for (const auto& endpoint : steps_.expansion(over->id).endpoints) {
      out.push_back(narrowed(test_case, unit, *over, endpoint));
    }
  }
  if (out.empty()) {
    rest.obstacles.push_back({over_steps.empty() ? Obstacle::out_of_reach : Obstacle::missing,
                              open_thing(ClosedBy::evidence, "no endpoint was found to judge")});
  }
  out.push_back(std::move(rest));
  return out;
}

std::vector<Obstructed> RunView::unexpanded(const Instance& rest, const Evaluated& expected) const {
  std::vector<Obstructed> out;
  for (const auto& item : expected.items) {
    const auto* object = item.if_object();
    const auto text_in = [&](std::string_view key) -> std::string {
      const auto* value = object == nullptr ? nullptr : object->if_contains(key);
      return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}} : "";
    };
    const auto endpoint =
        Endpoint::parse(item.is_string() ? std::string{std::string_view{item.get_string()}} : text_in("endpoint"));
    const auto name = text_in("name").empty() ? std::string{} : " (" + text_in("name") + ")";
    if (!endpoint) {
      out.push_back({Obstacle::error, open_thing(ClosedBy::harness, "expect yielded " + canonical(item).substr(0, 80) +
                                                                        ", which is no endpoint such as tcp/80")});
      continue;
    }
    for (const auto* over : steps_of(unit_id(*rest.test_case, *rest.unit), rest.unit->expand)) {
      if (!over->for_each.empty() && !yields(steps_.expansion(over->id), endpoint)) {
        out.push_back({Obstacle::missing, open_thing(ClosedBy::evidence,
                                                     endpoint->text() + name + place(over->target, {}) +
                                                         " is declared and was not found from " + over->target.vantage +
                                                         ", so it was not judged",
                                                     endpoint->text())});
      }
    }
  }
  return out;
}

}  // namespace assay
