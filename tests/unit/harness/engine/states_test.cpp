#include "tests/unit/harness/engine/script.hpp"

namespace assay {
namespace {

Recipe command(const std::string& line) {
  Recipe out;
  out.exec = line;
  return out;
}

/// The plan with one step `finds` for each phase.
RunPlan phased(std::vector<PlannedPhase> phases) {
  auto plan = plan_of({unit_of("a", {{"found", "finds", {}, {}, {}}})});
  const auto step = plan.steps.at(0);
  const auto target = plan.targets.at(0);
  plan.steps.clear();
  plan.targets.clear();
  for (auto& phase : phases) {
    auto one = step;
    one.id = "s" + std::to_string(plan.steps.size() + 1);
    one.target.state = phase.state;
    plan.steps.push_back(one);
    if (phase.trigger.empty()) {
      plan.targets.push_back(target);
      plan.targets.back().state = phase.state;
    }
    phase.samples = {"A"};
    plan.phases.push_back(phase);
  }
  return plan;
}

using Texts = std::vector<std::string>;

TEST_CASE("engine: all work of one state comes before the next, and a trigger is undone at the end") {
  Script shared;
  const auto ran = run(phased({{"factory", "", {}, false, command("reset"), {}},
                               {"initialised", "", {}, true, command("set up"), {}},
                               {"initialised+off", "off", {}, false, command("off"), command("on")}}),
                       shared);
  CHECK(shared.ran == Texts{"reset A to factory", "finds in factory", "set up A to initialised", "finds",
                            "off A to initialised+off", "finds in initialised+off", "on A to initialised"});
  CHECK(count(ran, "state_change") == 4);
  CHECK(count(ran, "state_reached") == 4);
  CHECK(ran.outcome.observations.size() == 3);
}

TEST_CASE(
    "engine: after a recipe of a state accounts are as the DUT file says, and what they had is kept; a trigger changes "
    "none") {
  const TemporaryFolder folder;
  const auto file = folder.path / "passwords-left.json";
  Dut dut;
  dut.accounts.push_back({"admin", "maker", Secret{"Old4-word!x", "its own"}});
  Invocation before;
  before.target.address = "127.0.0.1";
  for (const bool is_trigger : {false, true}) {
    Script shared;
    shared.changed = std::make_shared<ChangedPasswords>(file);
    const Secret other{"Nw7-qPz2", "password 1"};
    REQUIRE(shared.changed->entrust(before, "maker", dut.accounts[0].secret, other));
    REQUIRE(shared.changed->settle(before, "maker", other));
    run(phased(
            {{"factory", "", {}, true, {}, {}},
             {is_trigger ? "factory+off" : "initialised", is_trigger ? "off" : "", {}, false, command("go on"), {}}}),
        shared);
    CHECK(shared.changed->applied(dut, before.target).has_value() == is_trigger);
    REQUIRE(shared.changed->left().size() == 1);
    CHECK((shared.changed->left()[0].find("may now have") == std::string::npos) == is_trigger);
    REQUIRE(shared.changed->settle(before, "maker", dut.accounts[0].secret));
    CHECK_FALSE(fs::exists(file));
  }
}

TEST_CASE("engine: a trigger is pulled in its own state, not on top of another one") {
  Script shared;
  run(phased({{"initialised", "", {}, true, command("set up"), {}},
              {"initialised+a", "a", {}, false, command("a"), {}},
              {"initialised+b", "b", {}, false, command("b"), {}}}),
      shared);
  CHECK(shared.ran == Texts{"finds", "a A to initialised+a", "finds in initialised+a", "set up A to initialised",
                            "b A to initialised+b", "finds in initialised+b"});
  shared.ran.clear();
  const auto ran = run(phased({{"initialised", "", {}, true, {}, {}},
                               {"initialised+a", "a", {}, false, command("a"), {}},
                               {"initialised+b", "b", {}, false, command("b"), {}}}),
                       shared);
  CHECK(shared.ran == Texts{"finds", "a A to initialised+a", "finds in initialised+a"});
  CHECK(count(ran, "state_failed") == 1);
}

TEST_CASE("engine: a state that cannot be reached costs its own work only") {
  Script shared;
  shared.broken_recipes = {"reset"};
  const auto plan =
      phased({{"factory", "", {}, false, command("reset"), {}}, {"initialised", "", {}, true, command("set up"), {}}});
  const auto ran = run(plan, shared);
  CHECK(shared.ran == Texts{"reset A to factory", "set up A to initialised", "finds"});
  CHECK(count(ran, "state_failed") == 1);
  CHECK_FALSE(ran.outcome.device_lost);
  RunFacts facts;
  facts.finished = true;
  facts.unreached = {{"factory", "it broke"}};
  auto whole = plan;
  whole.bindings.at(0).steps = {"s1", "s2"};
  whole.plan.cases.at(0).states = {"factory", "initialised"};
  const auto verdicts = judge(whole, ran.outcome.observations, facts);
  const auto& unit = verdicts.requirements.at(0).cases.at(0).units.at(0);
  CHECK(unit.verdict == Verdict::not_tested);
  CHECK(unit.open.at(0).what == "the device could not be brought to state factory: it broke");
}

TEST_CASE("engine: another device at the same address is not taken for the one that was reset") {
  Script shared;
  shared.device.mac = "02:00:00:00:00:01";
  const auto ran =
      run(phased({{"initialised", "", {}, true, {}, {}}, {"factory", "", {}, false, command("swap"), {}}}), shared);
  CHECK(shared.ran == Texts{"finds", "swap A to factory"});
  CHECK(count(ran, "state_failed") == 1);
}

TEST_CASE("engine: a resumed run changes the device only where something is left to do") {
  Script shared;
  const auto plan =
      phased({{"factory", "", {}, false, command("reset"), {}}, {"initialised", "", {}, true, command("set up"), {}}});
  auto earlier = run(plan, shared).outcome.observations;
  earlier.pop_back();  // of the second state
  shared.ran.clear();
  shared.device_state = "factory";
  run(plan, shared, earlier);
  CHECK(shared.ran == Texts{"set up A to initialised", "finds"});
  shared.ran.clear();
  shared.device_state = "initialised";
  run(plan, shared, earlier);
  CHECK(shared.ran == Texts{"finds"});
  shared.ran.clear();
  shared.device_state = "?";  // killed in the middle of a change
  run(plan, shared, earlier);
  CHECK(shared.ran == Texts{"set up A to initialised", "finds"});
}

TEST_CASE("engine: the journal tells where the device was left") {
  const auto event = [](std::string type, json::object data) {
    Event out;
    out.type = std::move(type);
    out.data = std::move(data);
    return out;
  };
  std::vector<Event> events;
  CHECK(last_state(events).empty());
  events.push_back(event("state_change", {{"state", "factory"}}));
  CHECK(last_state(events) == "?");
  events.push_back(event("state_reached", {{"state", "factory"}}));
  CHECK(last_state(events) == "factory");
}

TEST_CASE("engine: a side that never answers says nothing of the device while another side does") {
  Script shared;
  shared.device.silent = "wan";
  auto plan = plan_of({unit_of("a", {{"found", "finds", {}, {}, {}}})});
  plan.targets.push_back({"A", "initialised", "wan", "198.51.100.5"});
  plan.steps.push_back(plan.steps.front());
  plan.steps.back().id = "s2";
  plan.steps.back().target = plan.targets.back();
  const auto ran = run(plan, shared);
  CHECK_FALSE(ran.outcome.device_lost);
  CHECK(ran.outcome.observations.size() == 2);
  for (const auto& observation : ran.outcome.observations) {
    CHECK(observation.completion == Completion::completed);
  }
  shared.device.dead = true;  // silent from everywhere
  CHECK(run(plan, shared).outcome.device_lost);
}

}  // namespace
}  // namespace assay
