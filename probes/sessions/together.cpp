#include "probes/sessions/together.hpp"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace assay::sessions {

asio::awaitable<void> Jobs::row() {
  while (next_ < waiting_.size() && rows_ <= width_) {
    // A job may add to the list, which moves it.
    const Job job = waiting_[next_++];
    co_await job();
  }
  --rows_;
}

asio::awaitable<void> Jobs::run() {
  const auto executor = co_await asio::this_coro::executor;
  using Start = decltype(asio::co_spawn(executor, std::declval<asio::awaitable<void>>(), asio::deferred));
  // Jobs that were added while the rows came to their end.
  while (next_ < waiting_.size()) {
    std::vector<Start> rows;
    rows_ = std::min(width_, waiting_.size() - next_);
    for (std::size_t index = 0; index < rows_; ++index) {
      rows.push_back(asio::co_spawn(executor, row(), asio::deferred));
    }
    auto group = asio::experimental::make_parallel_group(std::move(rows));
    const auto ended = co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const auto& failure : std::get<1>(ended)) {
      if (failure) {
        std::rethrow_exception(failure);
      }
    }
  }
  waiting_.clear();
  next_ = 0;
}

}  // namespace assay::sessions
