#include "harness/engine/recipe_bench.hpp"

#include "tests/unit/harness/engine/script.hpp"

namespace assay {
namespace {

using Environment = std::map<std::string, std::string>;

/// One bench on a scripted laboratory.
struct Hands {
  Invocation invocation;
  Dut dut;
  Observation observation;
  ProbeInfo info;
  Result<RecipeOutcome> outcome{RecipeOutcome{RecipeOutcome::Kind::done, "restored with s3cret-word"}};
  Intrusiveness may = Intrusiveness::destructive;
  std::chrono::seconds left{60};
  std::vector<Environment> ran;
  std::uint32_t within_ms = 0;
  std::vector<std::pair<std::string, json::object>> journal;
  std::vector<Secret> concealed;  // by the probe

  explicit Hands(bool spent) {
    invocation.id = "i7";
    invocation.probe = "update";
    invocation.target = {"A", "initialised", "lan", "127.0.0.1"};
    Sample sample;
    sample.id = "A";
    sample.destructive = spent;
    dut.samples.push_back(sample);
  }

  Result<RecipeDone> run(const Recipe& recipe, const RecipeUse& use) {
    InvocationRecorder recorder(info, observation, {});
    for (const auto& secret : concealed) {
      recorder.conceal(secret);
    }
    const RunRecipe runner = [this](const Recipe& bounded,
                                    const Environment& environment) -> asio::awaitable<Result<RecipeOutcome>> {
      ran.push_back(environment);
      within_ms = bounded.within_ms;
      co_return outcome;
    };
    RecipeBench bench({invocation, may, dut, std::chrono::steady_clock::now() + left}, runner, recorder,
                      [this](std::string_view type, json::object data) {
                        journal.emplace_back(type, std::move(data));
                        return Result<>{};
                      });
    asio::io_context context;
    Result<RecipeDone> result = Error{ErrorKind::internal, "it did not end", {}};
    auto work = bench.run(recipe, use);
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr failed, Result<RecipeDone> done) {
      REQUIRE_FALSE(failed);
      result = std::move(done);
    });
    context.run();
    return result;
  }
};

Recipe bench_command(const std::string& line) {
  Recipe out;
  out.exec = line;
  return out;
}

RecipeUse restoring() {
  RecipeUse use;
  use.purpose = "restore";
  use.does = Intrusiveness::destructive;
  use.environment = {{"ASSAY_VERSION", "2.4.1"}};
  use.secrets.emplace("ASSAY_PASSWORD", Secret("s3cret-word", "account admin"));
  return use;
}

TEST_CASE("engine: a probe's recipe is in the journal before and after, and its secrets are not") {
  Hands hands(true);
  hands.concealed = {Secret("s3cret-word", "account admin")};
  const auto done = hands.run(bench_command("./restore.sh"), restoring());
  REQUIRE(done);
  CHECK(done->said == "restored with s3cret-word");
  CHECK(hands.ran.at(0) == Environment{{"ASSAY_PASSWORD", "s3cret-word"},
                                       {"ASSAY_SAMPLE", "A"},
                                       {"ASSAY_STATE", "initialised"},
                                       {"ASSAY_VERSION", "2.4.1"}});
  REQUIRE(hands.journal.size() == 2);
  CHECK(hands.journal[0].first == "recipe_started");
  CHECK(hands.journal[0].second.at("invocation") == "i7");
  CHECK(hands.journal[0].second.at("recipe").at("exec") == "./restore.sh");
  CHECK(hands.journal[0].second.at("environment") ==
        json::value({{"ASSAY_PASSWORD", "{account admin}"}, {"ASSAY_VERSION", "2.4.1"}}));
  CHECK(hands.journal[1].first == "recipe_ended");
  CHECK(hands.journal[1].second.at("said") == "restored with {account admin}");
}

TEST_CASE("engine: a weak password that is a word of ours is written by its name, and the word stays") {
  Hands hands(true);
  hands.outcome = RecipeOutcome{RecipeOutcome::Kind::done, "the password was refused"};
  auto use = restoring();
  use.secrets = {{"ASSAY_PASSWORD", Secret("password", "weak password")}};
  REQUIRE(hands.run(bench_command("./change.sh"), use));
  CHECK(hands.journal.at(0).second.at("environment").at("ASSAY_PASSWORD") == "{weak password}");
  CHECK(hands.journal.at(1).second.at("said") == "the password was refused");
}

TEST_CASE("engine: a recipe that fails is written down with its reason") {
  Hands hands(true);
  hands.outcome = Error{ErrorKind::io, "it said: the relay is stuck", {}};
  const auto failed = hands.run(bench_command("./restore.sh"), restoring());
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::io);
  CHECK(hands.journal.at(1).second.at("because") == "it said: the relay is stuck");
  hands.outcome = RecipeOutcome{RecipeOutcome::Kind::needs_person, "Hold the button"};
  const auto nobody = hands.run(bench_command("./restore.sh"), restoring());
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().kind == ErrorKind::unsupported);
}

TEST_CASE("engine: what a person types is kept where it is the answer, and nowhere else") {
  Hands hands(true);
  hands.outcome = RecipeOutcome{RecipeOutcome::Kind::done, "2.4.1"};
  Recipe question;
  question.prompt = "Read the version on the display";
  auto use = restoring();
  use.wants_answer = true;
  const auto done = hands.run(question, use);
  REQUIRE(done);
  CHECK(done->said == "2.4.1");
  CHECK(hands.journal.at(1).second.at("said") == "2.4.1");

  hands.outcome = RecipeOutcome{RecipeOutcome::Kind::done, "a-password"};
  const auto confirmed = hands.run(question, restoring());
  REQUIRE(confirmed);
  CHECK(confirmed->said.empty());
  CHECK(hands.journal.at(3).second.at("said") == "");
}

TEST_CASE("engine: no recipe does more than its probe may, nor risks a unit that is not to be spent") {
  Hands kept(false);
  const auto risked = kept.run(bench_command("./restore.sh"), restoring());
  REQUIRE_FALSE(risked);
  CHECK(risked.error().kind == ErrorKind::denied);
  Hands careful(true);
  careful.may = Intrusiveness::benign;
  RecipeUse change;
  change.purpose = "change password";
  CHECK(careful.run(bench_command("./change.sh"), change).error().kind == ErrorKind::denied);
  CHECK(kept.ran.empty());
  CHECK(careful.ran.empty());
  CHECK(careful.journal.empty());
}

TEST_CASE("engine: a probe's recipe has no longer than the probe itself") {
  Hands hands(true);
  hands.left = std::chrono::seconds{5};
  REQUIRE(hands.run(bench_command("./restore.sh"), restoring()));
  CHECK(hands.within_ms <= 5000);
  hands.left = std::chrono::seconds{0};
  CHECK(hands.run(bench_command("./restore.sh"), restoring()).error().kind == ErrorKind::timed_out);
  CHECK(hands.ran.size() == 1);
}

TEST_CASE("engine: a probe has no use for a recipe that is neither command nor prompt") {
  Hands hands(true);
  Recipe port;
  port.tcp = Endpoint::parse("tcp/22");
  CHECK(hands.run(port, restoring()).error().kind == ErrorKind::unsupported);
  CHECK(hands.ran.empty());
}

}  // namespace
}  // namespace assay
