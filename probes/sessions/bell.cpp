#include "probes/sessions/bell.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace assay::sessions {

asio::awaitable<Result<>> Bell::wait(std::chrono::milliseconds within) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!timer_) {
    timer_.emplace(co_await asio::this_coro::executor);
  }
  const auto before = co_await asio::this_coro::cancellation_state;
  if (before.cancelled() == asio::cancellation_type::none) {
    timer_->expires_after(within);
    boost::system::error_code woken;
    co_await timer_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() == asio::cancellation_type::none ? Result<>{}
                                                               : Result<>{Error{ErrorKind::cancelled, "cancelled", {}}};
}

void Bell::ring() {
  if (timer_) {
    timer_->cancel();
  }
}

}  // namespace assay::sessions
