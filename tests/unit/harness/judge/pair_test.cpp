#include "tests/support/catch.hpp"
#include "tests/unit/harness/judge/bench.hpp"

using namespace assay;
using namespace assay::bench;

namespace {

json::object open_port(const std::string& endpoint) {
  return {{"endpoint", endpoint}};
}

/// A unit that sweeps before and after the trigger "off", which closes tcp/23.
RunPlan pair_plan(const std::vector<Endpoint>& closes = {{Transport::tcp, 23}}) {
  Unit unit;
  unit.id = "a";
  unit.observe = {sweep(), sweep()};
  unit.observe[0].alias = "before";
  unit.observe[1].alias = "after";
  unit.pair.push_back({"off", "", "", {"after"}});
  unit.needs = {"sweep.open"};
  unit.fail = R"(still_there(changes("sweep.open")))";
  unit.inconclusive = R"(pair_doubts(changes("sweep.open")))";
  auto device = dut();
  Recipe off;
  off.exec = "off";
  off.closes.assign(closes.begin(), closes.end());
  device.lab.triggers = {{"off", off}};
  return run_plan(plan_of({case_of("c", {unit})}), device);
}

UnitVerdict judged(const RunPlan& plan, json::array before, std::optional<json::array> after,
                   const RunFacts& facts = finished()) {
  std::vector<Observation> seen{swept(plan, std::move(before))};
  if (after) {
    seen.push_back(swept(plan, std::move(*after)));
    seen.back().id = "o2";
    seen.back().invocation.target.state = "initialised+off";
    seen.back().evidence["sweep.open"] = {"o2-digest"};
  }
  return first_unit(judge(plan, seen, facts));
}

}  // namespace

TEST_CASE("A port that closes with its service passes, one that stays open fails with both observations") {
  const auto plan = pair_plan();
  CHECK(judged(plan, {open_port("tcp/23"), open_port("tcp/80")}, json::array{open_port("tcp/80")}).verdict ==
        Verdict::pass);
  const auto failed = judged(plan, {open_port("tcp/23")}, json::array{open_port("tcp/23")});
  CHECK(failed.verdict == Verdict::fail);
  REQUIRE(failed.findings.size() == 1);
  CHECK(failed.findings[0].endpoint == "tcp/23");
  CHECK(failed.findings[0].what == "tcp/23 still answers from lan after the trigger off, which is to close it");
  CHECK(failed.findings[0].observations == std::vector<std::string>{"o1", "o2"});
  CHECK(failed.findings[0].evidence == std::vector<std::string>{"o1-digest", "o2-digest"});
}

TEST_CASE("A pair that shows nothing is no PASS") {
  const auto plan = pair_plan();
  const auto shut = judged(plan, {open_port("tcp/80")}, json::array{open_port("tcp/80")});
  CHECK(shut.verdict == Verdict::inconclusive);
  CHECK(judged(pair_plan({}), {open_port("tcp/23")}, json::array{}).verdict == Verdict::inconclusive);
  auto facts = finished();
  facts.unreached = {{"initialised+off", "it broke"}};
  const auto half = judged(plan, {open_port("tcp/23")}, std::nullopt, facts);
  CHECK(half.verdict == Verdict::not_tested);
  CHECK(half.open.at(0).what == "the device could not be brought to state initialised after the trigger off: it broke");
}

TEST_CASE("changes() tells what went, came and stayed, at one place at a time") {
  auto plan = pair_plan();
  auto& unit = plan.plan.cases[0].units[0];
  unit.fail =
      R"(changes("sweep.open") | {what: ([.gone, .appeared, .stayed] | map(map(.endpoint) | join(",")) | join(";"))})";
  const auto verdict =
      judged(plan, {open_port("tcp/1"), open_port("tcp/2")}, json::array{open_port("tcp/2"), open_port("tcp/3")});
  REQUIRE(verdict.findings.size() == 1);
  CHECK(verdict.findings[0].what == "tcp/1;tcp/3;tcp/2");
  unit.pair.clear();
  CHECK(judged(plan, {open_port("tcp/1")}, json::array{}).verdict == Verdict::error);
}

TEST_CASE("A pair without its trigger is not tested and says what is missing") {
  auto device = dut();
  auto plan = pair_plan().plan;
  const auto run = run_plan(plan, device);
  const auto unit = first_unit(judge(run, {}, finished()));
  CHECK(unit.verdict == Verdict::not_tested);
  CHECK(unit.open.at(0).what ==
        "the trigger off of this state pair was not pulled in this run: the DUT file has no trigger off");
}
