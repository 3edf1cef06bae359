#include "harness/expr/compiled.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "harness/expr/worker.hpp"

namespace assay::expr {

namespace {

constexpr std::size_t kMostPrograms = 20000;  // the shipped library has some 1,600

/// libjq 1.6 reads ~/.jq as a library of functions when it compiles: nobody's home may change a verdict.
class WithoutHome {
 public:
  WithoutHome() {
    if (const char* home = std::getenv("HOME")) {
      home_ = home;
      ::unsetenv("HOME");
    }
  }

  ~WithoutHome() {
    if (home_) {
      ::setenv("HOME", home_->c_str(), 1);
    }
  }

  WithoutHome(const WithoutHome&) = delete;
  WithoutHome& operator=(const WithoutHome&) = delete;

 private:
  std::optional<std::string> home_;
};

}  // namespace

void Compiled::prove(std::string_view program) {
  if (proven_.size() < kMostPrograms) {
    proven_.emplace(program);
  }
}

bool Compiled::proven(std::string_view program) const {
  return proven_.contains(program);
}

void Compiled::prepare(std::span<const std::string_view> programs) {
  std::vector<std::string_view> fresh;
  std::set<std::string_view> seen;
  for (const auto program : programs) {
    const auto known = proven_.find(program);
    if (known != proven_.end() && !places_.contains(*known) && seen.insert(*known).second) {
      fresh.emplace_back(*known);
    }
  }
  if (fresh.empty()) {
    return;
  }
  const WithoutHome quiet;
  for (std::size_t begin = 0; begin < fresh.size(); begin += kChunkSize) {
    compile(std::span{fresh}.subspan(begin, std::min(kChunkSize, fresh.size() - begin)));
  }
}

void Compiled::compile(std::span<const std::string_view> programs) {
  std::string error;
  auto chunk = Chunk::compile(programs, error);
  if (chunk == nullptr) {
    return;  // the worker finds out which of them it is
  }
  for (std::size_t i = 0; i < programs.size(); ++i) {
    places_[programs[i]] = {chunk.get(), i};
  }
  chunks_.push_back(std::move(chunk));
}

const Compiled::Place* Compiled::find(std::string_view program) const {
  const auto found = places_.find(program);
  return found == places_.end() ? nullptr : &found->second;
}

Compiled& compiled() {
  static Compiled of_process;
  return of_process;
}

}  // namespace assay::expr
