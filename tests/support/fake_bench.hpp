#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/probe/bench.hpp"

namespace assay::fake {

/// A laboratory of script: keeps what it was asked to do and answers what the test says.
class FakeBench final : public Bench {
 public:
  struct Ran {
    std::string what;  // the command, or the prompt's sentence
    RecipeUse use;
  };

  /// What a recipe comes to; none: done, and nothing said.
  std::function<Result<RecipeDone>(const Recipe& recipe, const RecipeUse& use)> outcome;
  std::vector<Ran> ran;
  std::filesystem::path folder;  // of the DUT file

  asio::awaitable<Result<RecipeDone>> run(const Recipe& recipe, const RecipeUse& use) override {
    ran.push_back({recipe.exec ? *recipe.exec : recipe.prompt.value_or(""), use});
    Result<RecipeDone> done{RecipeDone{}};
    if (outcome) {
      done = outcome(recipe, use);
    }
    co_return done;
  }

  Result<std::filesystem::path> file(const std::string& name) const override { return folder / name; }
};

}  // namespace assay::fake
