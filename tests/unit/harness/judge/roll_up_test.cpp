#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/harness/judge/bench.hpp"

using namespace assay;
using namespace assay::bench;

namespace {

/// A unit that ends with this verdict without any probe.
Unit ending(const std::string& id, Verdict verdict) {
  Unit unit;
  unit.id = id;
  unit.fail = verdict == Verdict::fail ? "\"a defect\"" : verdict == Verdict::error ? "\"a\" + 1" : "empty";
  unit.inconclusive = verdict == Verdict::inconclusive ? "\"a doubt\"" : "";
  unit.can_pass = verdict != Verdict::not_tested;
  return unit;
}

std::vector<Unit> ending(std::initializer_list<Verdict> verdicts) {
  std::vector<Unit> out;
  for (const auto verdict : verdicts) {
    out.push_back(ending(std::string(1, static_cast<char>('a' + out.size())), verdict));
  }
  return out;
}

Verdicts judged(const Plan& plan, const Dut& device = dut()) {
  return judge(run_plan(plan, device), {}, finished());
}

Verdict case_verdict(std::initializer_list<Verdict> units, Quantifier quantifier) {
  auto test_case = case_of("c", ending(units));
  test_case.quantifier = quantifier;
  return first_case(judged(plan_of({test_case}))).verdict;
}

Verdict requirement_verdict(std::initializer_list<Verdict> cases) {
  std::vector<Case> list;
  for (const auto verdict : cases) {
    list.push_back(case_of("c" + std::to_string(list.size()), ending({verdict})));
  }
  return judged(plan_of(list)).requirements.at(0).verdict;
}

constexpr auto kPass = Verdict::pass;
constexpr auto kFail = Verdict::fail;
constexpr auto kError = Verdict::error;
constexpr auto kOpen = Verdict::inconclusive;
constexpr auto kUntested = Verdict::not_tested;

/// A conditional requirement whose condition is whether IXIT 1-AuthMech names a mechanism.
Plan conditional(const Case& test_case) {
  auto plan = plan_of({test_case});
  plan.requirements[0].condition = "any(ixit(\"1-AuthMech\"); true)";
  plan.requirements[0].condition_words = "passwords are used";
  return plan;
}

Dut without_passwords() {
  auto device = dut();
  device.ixit["1-AuthMech"] = {};
  return device;
}

Dut claims(Support support, const std::string& because = "") {
  auto device = dut();
  device.ics["5.1-1"] = {support, because};
  return device;
}

}  // namespace

TEST_CASE("A case over all units takes FAIL, then ERROR, then what is open, then PASS") {
  const auto all = Quantifier::all;
  CHECK(case_verdict({kPass, kPass}, all) == kPass);
  CHECK(case_verdict({kPass, kFail, kError}, all) == kFail);
  CHECK(case_verdict({kPass, kError, kOpen}, all) == kError);
  CHECK(case_verdict({kPass, kOpen, kUntested}, all) == kOpen);
  CHECK(case_verdict({kPass, kUntested}, all) == kUntested);
  CHECK(case_verdict({}, all) == kUntested);
}

TEST_CASE("A case over any unit needs one PASS, and fails only when every unit is known to fail") {
  const auto any = Quantifier::any;
  CHECK(case_verdict({kFail, kPass, kError}, any) == kPass);
  CHECK(case_verdict({kFail, kFail}, any) == kFail);
  CHECK(case_verdict({kFail, kOpen}, any) == kOpen);
  CHECK(case_verdict({kFail, kUntested}, any) == kUntested);
  CHECK(case_verdict({kFail, kError}, any) == kError);
}

TEST_CASE("In a case over any with one expanded unit, one endpoint that holds is enough") {
  auto test_case = case_of("c", {telnet_unit()});
  test_case.quantifier = Quantifier::any;
  const auto plan = run_plan(plan_of({test_case}));
  const std::vector<Observation> seen = {swept(plan, {"tcp/23", "tcp/80"}), looked(plan, "o2", "tcp/23", "telnet"),
                                         looked(plan, "o3", "tcp/80", "http")};
  CHECK(first_case(judge(plan, seen, finished())).verdict == kPass);
}

TEST_CASE("A requirement takes the worst of its cases and none is no PASS") {
  CHECK(requirement_verdict({kPass, kPass}) == kPass);
  CHECK(requirement_verdict({kError, kFail}) == kFail);
  CHECK(requirement_verdict({kPass, kError}) == kError);
  CHECK(requirement_verdict({kPass, kOpen}) == kOpen);
  CHECK(requirement_verdict({kPass, kUntested}) == kUntested);
  CHECK(requirement_verdict({}) == kUntested);
}

TEST_CASE("An unconfirmed requirement never passes") {
  auto plan = plan_of({case_of("c", ending({kPass}))});
  plan.requirements[0].strength = Strength::unconfirmed;
  CHECK(judged(plan).requirements.at(0).verdict == kUntested);
  plan.cases = {case_of("c", ending({kFail}))};
  CHECK(judged(plan).requirements.at(0).verdict == kFail);
}

TEST_CASE("A mandatory provision that the maker does not claim is FAIL, a recommendation is NOT_CLAIMED") {
  auto plan = plan_of({case_of("c", ending({kPass}))});
  const auto mandatory = judged(plan, claims(Support::no, "too costly")).requirements.at(0);
  CHECK(mandatory.verdict == kFail);
  CHECK(mandatory.because == "ICS 5.1-1 = N: too costly; the maker does not claim a mandatory provision");
  plan.requirements[0].modality = Modality::should;
  const auto recommended = judged(plan, claims(Support::no));
  CHECK(recommended.requirements.at(0).verdict == Verdict::not_claimed);
  CHECK(recommended.requirements.at(0).because.find("a justification is missing") != std::string::npos);
  CHECK(recommended.summary.evidenced == 0);
}

TEST_CASE("N on a provision whose condition is not known stays open") {
  const auto verdicts = judged(conditional(case_of("c", ending({kPass}))), claims(Support::no));
  CHECK(verdicts.requirements.at(0).verdict == kOpen);
}

TEST_CASE("N/A on a provision that applies is refused and keeps it open until the declaration is corrected") {
  const auto plan = plan_of({case_of("c", ending({kPass}))});
  const auto refused = judged(plan, claims(Support::not_applicable, "no need")).requirements.at(0);
  CHECK(refused.verdict == kOpen);
  CHECK(refused.because.find("ICS 5.1-1 = N/A is refused") == 0);
  const auto failing = plan_of({case_of("c", ending({kFail}))});
  CHECK(judged(failing, claims(Support::not_applicable)).requirements.at(0).verdict == kFail);
}

TEST_CASE("A provision that does not apply by the declaration stays open until a laboratory accepts it") {
  const auto verdicts = judged(conditional(case_of("c", ending({kPass}))), without_passwords());
  CHECK(first_case(verdicts).verdict == Verdict::not_applicable);
  CHECK(verdicts.requirements.at(0).verdict == kUntested);
  CHECK(verdicts.requirements.at(0).because ==
        "\"passwords are used\" does not hold by the declaration; needs a named laboratory acceptance");
  CHECK(verdicts.summary.not_applicable == 0);
  CHECK(verdicts.summary.open == 1);
}

TEST_CASE("A case that is out does not count where another of the requirement is in") {
  auto out = case_of("out", ending({kPass}));
  out.applies = "false";
  const auto plan = plan_of({out, case_of("in", ending({kPass}))});
  const auto verdicts = judged(plan);
  CHECK(verdicts.requirements.at(0).cases.at(0).verdict == Verdict::not_applicable);
  CHECK(verdicts.requirements.at(0).verdict == kPass);
}

TEST_CASE("A finding that proves the defect reopens a case that was N/A as FAIL") {
  const auto verdicts = judged(conditional(case_of("c", ending({kFail}))), without_passwords());
  CHECK(first_case(verdicts).verdict == kFail);
  CHECK(first_case(verdicts).because.find("contradicts the N/A") == 0);
  CHECK(verdicts.requirements.at(0).verdict == kFail);
}

TEST_CASE("A finding that a person has to close reopens a case that was N/A without proving the defect") {
  auto units = ending({kFail});
  units[0].closes = Closes::assessor;
  const auto verdicts = judged(conditional(case_of("c", units)), without_passwords());
  CHECK(first_case(verdicts).verdict == kOpen);
  CHECK(first_case(verdicts).because.find("contradicts the N/A") == 0);
}

TEST_CASE("Our own error in a case that is N/A is not hidden") {
  CHECK(first_case(judged(conditional(case_of("c", ending({kError}))), without_passwords())).verdict == kError);
}

TEST_CASE("Where applicability is not known a case is open unless it finds something") {
  CHECK(first_case(judged(conditional(case_of("c", ending({kPass}))))).verdict == kOpen);
  CHECK(first_case(judged(conditional(case_of("c", ending({kFail}))))).verdict == kFail);
}

TEST_CASE("The summary counts requirements and machine units and makes no other statement") {
  auto plan = plan_of({case_of("c", ending({kPass})), case_of("d", ending({kFail}), "S@1:5.1-2")});
  plan.requirements.push_back(requirement("S@1:5.1-2"));
  plan.requirements.push_back(requirement("S@1:5.1-3"));
  plan.requirements.push_back(requirement("S@1:5.1-4"));
  plan.cases.push_back(case_of("e", ending({kError}), "S@1:5.1-4"));
  auto proposed = ending("z", kPass);
  proposed.closes = Closes::assessor;
  plan.cases[0].units.push_back(proposed);
  plan.cases[0].quantifier = Quantifier::any;
  const auto summary = judged(plan).summary;
  CHECK(summary.plan == "p/1");
  CHECK(summary.draft);
  CHECK(summary.requirements == 4);
  CHECK(summary.machine_units == 3);
  CHECK(summary.machine_units_passed == 1);
  CHECK(summary.statement == "1 of 4 requirements evidenced, 1 failed, 1 open, 1 ended in an error of ours");
  plan.approval = Approval{};
  CHECK_FALSE(judged(plan).summary.draft);
}

TEST_CASE("Requirements, cases and units keep the order of the plan") {
  auto plan = plan_of({case_of("z", ending({kPass, kFail})), case_of("a", ending({kPass}))});
  const auto verdicts = judged(plan);
  REQUIRE(verdicts.requirements.at(0).cases.size() == 2);
  CHECK(verdicts.requirements[0].cases[0].id == "z");
  CHECK(verdicts.requirements[0].cases[0].units[1].id == "z/b");
  CHECK(verdicts.requirements[0].cases[1].id == "a");
}

namespace {

Inherited certificate() {
  return {"C-1", "CLS-Ready", "Module", "1.2", "2026-01-01", "2026-11-23", {"S@1:5.1-1"}, "Example Laboratory", "", ""};
}

}  // namespace

TEST_CASE("inherited evidence settles what is open, is named, and is never the machine's own PASS") {
  auto device = dut();
  device.inherits = {certificate()};
  const auto verdicts = judged(plan_of({case_of("c", ending({kUntested, kOpen, kPass}))}), device);
  const auto& requirement = verdicts.requirements.at(0);
  CHECK(requirement.verdict == Verdict::pass);
  CHECK(requirement.because == "1 of 1 cases pass, 1 by inherited evidence");
  CHECK(word_for(requirement.verdict, requirement.inherited) == "PASS (inherited)");
  const auto& units = requirement.cases.at(0).units;
  CHECK(
      units[0].because.starts_with("inherited: certificate C-1 (CLS-Ready) of Module 1.2, accepted by Example "
                                   "Laboratory; this run alone would say NOT_TESTED"));
  CHECK(units[1].inherited.size() == 1);
  CHECK(units[2].inherited.empty());
  CHECK(verdicts.summary.machine_units == 2);
  CHECK(verdicts.summary.machine_units_passed == 1);
  CHECK(verdicts.summary.statement == "1 of 1 requirements evidenced (1 with inherited evidence), 0 failed, 0 open");
}

TEST_CASE("inherited evidence never covers a finding, a fault of ours, or an unconfirmed requirement") {
  auto device = dut();
  device.inherits = {certificate()};
  CHECK(judged(plan_of({case_of("c", ending({kFail, kUntested}))}), device).requirements[0].verdict == kFail);
  CHECK(judged(plan_of({case_of("c", ending({kError}))}), device).requirements[0].verdict == kError);
  auto plan = plan_of({case_of("c", ending({kUntested}))});
  plan.requirements[0].strength = Strength::unconfirmed;
  CHECK(judged(plan, device).requirements[0].verdict == kUntested);
  CHECK(judged(plan, device).summary.inherited.empty());
}

TEST_CASE("inherited evidence that is expired, not accepted, too young or for another clause does not count") {
  const auto plan = plan_of({case_of("c", ending({kUntested}))});
  const auto with = [&](const Inherited& entry) {
    auto device = dut();
    device.inherits = {entry};
    return judged(plan, device).requirements[0].verdict;
  };
  CHECK(with(certificate()) == kPass);
  auto entry = certificate();
  entry.expires = "2026-11-22";
  CHECK(with(entry) == kUntested);
  CHECK(ignored_because(entry, "2026-11-23T00:00:00Z") == "it expired on 2026-11-22");
  entry = certificate();
  entry.issued = "2026-11-24";
  CHECK(with(entry) == kUntested);
  entry = certificate();
  entry.accepted_by.clear();
  CHECK(with(entry) == kUntested);
  auto device = dut();
  device.inherits = {entry};
  CHECK(run_plan(plan, device).assumptions.at(0) ==
        "Inherited evidence does not count, no laboratory has accepted it: certificate C-1 (CLS-Ready) of Module 1.2.");
  entry = certificate();
  entry.clauses = {"S@1:5.1-2"};
  CHECK(with(entry) == kUntested);
  entry.clauses = {"c"};  // a case
  CHECK(with(entry) == kPass);
}

TEST_CASE("what earlier versions wrote keeps its bytes: no inherited evidence, no member of that name") {
  const auto verdicts = judged(plan_of({case_of("c", ending({kPass}))}));
  CHECK(canonical(to_json(verdicts)).find("inherited") == std::string::npos);
  Verdicts read;
  REQUIRE(from_json(to_json(verdicts), read));
  CHECK(read == verdicts);
}

TEST_CASE("a plan that needs a key of the device does not run while it is unknown") {
  auto plan = plan_of({case_of("c", ending({kPass}))});
  plan.needs = {"managed"};
  const auto made = make_run_plan(plan, dut(), catalogue(), options());
  REQUIRE(!made);
  CHECK(made.error().what ==
        "plan p/1 needs device.managed in the DUT file, and it is unknown there: say retail or isp");
  auto device = dut();
  device.device.managed = "isp";
  CHECK(make_run_plan(plan, device, catalogue(), options()));
}
