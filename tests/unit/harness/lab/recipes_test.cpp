#include "harness/lab/recipes.hpp"

#include <chrono>
#include <signal.h>
#include <unistd.h>

#include "harness/lab/process.hpp"
#include "tests/support/catch.hpp"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = RecipeOutcome::Kind;

Recipe command(std::string text, std::uint32_t within_ms = 20000) {
  Recipe out;
  out.exec = std::move(text);
  out.within_ms = within_ms;
  return out;
}

TEST_CASE("A command runs in the DUT file's folder and its words are kept") {
  const auto outcome = run_recipe(command("pwd; echo problem >&2"), {.folder = "/usr"});
  REQUIRE(outcome);
  CHECK(outcome->kind == Kind::done);
  CHECK(outcome->text == "/usr\nproblem\n");
}

TEST_CASE("A command that fails is an error with its status and its last words") {
  const auto outcome = run_recipe(command("echo first; echo the relay is stuck; exit 3"), {});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().kind == ErrorKind::io);
  CHECK(outcome.error().what ==
        "the command \"echo first; echo the relay is stuck; exit 3\" ended with status 3; it said: the relay is stuck");
}

TEST_CASE("A command that a signal ends says which") {
  const auto outcome = run_recipe(command("kill -9 $$"), {});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().what.find("ended by signal 9; it said nothing") != std::string::npos);
}

TEST_CASE("A command that does not end is killed with everything it started") {
  const auto begin = Clock::now();
  const auto outcome = run_recipe(command("sleep 300 & echo $!; wait", 200), {});
  CHECK(Clock::now() - begin < std::chrono::seconds{20});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().kind == ErrorKind::timed_out);
  const auto said = outcome.error().what.rfind("it said: ");
  REQUIRE(said != std::string::npos);
  const int background = std::stoi(outcome.error().what.substr(said + 9));
  REQUIRE(background > 1);
  // It may linger as a zombie for its new parent, but its end has come: the descriptor reports it.
  const auto ended = lab::open_pidfd(background);
  CHECK((!ended || kill(background, 0) != 0 || lab::has_ended(ended, std::chrono::seconds{10})));
}

TEST_CASE("A background process that holds the output open does not hold up the recipe") {
  const auto begin = Clock::now();
  const auto outcome = run_recipe(command("sleep 20 & echo $!"), {});
  CHECK(Clock::now() - begin < std::chrono::seconds{15});
  REQUIRE(outcome);
  kill(std::stoi(outcome->text), SIGKILL);
}

TEST_CASE("An interrupted run stops its command") {
  auto pipe = lab::make_pipe();
  REQUIRE(pipe);
  REQUIRE(write(pipe->write.get(), "x", 1) == 1);
  const auto outcome = run_recipe(command("sleep 300"), {.cancel = pipe->read.get()});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().kind == ErrorKind::cancelled);
}

TEST_CASE("A flood of output is read and only its end is kept") {
  const auto outcome =
      run_recipe(command("i=0; while [ $i -lt 300 ]; do printf '%01000d' 0; i=$((i+1)); done; echo end"), {});
  REQUIRE(outcome);
  CHECK(outcome->text.size() <= 64 * 1024);
  CHECK(outcome->text.ends_with("0end\n"));
}

TEST_CASE("A prompt without anybody there needs a person") {
  Recipe recipe;
  recipe.prompt = "Hold the reset button for 10 s";
  const auto outcome = run_recipe(recipe, {});
  REQUIRE(outcome);
  CHECK(outcome->kind == Kind::needs_person);
  CHECK(outcome->text == "Hold the reset button for 10 s");
}

TEST_CASE("A prompt is done with the line that the person typed, and open when they will not") {
  Recipe recipe;
  recipe.prompt = "Press the button";
  for (const bool willing : {true, false}) {
    std::string shown;
    const auto outcome = run_recipe(recipe, {.ask = [&](const std::string& sentence) {
                                      shown = sentence;
                                      return willing ? std::optional<std::string>{"2.4.0"} : std::nullopt;
                                    }});
    REQUIRE(outcome);
    CHECK(shown == "Press the button");
    CHECK(outcome->kind == (willing ? Kind::done : Kind::needs_person));
    CHECK(outcome->text == (willing ? "2.4.0" : "Press the button"));
  }
}

TEST_CASE("What needs the device's network or another device is handed back") {
  Recipe port;
  port.tcp = Endpoint{Transport::tcp, 443};
  const auto network = run_recipe(port, {});
  REQUIRE(network);
  CHECK(network->kind == Kind::needs_network);
  CHECK(network->text == "tcp/443");
  Recipe device;
  device.emulate = "hub-sound";
  const auto emulated = run_recipe(device, {});
  REQUIRE(emulated);
  CHECK(emulated->kind == Kind::needs_device);
  CHECK(emulated->text == "hub-sound");
}

TEST_CASE("An empty recipe is the user's error") {
  const auto outcome = run_recipe(Recipe{}, {});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().kind == ErrorKind::bad_input);
}

}  // namespace
}  // namespace assay
