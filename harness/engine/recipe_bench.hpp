#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string_view>

#include "harness/engine/invocation_recorder.hpp"
#include "harness/engine/run.hpp"
#include "harness/probe/bench.hpp"

namespace assay {

/// What a command said last, as long as the journal keeps it.
std::string last_words(const std::string& said);

/// The Bench of one invocation: refuses what the probe's class does not cover, writes down what is done, and hands the
/// recipe to whoever runs those that change the device's state.
class RecipeBench final : public Bench {
 public:
  using Journal = std::function<Result<>(std::string_view type, json::object data)>;

  struct Place {
    const Invocation& invocation;
    Intrusiveness may;  // class of the probe
    const Dut& dut;
    std::chrono::steady_clock::time_point deadline;  // of the invocation: no recipe has longer
    std::filesystem::path folder{};                  // of the DUT file
  };

  /// The references must outlive the bench. `journal` may be empty: a single probe has none.
  RecipeBench(Place place, const RunRecipe& run, InvocationRecorder& recorder, Journal journal);

  asio::awaitable<Result<RecipeDone>> run(const Recipe& recipe, const RecipeUse& use) override;
  Result<std::filesystem::path> file(const std::string& name) const override;

 private:
  Result<> check(const Recipe& recipe, const RecipeUse& use) const;
  Result<> write(std::string_view type, json::object data) const;
  json::object begun(const Recipe& recipe, const RecipeUse& use) const;

  Place place_;
  const RunRecipe& run_;
  InvocationRecorder& recorder_;
  Journal journal_;
};

}  // namespace assay
