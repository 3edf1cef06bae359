#include "harness/engine/recipe_bench.hpp"

#include <algorithm>

namespace assay {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostSaid = 4096;  // bytes of a command's last words in the journal

}  // namespace

std::string last_words(const std::string& said) {
  return said.size() > kMostSaid ? said.substr(said.size() - kMostSaid) : said;
}

RecipeBench::RecipeBench(Place place, const RunRecipe& run, InvocationRecorder& recorder, Journal journal)
    : place_(std::move(place)), run_(run), recorder_(recorder), journal_(std::move(journal)) {}

Result<> RecipeBench::check(const Recipe& recipe, const RecipeUse& use) const {
  if (use.does > place_.may) {
    return Error{ErrorKind::denied,
                 "the recipe \"" + use.purpose + "\" is " + enum_name(use.does) + " and the probe " +
                     place_.invocation.probe + " may do " + enum_name(place_.may) + " work at most",
                 {}};
  }
  const auto& samples = place_.dut.samples;
  const auto& id = place_.invocation.target.sample;
  const bool spent = std::any_of(samples.begin(), samples.end(),
                                 [&](const auto& sample) { return sample.id == id && sample.destructive; });
  if (use.does == Intrusiveness::destructive && !spent) {
    return Error{ErrorKind::denied,
                 "the recipe \"" + use.purpose + "\" is destructive and sample " + id +
                     " is not marked \"destructive: true\" in the DUT file",
                 {}};
  }
  if (!run_ || (!recipe.exec && !recipe.prompt)) {
    return Error{ErrorKind::unsupported, "the recipe \"" + use.purpose + "\" needs \"exec\" or \"prompt\"", {}};
  }
  return {};
}

Result<> RecipeBench::write(std::string_view type, json::object data) const {
  if (!journal_) {
    return {};
  }
  auto hidden = recorder_.masked(json::value(std::move(data)));
  return journal_(type, std::move(hidden.get_object()));
}

json::object RecipeBench::begun(const Recipe& recipe, const RecipeUse& use) const {
  json::object environment;
  for (const auto& [name, value] : use.environment) {
    environment[name] = value;
  }
  for (const auto& [name, secret] : use.secrets) {
    environment[name] = "{" + secret.name() + "}";
  }
  return {{"invocation", place_.invocation.id},
          {"sample", place_.invocation.target.sample},
          {"purpose", use.purpose},
          {"recipe", to_json(recipe)},
          {"environment", std::move(environment)}};
}

asio::awaitable<Result<RecipeDone>> RecipeBench::run(const Recipe& recipe, const RecipeUse& use) {
  if (const auto allowed = check(recipe, use); !allowed) {
    co_return allowed.error();
  }
  const auto began = Clock::now();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(place_.deadline - began).count();
  if (left <= 0) {
    co_return Error{ErrorKind::timed_out, "there is no time left for the recipe \"" + use.purpose + "\"", {}};
  }
  Recipe bounded = recipe;
  bounded.within_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(recipe.within_ms, left));
  auto environment = use.environment;
  environment["ASSAY_SAMPLE"] = place_.invocation.target.sample;
  environment["ASSAY_STATE"] = place_.invocation.target.state;
  for (const auto& [name, secret] : use.secrets) {
    environment[name] = secret.reveal();
  }
  if (const auto written = write("recipe_started", begun(recipe, use)); !written) {
    co_return written.error();
  }
  const auto ran = co_await run_(bounded, environment);
  RecipeDone done;
  done.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  json::object ended{{"invocation", place_.invocation.id}, {"purpose", use.purpose}, {"took_ms", done.took.count()}};
  std::optional<Error> failed;
  if (!ran) {
    failed = ran.error();
  } else if (ran->kind != RecipeOutcome::Kind::done) {
    failed = Error{ErrorKind::unsupported, "a person has to do it: " + ran->text, {}};
  }
  if (failed) {
    ended["because"] = failed->what;
  } else {
    // Whoever confirms a step may type anything, a password too.
    const bool idle = !recipe.exec && !use.wants_answer;
    done.said = idle ? std::string{} : ran->text;
    ended["said"] = last_words(done.said);
  }
  if (const auto written = write("recipe_ended", std::move(ended)); !written) {
    co_return written.error();
  }
  if (failed) {
    co_return *failed;
  }
  co_return done;
}

Result<std::filesystem::path> RecipeBench::file(const std::string& name) const {
  const auto path = std::filesystem::path{name}.lexically_normal();
  if (name.empty() || path.is_absolute() || *path.begin() == "..") {
    return Error{ErrorKind::bad_input, "\"" + name + "\" does not lie below the DUT file's folder", {}};
  }
  return place_.folder / path;
}

}  // namespace assay
