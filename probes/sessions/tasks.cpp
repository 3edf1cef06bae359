#include "probes/sessions/tasks.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace assay::sessions {

asio::awaitable<void> Tasks::begin() {
  ended_.emplace(co_await asio::this_coro::executor);
}

asio::awaitable<void> Tasks::quietly(asio::awaitable<void> work) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await std::move(work);
}

void Tasks::start(asio::awaitable<void> work) {
  const int id = next_++;
  auto& signal = running_[id];
  auto ended = [this, id](std::exception_ptr failed) {
    if (failed && !failed_) {
      failed_ = failed;
    }
    running_.erase(id);
    ended_->cancel();
  };
  auto whole = quietly(std::move(work));
  asio::co_spawn(ended_->get_executor(), std::move(whole),
                 asio::bind_cancellation_slot(signal.slot(), std::move(ended)));
}

void Tasks::cut() {
  for (auto& [id, signal] : running_) {
    signal.emit(asio::cancellation_type::terminal);
  }
}

asio::awaitable<void> Tasks::end() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!running_.empty()) {
    cut();
    ended_->expires_at(std::chrono::steady_clock::time_point::max());
    boost::system::error_code woken;
    co_await ended_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  if (failed_) {
    std::rethrow_exception(failed_);
  }
}

}  // namespace assay::sessions
