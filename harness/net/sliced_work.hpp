#pragma once

#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "harness/model/result.hpp"
#include "harness/net/budget.hpp"
#include "harness/net/unique_fd.hpp"

namespace assay {

namespace asio = boost::asio;

/// Work on many sockets in one loop, a slice at a time, so that other coroutines get their turn between two slices.
class SlicedWork {
 public:
  virtual ~SlicedWork() = default;

  virtual bool finished() const = 0;

  /// Works for a few milliseconds. False when there is nothing to do but wait.
  virtual bool slice() = 0;

  /// Progress for the person at the terminal, as often as the work likes.
  virtual void tell(TimePoint now) = 0;

  /// Before a wait: sees to it that the descriptor becomes readable when there is something to do again.
  virtual void prepare_wait(TimePoint now) = 0;

  /// Ends before its end, for this reason.
  virtual void interrupt(std::string_view reason) = 0;
};

/// Runs it until it is finished, cancelled, or `deadline` has come. `waitable` is readable when there is work.
asio::awaitable<void> run_sliced(SlicedWork& work, UniqueFd waitable, TimePoint deadline);

}  // namespace assay
