#include "harness/plan/plan_run.hpp"

#include <algorithm>
#include <string>

#include "harness/plan/expand.hpp"
#include "tests/support/catch.hpp"

using namespace assay;

namespace {

ProbeCatalogue catalogue() {
  ProbeInfo sweep;
  sweep.id = "sweep";
  sweep.subject = ProbeSubject::device;
  sweep.facts = {{"sweep.open", ValueKind::list, ""}};
  sweep.parameters = {{"range", ValueKind::text, "all", ""}, {"tries", ValueKind::integer, 2, ""}};
  ProbeInfo look;
  look.id = "look";
  look.facts = {{"look.protocol", ValueKind::text, ""}};
  ProbeInfo login = look;
  login.id = "login";
  login.intrusiveness = Intrusiveness::intrusive;
  login.exclusive = Exclusive::login;
  ProbeInfo wipe = sweep;
  wipe.id = "wipe";
  wipe.intrusiveness = Intrusiveness::destructive;
  return {{"sweep", sweep}, {"look", look}, {"login", login}, {"wipe", wipe}};
}

const std::string kOpenPorts = R"(obs("sweep") | fact("sweep.open")[])";

Unit unit_of(std::string id, std::vector<Observe> observe) {
  Unit out;
  out.id = std::move(id);
  out.observe = std::move(observe);
  return out;
}

Case case_of(std::string id, std::vector<Unit> units) {
  Case out;
  out.id = std::move(id);
  out.covers = "S@1:5.1-1";
  out.states = {"initialised"};
  out.vantages = {"lan"};
  out.units = std::move(units);
  return out;
}

Plan plan_of(std::vector<Case> cases) {
  Plan out;
  out.id = "p/1";
  out.standard = "S@1";
  out.method = "M@1";
  Requirement requirement;
  requirement.id = "S@1:5.1-1";
  out.requirements = {requirement};
  out.cases = std::move(cases);
  out.ics_names = {"5.1-1"};
  out.ixit_tables = {"1-AuthMech"};
  return out;
}

Dut dut() {
  Dut out;
  out.standard = "M@1";
  Sample sample;
  sample.id = "A";
  sample.at = {{"lan", {"192.0.2.5"}}};
  out.samples = {sample};
  return out;
}

Result<RunPlan> made(const Plan& plan, const Dut& device = dut(), const PlanOptions& options = {}) {
  return make_run_plan(plan, device, catalogue(), options);
}

PlannedCase selected(const std::string& condition, const std::string& applies, const Dut& device,
                     Modality modality = Modality::shall) {
  auto plan = plan_of({case_of("c", {})});
  plan.requirements[0].condition = condition;
  plan.requirements[0].condition_words = "passwords are used";
  plan.requirements[0].modality = modality;
  plan.cases[0].applies = applies;
  const auto run_plan = made(plan, device);
  REQUIRE(run_plan.has_value());
  return run_plan->cases.at(0);
}

Dut with_ics(Support support, const std::string& because) {
  auto out = dut();
  out.ics["5.1-1"] = {support, because};
  return out;
}

const std::string kUsed = R"(any(ixit("1-AuthMech"); true))";

}  // namespace

TEST_CASE("A parameter in seconds is in the estimate and lengthens the deadline, never shortens it") {
  ProbeInfo probe;
  probe.deadline_ms = 1'800'000;
  CHECK_FALSE(granted_ms(probe, {{"prove", 7200}}));
  CHECK(deadline_of(probe, {{"prove", 7200}}) == 1'800'000);
  probe.seconds = {"prove"};
  CHECK(granted_ms(probe, {{"prove", 120}}) == 120'000);
  CHECK(deadline_of(probe, {{"prove", 120}}) == 1'800'000);
  CHECK(deadline_of(probe, {{"prove", 7200}}) == 7'260'000);
  CHECK(granted_ms(probe, {{"prove", -5}}) == 0);
  CHECK(granted_ms(probe, {{"prove", 1'000'000'000'000}}) == 604'800'000);
}

TEST_CASE("Equal steps are one and serve every unit that asks") {
  const Observe sweep{"sweep", "sweep", "", {}, ""};
  const Observe same{"sweep", "sweep", "", {{"range", "all"}}, ""};  // the default, written out
  const Observe other{"sweep", "sweep", "", {{"range", "1-10"}}, ""};
  const Observe look{"look", "look", kOpenPorts, {}, ""};
  const auto plan = made(plan_of({case_of("c", {unit_of("a", {sweep, look}), unit_of("b", {same, look})}),
                                  case_of("d", {unit_of("a", {other, look}), unit_of("b", {sweep})})}));
  REQUIRE(plan.has_value());
  REQUIRE(plan->steps.size() == 4);
  CHECK(plan->steps[0].id == "s1");
  CHECK(plan->steps[0].parameters == json::object{{"range", "all"}, {"tries", 2}});
  CHECK(plan->steps[1].probe == "look");
  CHECK(plan->steps[1].after == std::vector<std::string>{"s1"});
  CHECK(plan->steps[1].aliases == std::vector<std::string>{"sweep"});
  CHECK(plan->steps[3].after == std::vector<std::string>{"s3"});
  REQUIRE(plan->bindings.size() == 7);
  CHECK(plan->bindings[0].unit == "c/a");
  CHECK(plan->bindings[2].steps == std::vector<std::string>{"s1"});
  CHECK(plan->bindings[3].steps == std::vector<std::string>{"s2"});
  CHECK(plan->bindings[6].unit == "d/b");
  CHECK(plan->probes.size() == 2);
}

TEST_CASE("Steps come after those they read") {
  const auto plan = made(plan_of({case_of("c", {unit_of("a", {{"sweep", "sweep", "", {}, ""},
                                                              {"look", "look", kOpenPorts, {}, ""},
                                                              {"login", "login", kOpenPorts, {}, ""}})})}));
  REQUIRE(plan.has_value());
  std::vector<std::string> before;
  for (const auto& step : plan->steps) {
    for (const auto& source : step.after) {
      CHECK(std::find(before.begin(), before.end(), source) != before.end());
    }
    before.push_back(step.id);
  }
  CHECK(plan->steps[2].after == std::vector<std::string>{"s1", "s2"});
  CHECK(plan->steps[2].exclusive == Exclusive::login);
}

TEST_CASE("Targets are each sample at each of its addresses on each vantage that is there") {
  auto device = dut();
  device.samples[0].at["wan"] = {"198.51.100.5"};
  device.samples[0].at["lan"].emplace_back("2001:db8::5");
  Sample second;
  second.id = "B";
  second.at = {{"lan", {"192.0.2.6"}}, {"guest", {"203.0.113.6"}}};
  device.samples.push_back(second);
  PlanOptions options;
  options.vantages = {"lan", "wan"};
  options.state = "factory";
  auto test_case = case_of("c", {unit_of("a", {{"sweep", "sweep", "", {}, ""}})});
  test_case.states = {"factory"};
  auto plan = made(plan_of({test_case}), device, options);
  REQUIRE(plan.has_value());
  CHECK(plan->targets.size() == 3);  // nothing asks for the WAN
  auto from_wan = case_of("d", {unit_of("a", {{"sweep", "sweep", "", {}, ""}})});
  from_wan.states = {"factory"};
  from_wan.vantages = {"wan"};
  plan = made(plan_of({test_case, from_wan}), device, options);
  REQUIRE(plan.has_value());
  REQUIRE(plan->targets.size() == 4);
  CHECK(plan->targets[0] == Target{"A", "factory", "lan", "192.0.2.5"});
  CHECK(plan->targets[1].address == "2001:db8::5");
  CHECK(plan->targets[2].vantage == "wan");
  CHECK(plan->targets[3].sample == "B");
  CHECK(plan->steps.size() == 4);
  CHECK(plan->bindings[0].steps.size() == 3);  // the case names the lan only
  CHECK(plan->bindings[1].steps.size() == 1);
  test_case.states = {"initialised"};
  plan = made(plan_of({test_case}), device, options);
  CHECK(plan->steps.empty());
}

TEST_CASE("A step that is more intrusive than the run allows is planned and not allowed") {
  const auto plan = plan_of({case_of("c", {unit_of("a", {{"sweep", "sweep", "", {}, ""},
                                                         {"login", "login", kOpenPorts, {}, ""},
                                                         {"wipe", "wipe", "", {}, ""}})})});
  PlanOptions options;
  options.allow = Intrusiveness::benign;
  auto run_plan = made(plan, dut(), options);
  REQUIRE(run_plan.has_value());
  CHECK(run_plan->steps[0].allowed);
  CHECK_FALSE(run_plan->steps[1].allowed);
  CHECK(run_plan->allow == "benign");
  options.allow = Intrusiveness::destructive;
  run_plan = made(plan, dut(), options);
  CHECK(run_plan->steps[1].allowed);
  CHECK_FALSE(run_plan->steps[2].allowed);  // the sample may not be spent
  auto device = dut();
  device.samples[0].destructive = true;
  CHECK(made(plan, device, options)->steps[2].allowed);
}

TEST_CASE("Everything wrong with the input is told at once") {
  auto device = dut();
  device.standard = "M@2";
  device.ics["9.9-9"] = {};
  device.ixit["1-AuthMesh"] = {};
  const auto plan = made(plan_of({case_of("c", {unit_of("a", {{"x", "swep", "", {}, "c.yaml:1:1"},
                                                              {"sweep", "sweep", "", {{"rnge", "all"}}, "c.yaml:2:1"},
                                                              {"look", "look", "", {}, "c.yaml:3:1"},
                                                              {"s", "sweep", "\"tcp/1\"", {}, "c.yaml:4:1"}})})}),
                         device);
  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error().kind == ErrorKind::bad_input);
  for (const std::string part :
       {"follows M@2 but plan p/1 reads M@1", "ICS \"9.9-9\"", "IXIT \"1-AuthMesh\"", "c.yaml:1:1: no probe \"swep\"",
        "c.yaml:2:1: probe sweep has no parameter \"rnge\"", "c.yaml:3:1: probe look needs for_each",
        "c.yaml:4:1: probe sweep takes no for_each"}) {
    CAPTURE(plan.error().what, part);
    CHECK(plan.error().what.find(part) != std::string::npos);
  }
  device = Dut{};
  CHECK(made(plan_of({}), device).has_value());  // nothing declared is no error
}

TEST_CASE("A condition that holds takes the case in, with the words that decided") {
  auto device = dut();
  device.ixit["1-AuthMech"] = {json::object{{"id", "AM-1"}}};
  const auto chosen = selected(kUsed, "", device);
  CHECK(chosen.selection == Selection::in);
  CHECK(chosen.because == "\"passwords are used\" holds");
  CHECK(chosen.condition == kUsed);
}

TEST_CASE("A condition that is false by the declaration makes the case not applicable") {
  auto device = dut();
  device.ixit["1-AuthMech"] = {};
  const auto chosen = selected(kUsed, "", device);
  CHECK(chosen.selection == Selection::not_applicable);
  CHECK(chosen.because ==
        "\"passwords are used\" does not hold by the declaration; needs a named laboratory acceptance");
  device.ics["5.1-1"] = {Support::not_applicable, "no passwords"};
  CHECK(selected(kUsed, "", device).because.find("ICS 5.1-1 = N/A: no passwords; ") == 0);
}

TEST_CASE("A condition that the declaration cannot decide leaves the case open, N/A or not") {
  const auto chosen = selected(kUsed, "", dut());
  CHECK(chosen.selection == Selection::open);
  CHECK(chosen.because ==
        "whether \"passwords are used\" holds is open: not known for want of IXIT 1-AuthMech (not declared)");
  const auto claimed = selected(kUsed, "", with_ics(Support::not_applicable, "none"));
  CHECK(claimed.selection == Selection::open);
  CHECK(claimed.because.find("ICS 5.1-1 = N/A: none; ") == 0);
  CHECK(selected("\"text\"", "", dut()).selection == Selection::open);
  CHECK(selected("true, false", "", dut()).selection == Selection::open);
  CHECK(selected("\"a\" + 1", "", dut()).because.find("could not be evaluated") != std::string::npos);
}

TEST_CASE("N/A where there is no condition is refused") {
  const auto mandatory = selected("", "", with_ics(Support::not_applicable, "no need"));
  CHECK(mandatory.selection == Selection::in);
  CHECK(mandatory.because ==
        "ICS 5.1-1 = N/A: no need: refused, a mandatory provision without a condition always applies");
  const auto recommended = selected("", "", with_ics(Support::not_applicable, ""), Modality::should);
  CHECK(recommended.selection == Selection::in);
  CHECK(recommended.because.find("refused") != std::string::npos);
  CHECK(selected("", "", dut()).because == "its provision has no condition");
}

TEST_CASE("N/A where the condition holds is refused") {
  auto device = with_ics(Support::not_applicable, "none");
  device.ixit["1-AuthMech"] = {json::object{{"id", "AM-1"}}};
  const auto chosen = selected(kUsed, "", device);
  CHECK(chosen.selection == Selection::in);
  CHECK(chosen.because == "ICS 5.1-1 = N/A: none: refused, \"passwords are used\" holds");
}

TEST_CASE("The case's own condition can only take it further out") {
  CHECK(selected("", "true", dut()).selection == Selection::in);
  const auto out = selected("", "support(\"5.1-1\") == \"Y\"", dut());
  CHECK(out.selection == Selection::not_applicable);
  CHECK(out.condition == "support(\"5.1-1\") == \"Y\"");
  CHECK(selected("", "ics(\"5.1-1\").support == \"Y\"", dut()).selection == Selection::open);
  CHECK(selected("false", "true", dut()).selection == Selection::not_applicable);
  CHECK(selected(kUsed, "true", dut()).selection == Selection::open);
}

TEST_CASE("A planned probe makes no step") {
  auto unit = unit_of("a", {});
  unit.planned_probe = "update";
  const auto plan = made(plan_of({case_of("c", {unit})}));
  REQUIRE(plan.has_value());
  CHECK(plan->steps.empty());
  CHECK(plan->bindings.empty());
}

TEST_CASE("A step expands over what the steps before it saw on the same target") {
  const auto plan = made(
      plan_of({case_of("c", {unit_of("a", {{"sweep", "sweep", "", {}, ""}, {"look", "look", kOpenPorts, {}, ""}})})}));
  REQUIRE(plan.has_value());
  Observation seen;
  seen.id = "o1";
  seen.invocation.probe = "sweep";
  seen.invocation.target = plan->targets[0];
  seen.invocation.parameters = plan->steps[0].parameters;
  seen.completion = Completion::completed;
  seen.facts["sweep.open"] = json::array{"tcp/80", "tcp/23", "tcp/80"};
  auto expansion = expand_step(*plan, plan->steps[1], {&seen, 1});
  REQUIRE(expansion.endpoints.size() == 2);
  CHECK(expansion.endpoints[0].text() == "tcp/80");
  CHECK(expansion.endpoints[1].text() == "tcp/23");
  CHECK(observations_of(*plan, plan->steps[0], {&seen, 1}).size() == 1);
  CHECK(observations_of(*plan, plan->steps[1], {&seen, 1}).empty());
  seen.facts.clear();
  seen.unobserved["sweep.open"] = "the network was down";
  expansion = expand_step(*plan, plan->steps[1], {&seen, 1});
  CHECK(expansion.endpoints.empty());
  CHECK(expansion.missing == std::vector<std::string>{"sweep.sweep.open on the device (the network was down)"});
  seen.facts["sweep.open"] = json::array{"tcp/80", 7};
  expansion = expand_step(*plan, plan->steps[1], {&seen, 1});
  CHECK(expansion.endpoints.size() == 1);
  CHECK(expansion.error == "for_each yielded 7, which is no endpoint such as tcp/80");
}

namespace {

Recipe command(const std::string& line) {
  Recipe out;
  out.exec = line;
  return out;
}

/// A plan of one case with those states and vantages, and a device that can be brought to factory and initialised.
RunPlan planned(std::vector<std::string> states, std::vector<std::string> vantages, PlanOptions options,
                bool spent = true, std::optional<StatePair> pair = std::nullopt) {
  auto unit = unit_of("a", {{"before", "sweep", "", {}, ""}});
  if (pair) {
    unit.observe.push_back({"after", "sweep", "", {}, ""});
    unit.pair.push_back(*pair);
  }
  auto test_case = case_of("c", {unit});
  test_case.states = std::move(states);
  test_case.vantages = std::move(vantages);
  auto device = dut();
  device.samples[0].at["wan"] = {"198.51.100.5"};
  device.samples[0].destructive = spent;
  device.lab.states = {{"factory", command("reset")}, {"initialised", command("set up")}};
  device.lab.triggers = {{"off", command("off")}, {"on", command("on")}};
  const auto plan = made(plan_of({test_case}), device, options);
  REQUIRE(plan.has_value());
  return *plan;
}

std::vector<std::string> phases_of(const RunPlan& plan) {
  std::vector<std::string> out;
  for (const auto& phase : plan.phases) {
    out.push_back(phase.state);
  }
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("A run visits each state once, factory first, and looks from each vantage that is there") {
  PlanOptions options;
  options.allow = Intrusiveness::destructive;
  options.vantages = {"lan", "wan"};
  const auto plan = planned({"factory", "initialised"}, {"lan", "wan"}, options);
  CHECK(phases_of(plan) == Texts{"factory", "initialised"});
  CHECK_FALSE(plan.phases[0].found);
  CHECK(plan.phases[1].found);
  CHECK(plan.phases[0].recipe->exec == "reset");
  REQUIRE(plan.targets.size() == 4);
  CHECK(plan.targets[0] == Target{"A", "factory", "lan", "192.0.2.5"});
  CHECK(plan.targets[3] == Target{"A", "initialised", "wan", "198.51.100.5"});
  CHECK(plan.bindings[0].steps.size() == 4);
  CHECK(plan.left_out.empty());
}

TEST_CASE("A state that nothing leads back to comes first, for the device is in it") {
  auto device = dut();
  device.samples[0].destructive = true;
  device.lab.states = {{"factory", command("reset")}};
  auto test_case = case_of("c", {unit_of("a", {{"sweep", "sweep", "", {}, ""}})});
  test_case.states = {"factory", "initialised"};
  PlanOptions options;
  options.allow = Intrusiveness::destructive;
  const auto plan = made(plan_of({test_case}), device, options);
  REQUIRE(plan.has_value());
  CHECK(phases_of(*plan) == Texts{"initialised", "factory"});
}

TEST_CASE("A reset needs leave and a unit that may be spent; otherwise the state is left out with the reason") {
  const auto forbidden = planned({"factory", "initialised"}, {"lan"}, {});
  CHECK(forbidden.left_out ==
        Later<LeftOut>{{"factory", "resetting the device is destructive and this run allows intrusive at most"}});
  CHECK(forbidden.targets.size() == 1);
  PlanOptions options;
  options.allow = Intrusiveness::destructive;
  const auto kept = planned({"factory", "initialised"}, {"lan"}, options, false);
  CHECK(kept.left_out ==
        Later<LeftOut>{
            {"factory", "resetting the device is destructive and no sample may be spent (destructive: true)"}});
}

TEST_CASE("A vantage that no case asks for is not looked from, and one that is not there is not either") {
  PlanOptions options;
  options.vantages = {"lan", "wan"};
  CHECK(planned({"initialised"}, {"lan"}, options).targets.size() == 1);
  CHECK(planned({"initialised"}, {"wan"}, options).targets.size() == 2);
  options.vantages = {"lan"};
  CHECK(planned({"initialised"}, {"lan", "wan"}, options).targets.size() == 1);
}

TEST_CASE("A state pair adds a phase behind its state, with the way back") {
  const auto plan = planned({"initialised"}, {"lan"}, {}, true, StatePair{"off", "on", "", {"after"}});
  CHECK(phases_of(plan) == Texts{"initialised", "initialised+off"});
  CHECK(plan.phases[1].trigger == "off");
  CHECK(plan.phases[1].undo->exec == "on");
  REQUIRE(plan.steps.size() == 2);
  CHECK(plan.steps[0].target.state == "initialised");
  CHECK(plan.steps[1].target.state == "initialised+off");
  CHECK(plan.targets.size() == 1);
}

TEST_CASE("Half a pair is not planned: without a trigger, without a person, or without leave") {
  const StatePair unknown{"upside_down", "", "", {"after"}};
  const auto without = planned({"initialised"}, {"lan"}, {}, true, unknown);
  CHECK(without.steps.empty());
  CHECK(without.left_out == Later<LeftOut>{{"upside_down", "the DUT file has no trigger upside_down"}});
  const StatePair asked{"upside_down", "", "Turn it", {"after"}};
  CHECK(planned({"initialised"}, {"lan"}, {}, true, asked).steps.empty());
  PlanOptions person;
  person.person = true;
  CHECK(planned({"initialised"}, {"lan"}, person, true, asked).steps.size() == 2);
  PlanOptions benign;
  benign.allow = Intrusiveness::benign;
  CHECK(planned({"initialised"}, {"lan"}, benign, true, StatePair{"off", "", "", {"after"}}).steps.empty());
}
