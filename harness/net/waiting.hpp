#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "harness/net/budget.hpp"
#include "harness/net/errors.hpp"

/// How the operations of this room wait: without exceptions, until a time, until they are cancelled
/// (docs/coroutines.md).
namespace assay {

namespace asio = boost::asio;

/// The completion token of every await in this room.
inline constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

/// From here on cancellation ends awaits with a code instead of an exception. True when it already came.
inline asio::awaitable<bool> begin_operation() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

/// `within` from now, but not beyond the deadline. Absurd spans are cut so that the sum cannot overflow.
inline TimePoint time_limit(std::chrono::milliseconds within, TimePoint deadline) {
  const auto span = std::clamp(within, std::chrono::milliseconds{0}, std::chrono::milliseconds{std::chrono::hours{24}});
  return std::min(std::chrono::steady_clock::now() + span, deadline);
}

/// Runs `ring` at a time unless it is destroyed before. For cancelling the one operation that its owner awaits.
class Alarm {
 public:
  template <class Ring>
  Alarm(const asio::any_io_executor& executor, TimePoint at, Ring ring)
      : state_(std::make_shared<State>()), timer_(executor, at) {
    timer_.async_wait([state = state_, ring = std::move(ring)](const boost::system::error_code& stopped) mutable {
      // A handler that was already queued when the alarm died must not touch what it guarded.
      if (!stopped && state->armed) {
        state->rang = true;
        ring();
      }
    });
  }

  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  ~Alarm() { state_->armed = false; }

  bool rang() const { return state_->rang; }

 private:
  struct State {
    bool armed = true;
    bool rang = false;
  };

  std::shared_ptr<State> state_;
  asio::steady_timer timer_;
};

/// Waits until `when`. `timed_out` when `until` comes first, `cancelled`.
asio::awaitable<Result<>> wait_until(TimePoint when, TimePoint until);

}  // namespace assay
