#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/expr/chunk.hpp"

/// Programs that this process has compiled itself, for the workers that it forks to inherit: compiling is nearly all
/// of what an evaluation costs, and the plans of a library share most of their programs.
namespace assay::expr {

class Compiled {
 public:
  struct Place {
    Chunk* chunk = nullptr;
    std::size_t number = 0;  // in the chunk
  };

  /// A worker compiled it within its limits; libjq does the same here, then.
  void prove(std::string_view program);

  bool proven(std::string_view program) const;

  /// Compiles those of `programs` that are proven, once. Others are left to the worker.
  void prepare(std::span<const std::string_view> programs);

  /// Nothing when this process has not compiled it.
  const Place* find(std::string_view program) const;

 private:
  void compile(std::span<const std::string_view> programs);

  std::set<std::string, std::less<>> proven_;
  std::map<std::string_view, Place> places_;  // keys are those of proven_
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

/// The one of this process.
Compiled& compiled();

}  // namespace assay::expr
