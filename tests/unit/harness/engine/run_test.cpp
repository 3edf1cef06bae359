#include "tests/unit/harness/engine/script.hpp"

namespace assay {
namespace {

TEST_CASE("engine: equal invocations run once and serve every unit that asks") {
  Script shared;
  const Observe finds{"found", "finds", {}, {}, {}};
  const auto ran = run(plan_of({unit_of("a", {finds}), unit_of("b", {finds})}), shared);
  CHECK(shared.ran == std::vector<std::string>{"finds"});
  CHECK(ran.outcome.observations.size() == 1);
  CHECK(count(ran, "run_finished") == 1);
}

TEST_CASE("engine: a unit expands over what an earlier probe found, logins one at a time") {
  Script shared;
  const Observe finds{"found", "finds", {}, {}, {}};
  const Observe logs{"login", "logs", R"(obs("found") | fact("finds.open")[] | .endpoint)", {}, {}};
  const auto ran = run(plan_of({unit_of("a", {finds, logs})}), shared);
  CHECK(shared.ran == std::vector<std::string>{"finds", "logs tcp/80", "logs tcp/23"});
  CHECK(shared.most_logins_at_once == 1);
  CHECK(ran.outcome.observations.size() == 3);
}

TEST_CASE("engine: guesses come after the logins that wait with them, and never beside one") {
  Script shared;
  const Observe finds{"found", "finds", {}, {}, {}};
  const std::string all = R"(obs("found") | fact("finds.open")[] | .endpoint)";
  const auto plan = plan_of({unit_of("a", {finds, {"guess", "guesses", all, {}, {}}}),
                             unit_of("b", {finds, {"login", "logs", all, {}, {}}})});
  const auto ran = run(plan, shared);
  CHECK(shared.ran ==
        std::vector<std::string>{"finds", "logs tcp/80", "logs tcp/23", "guesses tcp/80", "guesses tcp/23"});
  CHECK(shared.most_logins_at_once == 1);
}

TEST_CASE("engine: guesses do not overtake what waits until it has the device alone") {
  Script shared;
  const Observe finds{"found", "finds", {}, {}, {}};
  const std::string all = R"(obs("found") | fact("finds.open")[] | .endpoint)";
  const auto plan = plan_of({unit_of("a", {finds, {"guess", "guesses", all, {}, {}}}),
                             unit_of("b", {finds, {"login", "logs", all, {}, {}}}),
                             unit_of("c", {finds, {"change", "changes", all, {}, {}}})});
  const auto ran = run(plan, shared);
  CHECK(shared.ran == std::vector<std::string>{"finds", "logs tcp/80", "logs tcp/23", "changes tcp/80",
                                               "changes tcp/23", "guesses tcp/80", "guesses tcp/23"});
}

TEST_CASE("engine: a probe that throws ends as a harness fault, keeps what it saw, and the run goes on") {
  Script shared;
  const auto ran = run(
      plan_of({unit_of("a", {{"t", "throws", {}, {}, {}}}), unit_of("b", {{"found", "finds", {}, {}, {}}})}), shared);
  const auto& observation = of_probe(ran, "throws");
  CHECK(observation.completion == Completion::harness_fault);
  CHECK(observation.facts.contains("throws.before"));
  CHECK(observation.unobserved.contains("throws.after"));
  CHECK(observation.error.find("a fault of ours") != std::string::npos);
  CHECK(of_probe(ran, "finds").completion == Completion::completed);
}

TEST_CASE("engine: a probe that leaves a declared fact open is at fault") {
  Script shared;
  const auto ran = run(plan_of({unit_of("a", {{"f", "forgets", {}, {}, {}}})}), shared);
  CHECK(of_probe(ran, "forgets").completion == Completion::harness_fault);
}

TEST_CASE("engine: a device that dies is noticed, its last observation is not believed, nothing more is tried") {
  Script shared;
  const Observe kills{"k", "kills", {}, {}, {}};
  const Observe logs{"login", "logs", R"("tcp/80")", {}, {}};
  const auto plan = plan_of({unit_of("a", {kills}), unit_of("b", {logs})});
  const auto ran = run(plan, shared);
  CHECK(ran.outcome.device_lost);
  CHECK(of_probe(ran, "kills").completion == Completion::device_lost);
  CHECK(shared.ran.empty());
  CHECK(count(ran, "device_lost") == 1);
  RunFacts facts;
  facts.finished = true;
  facts.device_lost = true;
  facts.lost_at = "2026-01-01T00:00:01Z";
  const auto verdicts = judge(plan, ran.outcome.observations, facts);
  CHECK(verdicts.requirements.at(0).verdict == Verdict::inconclusive);
}

TEST_CASE("engine: an interrupted run keeps the observation as cancelled, stays open, and is done again on resume") {
  Script shared;
  const auto plan = plan_of({unit_of("a", {{"w", "waits", {}, {}, {}}})});
  const auto ran = run(plan, shared);
  CHECK(ran.outcome.interrupted);
  CHECK(of_probe(ran, "waits").completion == Completion::cancelled);
  CHECK(of_probe(ran, "waits").facts.contains("waits.began"));
  CHECK(count(ran, "interrupted") == 1);
  CHECK(count(ran, "run_finished") == 0);

  const auto finished_plan = plan_of({unit_of("a", {{"found", "finds", {}, {}, {}}})});
  const auto first = run(finished_plan, shared);
  shared.ran.clear();
  const auto second = run(finished_plan, shared, first.outcome.observations);
  CHECK(shared.ran.empty());  // ended before: not asked again
  CHECK(second.outcome.observations.size() == 1);
}

}  // namespace
}  // namespace assay
