#include "probes/sessions/together.hpp"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace assay::sessions {

/// A row is busy, whatever ends its job.
class Jobs::Busy {
 public:
  explicit Busy(Jobs& jobs) : jobs_(jobs) { ++jobs_.busy_; }

  ~Busy() {
    if (--jobs_.busy_ == 0) {
      jobs_.wake();
    }
  }

  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  Jobs& jobs_;
};

void Jobs::add(Job job) {
  waiting_.push_back(std::move(job));
  wake();
}

void Jobs::add_next(Job job) {
  waiting_.insert(waiting_.begin() + static_cast<std::ptrdiff_t>(next_), std::move(job));
  wake();
}

void Jobs::wake() {
  if (bell_) {
    bell_->cancel();
  }
}

asio::awaitable<void> Jobs::row() {
  while (rows_ <= width_) {
    if (next_ < waiting_.size()) {
      const Busy busy{*this};
      // A job may add to the list, which moves it.
      const Job job = waiting_[next_++];
      co_await job();
    } else if (busy_ > 0) {
      boost::system::error_code woken;
      auto token = asio::redirect_error(asio::use_awaitable, woken);
      co_await bell_->async_wait(std::move(token));
    } else {
      break;
    }
  }
  --rows_;
}

asio::awaitable<void> Jobs::run() {
  const auto executor = co_await asio::this_coro::executor;
  using Start = decltype(asio::co_spawn(executor, std::declval<asio::awaitable<void>>(), asio::deferred));
  bell_.emplace(executor, asio::steady_timer::time_point::max());
  // The width may have grown while the last row came to its end.
  while (next_ < waiting_.size()) {
    std::vector<Start> rows;
    rows_ = width_;
    for (std::size_t index = 0; index < width_; ++index) {
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
  bell_.reset();
  waiting_.clear();
  next_ = 0;
}

}  // namespace assay::sessions
