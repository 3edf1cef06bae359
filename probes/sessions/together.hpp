#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "harness/probe/network.hpp"

namespace assay::sessions {

/// A piece of work that begins when it is called.
using Job = std::function<asio::awaitable<void>()>;

/// Does all jobs, at most `width` at once, in their order, and returns when the last one has ended. A job may add more
/// to the list while it runs, which rows that have nothing to do take up. An exception of a job ends the rest of its
/// row and is passed on at the end.
class Jobs {
 public:
  void add(Job job);

  /// Before all that have not begun.
  void add_next(Job job);

  /// May be changed while jobs run: a row that finds more rows than this ends after its job.
  void set_width(std::size_t width) { width_ = width == 0 ? 1 : width; }

  std::size_t width() const { return width_; }

  /// `*this` outlives the coroutine.
  asio::awaitable<void> run();

 private:
  class Busy;

  asio::awaitable<void> row();
  void wake();

  std::vector<Job> waiting_;
  std::size_t next_ = 0;
  std::size_t width_ = 1;
  std::size_t rows_ = 0;
  std::size_t busy_ = 0;
  std::optional<asio::steady_timer> bell_;  // what rows without a job wait for
};

}  // namespace assay::sessions
