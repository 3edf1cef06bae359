#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "harness/probe/network.hpp"

namespace assay::sessions {

/// A piece of work that begins when it is called.
using Job = std::function<asio::awaitable<void>()>;

/// Does all jobs, at most `width` at once, in their order, and returns when the last one has ended. A job may add more
/// to the list while it runs. An exception of a job ends the rest of its row and is passed on at the end.
class Jobs {
 public:
  void add(Job job) { waiting_.push_back(std::move(job)); }

  /// May be changed while jobs run: a row that finds more rows than this ends after its job.
  void set_width(std::size_t width) { width_ = width == 0 ? 1 : width; }

  std::size_t width() const { return width_; }

  /// `*this` outlives the coroutine.
  asio::awaitable<void> run();

 private:
  asio::awaitable<void> row();

  std::vector<Job> waiting_;
  std::size_t next_ = 0;
  std::size_t width_ = 1;
  std::size_t rows_ = 0;
};

}  // namespace assay::sessions
