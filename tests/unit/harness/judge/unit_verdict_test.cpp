#include <functional>
#include <map>
#include <string>
#include <sys/wait.h>

#include "tests/support/catch.hpp"
#include "tests/unit/harness/judge/bench.hpp"

using namespace assay;
using namespace assay::bench;

namespace {

/// One row of the truth table: what the unit asks, what came back, and the verdict.
struct Row {
  std::string name;
  std::function<void(Unit&)> unit;
  std::function<void(Observation&)> seen;
  Verdict verdict;
  std::string because;  // part of the sentence
  bool ran = true;      // there is an observation
  RunFacts facts = finished();
  Intrusiveness allow = Intrusiveness::intrusive;
};

const std::function<void(Unit&)> kPlain = [](Unit&) {};
const std::function<void(Observation&)> kClean = [](Observation&) {};

void found(Observation& seen) {
  seen.facts["sweep.open"] = json::array{"tcp/23"};
}

std::function<void(Observation&)> ended(Completion completion, bool with_finding = false) {
  return [=](Observation& seen) {
    seen.completion = completion;
    seen.error = "because of it";
    if (with_finding) {
      found(seen);
    } else {
      seen.facts.clear();
    }
  };
}

std::function<void(Unit&)> with(const std::function<void(Unit&)>& change) {
  return change;
}

RunFacts interrupted() {
  return {};
}

RunFacts lost() {
  RunFacts out = finished();
  out.device_lost = true;
  out.lost_at = "2026-11-23T18:00:00Z";
  out.lost_after = "i7";
  return out;
}

Verdicts judge_row(const Row& row) {
  auto unit = sweep_unit();
  row.unit(unit);
  auto how = options();
  how.allow = row.allow;
  const auto plan = run_plan(plan_of({case_of("c", {unit})}), dut(), how);
  std::vector<Observation> seen;
  if (row.ran && !plan.targets.empty()) {
    seen.push_back(swept(plan, {"tcp/80"}));
    row.seen(seen.back());
  }
  return judge(plan, seen, row.facts);
}

std::vector<Row> table() {
  using C = Completion;
  const auto manual = [](Unit& unit) {
    unit.manual = ManualStep{};
    unit.manual->question = "Is it so?";
  };
  std::vector<Row> rows = {
      {"clean", kPlain, kClean, Verdict::pass, "nothing contradicts"},
      {"finding", kPlain, found, Verdict::fail, "open"},
      {"finding on an assessor's unit", [](Unit& unit) { unit.closes = Closes::assessor; }, found, Verdict::fail,
       "open"},
      {"finding where the unit cannot fail", [](Unit& unit) { unit.can_fail = false; }, found, Verdict::inconclusive,
       "open"},
      {"finding where the unit cannot pass", [](Unit& unit) { unit.can_pass = false; }, found, Verdict::fail, "open"},
      {"finding before an error", [](Unit& unit) { unit.fail += " , (\"a\" + 1)"; }, found, Verdict::fail, "open"},
      {"error", [](Unit& unit) { unit.fail = "\"a\" + 1"; }, kClean, Verdict::error, "cannot be added"},
      {"error in inconclusive", [](Unit& unit) { unit.inconclusive = "\"a\" + 1"; }, kClean, Verdict::error,
       "cannot be added"},
      {"error and missing fact", [](Unit& unit) { unit.inconclusive = "\"a\" + 1"; }, ended(C::timed_out),
       Verdict::error, "cannot be added"},
      {"needs what no probe declares", [](Unit& unit) { unit.needs = {"sweep.typo"}; }, kClean, Verdict::error,
       "no probe of it declares"},
      {"absent fact counts as settled", with([](Unit& unit) {
         unit.needs = {"sweep.open", "sweep.doubtful"};
       }),
       [](Observation& seen) { seen.absent = {"sweep.doubtful"}; }, Verdict::pass, ""},
      {"unobserved fact", with([](Unit& unit) { unit.needs = {"sweep.doubtful"}; }),
       [](Observation& seen) { seen.unobserved["sweep.doubtful"] = "too fast"; }, Verdict::inconclusive, "too fast"},
      {"fact that is in none of the three", with([](Unit& unit) { unit.needs = {"sweep.doubtful"}; }), kClean,
       Verdict::inconclusive, "sweep.doubtful"},
      {"fact read and not observed, though not needed",
       [](Unit& unit) { unit.fail = "obs(\"sweep\") | fact(\"sweep.doubtful\") | empty"; }, kClean,
       Verdict::inconclusive, "sweep.doubtful"},
      {"inconclusive item", [](Unit& unit) { unit.inconclusive = "{what: \"a doubt\"}"; }, kClean,
       Verdict::inconclusive, "a doubt"},
      {"needed coverage is there", [](Unit& unit) { unit.needs = {"coverage.tcp"}; },
       [](Observation& seen) {
         seen.coverage["tcp"] = json::object{{"asked", 1}};
       },
       Verdict::pass, ""},
      {"needed coverage is not there", [](Unit& unit) { unit.needs = {"coverage.tcp"}; }, kClean, Verdict::inconclusive,
       "coverage.tcp"},
      {"IXIT that is not declared", [](Unit& unit) { unit.fail = "ixit(\"15-Intf\") | empty"; }, kClean,
       Verdict::inconclusive, "IXIT 15-Intf"},
      {"declared() on a table that is not declared",
       [](Unit& unit) { unit.fail = "select(declared(\"15-Intf\"; \"tcp/1\") == \"no\")"; }, kClean,
       Verdict::inconclusive, "IXIT 15-Intf"},
      {"cannot pass", [](Unit& unit) { unit.can_pass = false; }, kClean, Verdict::not_tested, "nothing contradicts it"},
      {"assessor closes", [](Unit& unit) { unit.closes = Closes::assessor; }, kClean, Verdict::not_tested,
       "PASS proposed"},
      {"manual beside a machine part", manual, kClean, Verdict::not_tested, "Is it so?"},
      {"says nothing to look for",
       [](Unit& unit) {
         unit.fail = "";
         unit.needs.clear();
       },
       kClean, Verdict::not_tested, "what to look for"},
      {"planned probe", [](Unit& unit) { unit.planned_probe = "update"; }, kClean, Verdict::not_tested, "update"},
      {"never ran", kPlain, kClean, Verdict::inconclusive, "left no observation", false},
      {"interrupted before", kPlain, kClean, Verdict::not_tested, "the run was interrupted before sweep ran", false,
       interrupted()},
      {"device lost before", kPlain, kClean, Verdict::inconclusive,
       "the device stopped answering at 2026-11-23T18:00:00Z after i7, before sweep ran", false, lost()},
      {"device lost during", kPlain, ended(C::device_lost, true), Verdict::inconclusive, "cannot be believed", true,
       lost()},
      {"complete before the device was lost", kPlain, kClean, Verdict::pass, "", true, lost()},
      {"not intrusive enough a run",
       [](Unit& unit) {
         unit.observe = {{"s", "spend", "", {}, ""}};
         unit.needs = {"spend.done"};
         unit.fail = "empty";
       },
       kClean, Verdict::not_tested, "is destructive and this run allows intrusive at most", false},
      {"sample that may not be spent",
       [](Unit& unit) {
         unit.observe = {{"s", "spend", "", {}, ""}};
         unit.needs = {"spend.done"};
         unit.fail = "empty";
       },
       kClean, Verdict::not_tested, "sample A may not be spent", false, finished(), Intrusiveness::destructive},
  };
  // Three kinds of "no" by completion: a missing fact keeps it open, a fact that was settled before the end counts.
  for (const auto completion : {C::refused, C::unreachable, C::reset, C::timed_out}) {
    const auto name = enum_name(completion);
    rows.push_back({name + ", nothing settled", kPlain, ended(completion), Verdict::inconclusive, "because of it"});
    rows.push_back({name + ", settled before", kPlain, [=](Observation& seen) { seen.completion = completion; },
                    Verdict::pass, ""});
    rows.push_back({name + ", absent before", kPlain,
                    [=](Observation& seen) {
                      seen.completion = completion;
                      seen.facts.clear();
                      seen.absent = {"sweep.open"};
                    },
                    Verdict::pass, ""});
    rows.push_back({name + ", finding before", kPlain, ended(completion, true), Verdict::fail, "open"});
  }
  rows.push_back({"cancelled, settled before", kPlain, [](Observation& seen) { seen.completion = C::cancelled; },
                  Verdict::inconclusive, "cut short"});
  rows.push_back({"cancelled, finding before", kPlain, ended(C::cancelled, true), Verdict::fail, "open"});
  rows.push_back({"denied", kPlain, ended(C::denied), Verdict::not_tested, "not allowed"});
  rows.push_back({"denied, finding before", kPlain, ended(C::denied, true), Verdict::fail, "open"});
  rows.push_back({"harness fault", kPlain, ended(C::harness_fault), Verdict::error, "our own fault"});
  rows.push_back({"harness fault, settled before", kPlain,
                  [](Observation& seen) { seen.completion = C::harness_fault; }, Verdict::error, "our own fault"});
  rows.push_back({"harness fault, finding before", kPlain, ended(C::harness_fault, true), Verdict::fail, "open"});
  return rows;
}

bool no_child_left() {
  return ::waitpid(-1, nullptr, WNOHANG) == -1;
}

}  // namespace

TEST_CASE("The verdict of a unit follows the truth table") {
  for (const auto& row : table()) {
    CAPTURE(row.name);
    const auto verdicts = judge_row(row);
    const auto& unit = first_unit(verdicts);
    CAPTURE(unit.because);
    CHECK(word_for(unit.verdict) == word_for(row.verdict));
    CHECK(unit.because.find(row.because) != std::string::npos);
    CHECK(unit.findings.empty() == (row.verdict != Verdict::fail));
    if (row.verdict != Verdict::pass && row.verdict != Verdict::fail) {
      CHECK_FALSE(unit.because.empty());
    }
  }
}

TEST_CASE("Everything that is missing names who or what closes it, a finding against the device does not") {
  const std::map<std::string, ClosedBy> expected = {
      {"finding where the unit cannot fail", ClosedBy::evidence},
      {"error", ClosedBy::harness},
      {"needs what no probe declares", ClosedBy::harness},
      {"harness fault", ClosedBy::harness},
      {"unobserved fact", ClosedBy::evidence},
      {"inconclusive item", ClosedBy::evidence},
      {"device lost before", ClosedBy::evidence},
      {"IXIT that is not declared", ClosedBy::declaration},
      {"declared() on a table that is not declared", ClosedBy::declaration},
      {"cannot pass", ClosedBy::hand},
      {"assessor closes", ClosedBy::hand},
      {"manual beside a machine part", ClosedBy::hand},
      {"planned probe", ClosedBy::build},
      {"never ran", ClosedBy::probe},
      {"interrupted before", ClosedBy::probe},
      {"cancelled, settled before", ClosedBy::probe},
      {"not intrusive enough a run", ClosedBy::probe},
      {"sample that may not be spent", ClosedBy::probe},
      {"denied", ClosedBy::probe},
  };
  std::size_t met = 0;
  for (const auto& row : table()) {
    CAPTURE(row.name);
    const auto unit = first_unit(judge_row(row));
    const bool open = unit.verdict != Verdict::pass && unit.verdict != Verdict::fail;
    CHECK((!open || !unit.open.empty()));
    for (const auto& missing : unit.open) {
      CHECK(missing.closed_by.size() == 1);
    }
    for (const auto& finding : unit.findings) {
      CHECK(finding.closed_by.empty());
    }
    if (const auto found_row = expected.find(row.name); found_row != expected.end()) {
      ++met;
      CHECK(enum_name(unit.open.at(0).closed_by.at(0)) == enum_name(found_row->second));
    }
  }
  CHECK(met == expected.size());
}

TEST_CASE("The same run plan and observations give the same bytes twice") {
  const auto plan = run_plan(plan_of({case_of("c", {telnet_unit()}), case_of("d", {sweep_unit()})}));
  const std::vector<Observation> seen = {swept(plan, {"tcp/23", "tcp/80"}), looked(plan, "o2", "tcp/23", "telnet"),
                                         looked(plan, "o3", "tcp/80", "http")};
  const auto first = json::serialize(to_json(judge(plan, seen, finished())));
  CHECK(first == json::serialize(to_json(judge(plan, seen, finished()))));
  const auto stored = parse_json(json::serialize(to_json(plan)), "runplan.json");
  REQUIRE(stored.has_value());
  RunPlan read;
  REQUIRE(from_json(*stored, read).has_value());
  CHECK(first == json::serialize(to_json(judge(read, seen, finished()))));
}

TEST_CASE("No hostile expression passes, and none of them takes the judge along") {
  const std::vector<std::string> heavy = {"def f: f; f", "def f: 1 + f; f", "[range(1e9)]"};
  const std::vector<std::string> programs = {"halt",
                                             "env",
                                             "input",
                                             "1 +",
                                             "nonsense(",
                                             "error(null)",
                                             "$ENV | empty",
                                             R"(try fact("x"))",
                                             R"(fact("x")?)",
                                             R"(fact("x") // "default" | empty)",
                                             R"(attempt(fact("x")) | empty)",
                                             R"(obs("nobody"))",
                                             R"(support("9.9-9") | empty)",
                                             R"(.obs.sweep[].facts | empty)",
                                             R"(obs("sweep") | fact("sweep.opne"))",
                                             R"(fact("sweep.doubtful") // "default" | empty)",
                                             R"(attempt(obs("sweep") | fact("sweep.doubtful")) | empty)",
                                             R"(obs("sweep") | select(fact("sweep.doubtful") < 5))"};
  std::vector<Unit> units;
  const auto add = [&](const std::string& program, std::string Unit::*member) {
    auto unit = sweep_unit();
    unit.id = "u" + std::to_string(units.size());
    unit.*member = program;
    units.push_back(unit);
  };
  for (const auto& program : programs) {
    add(program, &Unit::fail);
    add(program, &Unit::inconclusive);
  }
  for (const auto& program : heavy) {
    add(program, &Unit::fail);
  }
  add("empty", &Unit::fail);
  const auto plan = run_plan(plan_of({case_of("c", units)}));
  const auto seen = swept(plan, {"tcp/80"});
  const auto verdicts = judge(plan, {&seen, 1}, finished());
  const auto& judged = first_case(verdicts).units;
  REQUIRE(judged.size() == units.size());
  for (std::size_t i = 0; i + 1 < units.size(); ++i) {
    CAPTURE(units[i].fail, units[i].inconclusive, judged[i].because);
    CHECK((judged[i].verdict == Verdict::error || judged[i].verdict == Verdict::inconclusive));
  }
  CHECK(judged.back().verdict == Verdict::pass);
  CHECK(first_case(verdicts).verdict == Verdict::error);
  CHECK(verdicts.summary.evidenced == 0);
  CHECK(no_child_left());
}

TEST_CASE("An expanded unit has one verdict for each endpoint and sees only its own") {
  const auto plan = run_plan(plan_of({case_of("c", {telnet_unit()})}));
  const std::vector<Observation> seen = {swept(plan, {"tcp/23", "tcp/80"}), looked(plan, "o2", "tcp/23", "telnet"),
                                         looked(plan, "o3", "tcp/80", "http")};
  const auto verdicts = judge(plan, seen, finished());
  const auto& units = first_case(verdicts).units;
  REQUIRE(units.size() == 2);
  CHECK(units[0].id == "c/a/tcp/23");
  CHECK(units[0].verdict == Verdict::fail);
  REQUIRE(units[0].findings.size() == 1);
  CHECK(units[0].findings[0].what == "telnet on tcp/23");
  CHECK(units[0].findings[0].endpoint == "tcp/23");
  CHECK(units[0].findings[0].evidence == std::vector<std::string>{"o2-digest"});
  CHECK(units[0].findings[0].observations == std::vector<std::string>{"o2"});
  CHECK(units[1].id == "c/a/tcp/80");
  CHECK(units[1].verdict == Verdict::pass);
  CHECK(units[1].observations == std::vector<std::string>{"o1", "o3"});
  CHECK(first_case(verdicts).verdict == Verdict::fail);
}

TEST_CASE("Zero expanded endpoints are never a PASS") {
  const auto plan = run_plan(plan_of({case_of("c", {telnet_unit()})}));
  const std::vector<Observation> seen = {swept(plan, {})};
  const auto verdicts = judge(plan, seen, finished());
  REQUIRE(first_case(verdicts).units.size() == 1);
  CHECK(first_unit(verdicts).verdict == Verdict::inconclusive);
  CHECK(first_unit(verdicts).because == "no endpoint was found to judge");
}

TEST_CASE("An expanded endpoint without a result keeps the unit open") {
  const auto plan = run_plan(plan_of({case_of("c", {telnet_unit()})}));
  const std::vector<Observation> seen = {swept(plan, {"tcp/80", "tcp/81"}), looked(plan, "o2", "tcp/80", "http")};
  const auto verdicts = judge(plan, seen, finished());
  REQUIRE(first_case(verdicts).units.size() == 2);
  CHECK(first_case(verdicts).units[0].verdict == Verdict::pass);
  CHECK(first_case(verdicts).units[1].verdict == Verdict::inconclusive);
  CHECK(first_case(verdicts).verdict == Verdict::inconclusive);
  const auto interrupted_run = judge(plan, seen, interrupted());
  CHECK(first_case(interrupted_run).units[1].verdict == Verdict::not_tested);
}

TEST_CASE("A sweep that did not settle its ports leaves the rest of the expanded unit open") {
  const auto plan = run_plan(plan_of({case_of("c", {telnet_unit()})}));
  auto sweep = swept(plan, {"tcp/80"});
  sweep.completion = Completion::cancelled;
  const std::vector<Observation> seen = {sweep, looked(plan, "o2", "tcp/80", "http")};
  const auto verdicts = judge(plan, seen, finished());
  REQUIRE(first_case(verdicts).units.size() == 2);
  CHECK(first_case(verdicts).units[0].verdict == Verdict::pass);
  CHECK(first_case(verdicts).units[1].id == "c/a");
  CHECK(first_case(verdicts).units[1].verdict == Verdict::inconclusive);
}

TEST_CASE("A declared endpoint that was not found is named and keeps the unit open") {
  auto unit = telnet_unit();
  unit.expect = "ixit(\"15-Intf\") | .port";
  auto device = dut();
  device.ixit["15-Intf"] = {json::object{{"port", "tcp/443"}}, json::object{{"port", "tcp/80"}}};
  const auto plan = run_plan(plan_of({case_of("c", {unit})}), device);
  const std::vector<Observation> seen = {swept(plan, {"tcp/80"}), looked(plan, "o2", "tcp/80", "http")};
  const auto verdicts = judge(plan, seen, finished());
  REQUIRE(first_case(verdicts).units.size() == 2);
  CHECK(first_case(verdicts).units[1].verdict == Verdict::inconclusive);
  CHECK(first_case(verdicts).units[1].because ==
        "tcp/443 is declared and was not found from lan, so it was not judged");
  unit.expect = "ixit(\"1-AuthMech\") | .port";
  const auto undeclared = run_plan(plan_of({case_of("c", {unit})}), device);
  CHECK(first_case(judge(undeclared, seen, finished())).units[1].because == "IXIT 1-AuthMech (not declared)");
  unit.expect = "\"nonsense\"";
  const auto wrong = run_plan(plan_of({case_of("c", {unit})}), device);
  CHECK(first_case(judge(wrong, seen, finished())).units[1].verdict == Verdict::error);
}

TEST_CASE("An expansion that fails is our error, one that misses facts names them") {
  auto unit = telnet_unit();
  unit.observe[1].for_each = "\"not an endpoint\"";
  auto plan = run_plan(plan_of({case_of("c", {unit})}));
  std::vector<Observation> seen = {swept(plan, {"tcp/80"})};
  CHECK(first_unit(judge(plan, seen, finished())).verdict == Verdict::error);
  unit.observe[1].for_each = "(obs(\"sweep\") | select(observed(\"sweep.doubtful\")) | empty), \"tcp/80\"";
  plan = run_plan(plan_of({case_of("c", {unit})}));
  seen = {swept(plan, {"tcp/80"}), looked(plan, "o2", "tcp/80", "http")};
  const auto verdicts = judge(plan, seen, finished());
  REQUIRE(first_case(verdicts).units.size() == 2);
  CHECK(first_case(verdicts).units[0].because.find("sweep.sweep.doubtful on the device") != std::string::npos);
  CHECK(first_case(verdicts).units[1].verdict == Verdict::inconclusive);
}

TEST_CASE("Several targets give verdicts of their own that cannot be confused") {
  auto device = dut();
  device.samples.push_back(device.samples.front());
  device.samples[1].id = "B";
  device.samples[1].at = {{"lan", {"192.0.2.6"}}};
  const auto plan = run_plan(plan_of({case_of("c", {telnet_unit()})}), device);
  REQUIRE(plan.targets.size() == 2);
  const std::vector<Observation> seen = {swept(plan, {"tcp/23"}), looked(plan, "o2", "tcp/23", "ssh"),
                                         swept(plan, {"tcp/23"}, 1), looked(plan, "o4", "tcp/23", "telnet", 1)};
  const auto verdicts = judge(plan, seen, finished());
  REQUIRE(first_case(verdicts).units.size() == 2);
  CHECK(first_case(verdicts).units[0].id == "c/a/tcp/23@A/lan/192.0.2.5");
  CHECK(first_case(verdicts).units[0].verdict == Verdict::pass);
  CHECK(first_case(verdicts).units[1].id == "c/a/tcp/23@B/lan/192.0.2.6");
  CHECK(first_case(verdicts).units[1].verdict == Verdict::fail);
}

TEST_CASE("What this run cannot reach is NOT_TESTED and says so, findings count all the same") {
  auto test_case = case_of("c", {sweep_unit()});
  test_case.vantages = {"lan", "wan"};
  auto plan = run_plan(plan_of({test_case}));
  auto seen = swept(plan, {"tcp/80"});
  auto unit = first_unit(judge(plan, {&seen, 1}, finished()));
  CHECK(unit.verdict == Verdict::not_tested);
  CHECK(unit.because == "vantage wan is not available in this run");
  seen = swept(plan, {"tcp/23"});
  CHECK(first_unit(judge(plan, {&seen, 1}, finished())).verdict == Verdict::fail);
  test_case.vantages = {"wan"};
  CHECK(first_unit(judge(run_plan(plan_of({test_case})), {}, finished())).verdict == Verdict::not_tested);
  test_case.vantages = {"lan"};
  test_case.samples = 2;
  plan = run_plan(plan_of({test_case}));
  seen = swept(plan, {"tcp/80"});
  CHECK(first_unit(judge(plan, {&seen, 1}, finished())).because == "needs 2 samples of the model, 1 could be reached");
  test_case.samples = 1;
  test_case.states = {"factory"};
  CHECK(first_unit(judge(run_plan(plan_of({test_case})), {}, finished())).because ==
        "the device was not in state factory in this run");
}

TEST_CASE("Findings take what the expression says, keep one of equal ones, and fill in the rest") {
  auto unit = sweep_unit();
  unit.fail =
      R"("plain", {what: "full", endpoint: "tcp/9", expected: 1, observed: null, evidence: "d1", observation: "o9"},
                 {what: "full", endpoint: "tcp/9", expected: 1, observed: null, evidence: "d1", observation: "o9"},
                 {what: "read", observed: fact("sweep.open")})";
  const auto plan = run_plan(plan_of({case_of("c", {unit})}));
  const auto seen = swept(plan, {"tcp/80"});
  const auto findings = first_unit(judge(plan, {&seen, 1}, finished())).findings;
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].what == "plain");
  CHECK(findings[0].evidence == std::vector<std::string>{"o1-digest"});
  CHECK(findings[1].expected == "1");
  CHECK(findings[1].observed.empty());
  CHECK(findings[1].evidence == std::vector<std::string>{"d1"});
  CHECK(findings[1].observations == std::vector<std::string>{"o9"});
  CHECK(findings[2].observed == R"(["tcp/80"])");
}

TEST_CASE("The last observation of an invocation counts") {
  const auto plan = run_plan(plan_of({case_of("c", {sweep_unit()})}));
  auto first = swept(plan, {});
  first.completion = Completion::cancelled;
  first.facts.clear();
  auto second = swept(plan, {"tcp/80"});
  second.id = "o2";
  const std::vector<Observation> seen = {first, second};
  const auto unit = first_unit(judge(plan, seen, finished()));
  CHECK(unit.verdict == Verdict::pass);
  CHECK(unit.observations == std::vector<std::string>{"o2"});
}

TEST_CASE("judge_document is what the expressions of the unit see") {
  const auto plan = run_plan(plan_of({case_of("c", {telnet_unit()})}));
  const std::vector<Observation> seen = {swept(plan, {"tcp/23", "tcp/80"}), looked(plan, "o2", "tcp/23", "telnet"),
                                         looked(plan, "o3", "tcp/80", "http")};
  const auto whole = judge_document(plan, "c/a", seen);
  CHECK(whole.at("obs").at("look").as_array().size() == 2);
  CHECK(whole.at("run").at("date") == "2026-11-23T00:00:00Z");
  CHECK(whole.at("specs").at("look").as_array().size() == 2);
  CHECK(whole.at("names").at("ixit").as_array().size() == 2);
  const auto one = judge_document(plan, "c/a/tcp/80", seen);
  REQUIRE(one.at("obs").at("look").as_array().size() == 1);
  CHECK(one.at("obs").at("look").as_array()[0].at("id") == "o3");
  CHECK(one.at("obs").at("sweep").as_array().size() == 1);
}
