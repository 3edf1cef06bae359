#include "harness/judge/crosswalk.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/harness/judge/bench.hpp"

using namespace assay;
using namespace assay::bench;

namespace {

/// A plan of another scheme over the bench's cases: its pass line is a parameter.
Plan other_plan(json::array allowed) {
  auto unit = sweep_unit();
  unit.fail = R"jq(.run.parameters.allowed as $allowed | obs("sweep") | fact("sweep.open"; [])[] | select(. as $port
    | $allowed | index($port) == null) | {what: "\(.) is open", endpoint: .})jq";
  auto plan = plan_of({case_of("c", {unit})});
  plan.id = "far/1";
  plan.requirements.front().strength = Strength::sourced;
  plan.parameters["allowed"] = std::move(allowed);
  return plan;
}

CrosswalkPlan elsewhere(const Plan& plan, const CrosswalkData& data = {}, const Dut& device = dut()) {
  const auto run = run_plan(plan, device);
  const std::vector<Observation> seen = {swept(run, {"tcp/80", "tcp/22"})};
  return judge_elsewhere(run, data, seen, finished());
}

std::vector<ClosedBy> closed_by(const CrosswalkRow& row) {
  std::vector<ClosedBy> out;
  for (const auto& closer : row.closes) {
    out.push_back(closer.by);
  }
  return out;
}

}  // namespace

TEST_CASE("crosswalk: the same observation gives what each plan's own pass line says") {
  const auto strict = elsewhere(other_plan({"tcp/80"}));
  CHECK(strict.rows.at(0).verdict == Verdict::fail);
  CHECK(strict.rows.at(0).findings.size() == 1);
  CHECK(strict.rows.at(0).closes.empty());
  CHECK(strict.statement == "evidence for 0 of 1 requirements, 0 open, 1 failed");
  const auto lax = elsewhere(other_plan({"tcp/80", "tcp/22"}));
  CHECK(lax.rows.at(0).verdict == Verdict::pass);
  CHECK(lax.rows.at(0).observations == std::vector<std::string>{"o1"});
  CHECK(lax.statement == "evidence for 1 of 1 requirements, 0 open");
}

TEST_CASE("crosswalk: a probe that ran otherwise, or never, closes what is open") {
  auto plan = other_plan({});
  const auto as_run = run_plan(plan);
  const std::vector<Observation> seen = {swept(as_run, {"tcp/80"})};
  plan.cases[0].units[0].observe[0].with["range"] = "1-1024";
  const auto judged = judge_elsewhere(run_plan(plan), {}, seen, finished());
  CHECK(judged.rows.at(0).verdict == Verdict::inconclusive);
  CHECK(closed_by(judged.rows.at(0)) == std::vector<ClosedBy>{ClosedBy::probe, ClosedBy::probe});
}

TEST_CASE("crosswalk: what is missing comes with who closes it, the same thing once with all its units") {
  auto first = sweep_unit();
  first.inconclusive = "{what: \"IXIT 15-Intf does not say what tcp/80 is for\"}";
  first.manual = ManualStep{};
  first.manual->question = "Is it so?";
  first.manual->look_at = "the label";
  auto second = sweep_unit();
  second.id = "b";
  second.inconclusive = first.inconclusive;
  auto third = sweep_unit();
  third.id = "c";
  third.planned_probe = "tls";
  const auto plan = plan_of({case_of("c", {first, second, third})});
  const auto run = run_plan(plan);
  const std::vector<Observation> seen = {swept(run, {"tcp/80"})};
  const auto judged = judge_elsewhere(run, {}, seen, finished());
  const std::vector<Closer> expected = {
      {ClosedBy::build, "probe \"tls\" is not in this build", "", {"c/c"}},
      {ClosedBy::declaration, "IXIT 15-Intf does not say what tcp/80 is for", "", {"c/a", "c/b"}},
      {ClosedBy::hand, "Is it so?", "look at: the label", {"c/a"}},
  };
  CHECK(judged.rows.at(0).closes == expected);
}

TEST_CASE("crosswalk: claims and conditions are closed by the declaration, an N/A by the laboratory") {
  auto device = dut();
  device.ics["5.1-1"] = {Support::not_applicable, "no passwords"};
  auto plan = other_plan({"tcp/80", "tcp/22"});
  const auto refused = elsewhere(plan, {}, device);
  CHECK(closed_by(refused.rows.at(0)) == std::vector<ClosedBy>{ClosedBy::declaration});
  plan.requirements.front().condition = R"jq(support("5.1-1") != "N/A")jq";
  CHECK(closed_by(elsewhere(plan, {}, device).rows.at(0)) == std::vector<ClosedBy>{ClosedBy::laboratory});
  plan.requirements.front().condition.clear();
  plan.cases.front().applies = R"jq(any(ixit("1-AuthMech"); true))jq";
  CHECK(closed_by(elsewhere(plan).rows.at(0)) == std::vector<ClosedBy>{ClosedBy::declaration});
}

TEST_CASE("crosswalk: a plan that is not judged says why and nothing else") {
  ProductRule rule;
  rule.id = "r";
  rule.because = "Out of scope.";
  const auto kept_out = not_judged(other_plan({}), rule, "medical");
  CHECK(kept_out.suppressed == rule);
  CHECK(kept_out.statement == "not judged: the plan does not speak to product class medical");
  CHECK(kept_out.rows.empty());
  CHECK(kept_out.summary.requirements == 0);
  CHECK(kept_out.draft);
  const auto unknown = not_judged(other_plan({}), "it asks for device.managed");
  CHECK_FALSE(unknown.suppressed);
  CHECK(unknown.statement == "not judged: it asks for device.managed");
}

TEST_CASE("crosswalk: the mapping's row comes with its strength, and what is not confirmed stays open") {
  CrosswalkData data;
  data.rows = {{"S@1:5.1-1", {"E@1:1"}, "a gap", Strength::reasoned, "two texts"},
               {"S@1:5.1-2", {"E@1:2"}, "", Strength::sourced, "elsewhere"}};
  auto plan = other_plan({"tcp/80", "tcp/22"});
  plan.requirements.front().strength = Strength::unconfirmed;
  plan.scheme.document = "DOC-1";
  const auto judged = elsewhere(plan, data);
  const auto& row = judged.rows.at(0);
  CHECK(row.mapped == std::vector<MappingRow>{data.rows.front()});
  CHECK(row.verdict == Verdict::not_tested);
  CHECK(closed_by(row) == std::vector<ClosedBy>{ClosedBy::scheme});
  CHECK(row.closes.front().what.find("DOC-1") != std::string::npos);
}
