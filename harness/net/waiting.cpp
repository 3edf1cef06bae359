#include "harness/net/waiting.hpp"

namespace assay {

asio::awaitable<Result<>> wait_until(TimePoint when, TimePoint until) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  const auto now = std::chrono::steady_clock::now();
  if (now >= until) {
    co_return Error{ErrorKind::timed_out, "the time of this step is over", {}};
  }
  if (when > now) {
    asio::steady_timer timer{co_await asio::this_coro::executor, std::min(when, until)};
    const auto outcome = co_await timer.async_wait(kNoThrow);
    if (std::get<0>(outcome)) {
      co_return cancelled_error();
    }
  }
  if (when > until) {
    co_return Error{ErrorKind::timed_out, "the time of this step is over", {}};
  }
  co_return Result<>{};
}

}  // namespace assay
