// What people state, and what it does to verdicts: the table of docs/verdicts.md, "People".
#include "harness/model/waivers.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/harness/judge/bench.hpp"

using namespace assay;
using namespace assay::bench;

namespace {

const Person kTester{"Mei Tan", "Example Laboratory", ""};
const Person kReviewer{"Sofia Berg", "Example Laboratory", ""};

/// A unit that ends with this verdict without any probe.
Unit ending(Verdict verdict) {
  Unit unit;
  unit.id = "a";
  unit.fail = verdict == Verdict::fail ? "\"a defect\"" : "empty";
  unit.inconclusive = verdict == Verdict::inconclusive ? "\"a doubt\"" : "";
  unit.can_pass = verdict != Verdict::not_tested;
  return unit;
}

Answer answer(Verdict verdict, bool overrides = false, std::int64_t sequence = 10) {
  Answer out;
  out.sequence = sequence;
  out.unit = "c/a";
  out.verdict = verdict;
  out.rationale = "Seen on the bench.";
  out.overrides = overrides;
  out.author = kTester;
  return out;
}

Review review(Decision decision, const Person& author = kReviewer, std::int64_t of = 10) {
  Review out;
  out.sequence = of + 100;
  out.of = of;
  out.decision = decision;
  out.comment = "Not so.";
  out.author = author;
  return out;
}

Verdicts judged(Verdict machine, const HumanRecord& record) {
  return judge(run_plan(plan_of({case_of("c", {ending(machine)})})), {}, finished(), record);
}

struct Row {
  const char* name;
  Verdict machine;
  HumanRecord record;
  Verdict verdict;
  Standing standing;
};

}  // namespace

TEST_CASE("an answer closes what is open, an override counts once somebody else has confirmed it") {
  const auto pass = answer(Verdict::pass);
  const auto over = answer(Verdict::pass, true);
  const auto yes = review(Decision::confirmed);
  const auto no = review(Decision::disputed);
  const auto own = review(Decision::confirmed, {"  mei   TAN", "", ""});
  const Row rows[] = {
      {"open, answered", Verdict::not_tested, {{pass}, {}, {}, {}}, Verdict::pass, Standing::counts},
      {"open, answered FAIL",
       Verdict::not_tested,
       {{answer(Verdict::fail)}, {}, {}, {}},
       Verdict::fail,
       Standing::counts},
      {"open, answered, confirmed", Verdict::not_tested, {{pass}, {}, {yes}, {}}, Verdict::pass, Standing::counts},
      {"open, answered, disputed",
       Verdict::not_tested,
       {{pass}, {}, {no}, {}},
       Verdict::inconclusive,
       Standing::disputed},
      {"disputed, then confirmed", Verdict::not_tested, {{pass}, {}, {no, yes}, {}}, Verdict::pass, Standing::counts},
      {"disputed by the author himself",
       Verdict::not_tested,
       {{pass}, {}, {review(Decision::disputed, kTester)}, {}},
       Verdict::pass,
       Standing::counts},
      {"override of a FAIL, not reviewed", Verdict::fail, {{over}, {}, {}, {}}, Verdict::fail, Standing::awaits_review},
      {"override of a FAIL, confirmed by its author",
       Verdict::fail,
       {{over}, {}, {own}, {}},
       Verdict::fail,
       Standing::awaits_review},
      {"override of a FAIL, confirmed", Verdict::fail, {{over}, {}, {yes}, {}}, Verdict::pass, Standing::counts},
      {"override of a FAIL, disputed", Verdict::fail, {{over}, {}, {no}, {}}, Verdict::fail, Standing::disputed},
      {"override of a PASS, confirmed",
       Verdict::pass,
       {{answer(Verdict::fail, true)}, {}, {yes}, {}},
       Verdict::fail,
       Standing::counts},
      {"goes against a doubt without saying so",
       Verdict::inconclusive,
       {{pass}, {}, {yes}, {}},
       Verdict::inconclusive,
       Standing::unmarked},
      {"a later answer has not been reviewed",
       Verdict::fail,
       {{over, answer(Verdict::pass, true, 20)}, {}, {yes}, {}},
       Verdict::fail,
       Standing::awaits_review},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto verdicts = judged(row.machine, row.record);
    const auto& unit = verdicts.requirements.at(0).cases.at(0).units.at(0);
    CHECK(unit.verdict == row.verdict);
    REQUIRE(unit.person);
    CHECK(unit.person->standing == row.standing);
    CHECK(unit.person->machine == row.machine);
    CHECK(verdicts.requirements.at(0).verdict == row.verdict);
    CHECK(verdicts.summary.answers == 1);
  }
}

TEST_CASE("the machine's verdict and finding stay beside an override") {
  const auto verdicts = judged(Verdict::fail, {{answer(Verdict::pass, true)}, {}, {review(Decision::confirmed)}, {}});
  const auto& unit = verdicts.requirements.at(0).cases.at(0).units.at(0);
  CHECK(unit.person->machine_because == "a defect");
  CHECK(unit.findings.at(0).what == "a defect");
  CHECK(unit.because == "overridden by Mei Tan, Example Laboratory: Seen on the bench.");
  CHECK(verdicts.summary.overrides == 1);
  CHECK(verdicts.summary.unreviewed == 0);
  CHECK(verdicts.summary.statement == "1 of 1 requirements evidenced, 0 failed, 0 open; 1 verdict overridden");
}

TEST_CASE("an N/A counts once a named laboratory has accepted it and nobody disputes that") {
  auto out = case_of("c", {ending(Verdict::pass)});
  out.applies = "false";
  const auto plan = run_plan(plan_of({out}));
  Acceptance acceptance;
  acceptance.sequence = 10;
  acceptance.id = "S@1:5.1-1";
  acceptance.rationale = "No passwords.";
  acceptance.author = kTester;
  const auto verdict = [&](const HumanRecord& record) {
    return judge(plan, {}, finished(), record).requirements.at(0).verdict;
  };
  CHECK(verdict({}) == Verdict::not_tested);
  CHECK(verdict({{}, {acceptance}, {}, {}}) == Verdict::not_applicable);
  CHECK(verdict({{}, {acceptance}, {review(Decision::disputed)}, {}}) == Verdict::not_tested);
  acceptance.id = "c";
  CHECK(verdict({{}, {acceptance}, {}, {}}) == Verdict::not_applicable);
  acceptance.author.organisation.clear();
  CHECK(verdict({{}, {acceptance}, {}, {}}) == Verdict::not_tested);
}

TEST_CASE("waivers hold to the end of their day, and say when they are not needed") {
  const auto waiver = [](std::string id, std::string expires) {
    Waiver out;
    out.id = std::move(id);
    out.owner = "A. Person";
    out.reason = "Known.";
    out.expires = std::move(expires);
    return out;
  };
  const auto state = [&](Verdict machine, const Waiver& one) {
    return waiver_statuses(judged(machine, {}), {{}, {}, {}, {one}}, "2026-11-24T10:00:00Z").at(0).state;
  };
  CHECK(state(Verdict::fail, waiver("c", "2026-11-24")) == WaiverState::holds);
  CHECK(state(Verdict::fail, waiver("c", "2026-11-23")) == WaiverState::expired);
  CHECK(state(Verdict::pass, waiver("c", "2026-11-24")) == WaiverState::needless);
  CHECK(state(Verdict::fail, waiver("other", "2026-11-24")) == WaiverState::needless);

  const auto failing = judged(Verdict::fail, {});
  const auto failures = [&](const Waiver& one) {
    const auto statuses = waiver_statuses(failing, {{}, {}, {}, {one}}, "2026-11-24T10:00:00Z");
    return without_waived(failing, statuses).failed;
  };
  CHECK(failures(waiver("c", "2026-11-24")) == 0);
  CHECK(failures(waiver("S@1:5.1-1", "2026-11-24")) == 0);
  CHECK(failures(waiver("c", "2026-11-23")) == 1);
  CHECK(failing.summary.failed == 1);
}
