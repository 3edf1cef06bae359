#pragma once

#include <exception>
#include <map>
#include <optional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

namespace assay::sessions {

namespace asio = boost::asio;

/// Work that goes on beside a probe's own course, such as connections of the device to a server of ours. Whoever owns
/// it awaits `end` before it dies.
class Tasks {
 public:
  Tasks() = default;
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;

  /// Tasks run where this is awaited. Once, before the first of them.
  asio::awaitable<void> begin();

  /// Cancellation ends the awaits of the work with errors, not with exceptions.
  void start(asio::awaitable<void> work);

  std::size_t running() const { return running_.size(); }

  /// Cancels what runs.
  void cut();

  /// Cancels what runs and waits for its end. Passes on the first exception.
  asio::awaitable<void> end();

 private:
  static asio::awaitable<void> quietly(asio::awaitable<void> work);

  std::optional<asio::steady_timer> ended_;
  std::map<int, asio::cancellation_signal> running_;
  int next_ = 0;
  std::exception_ptr failed_;
};

}  // namespace assay::sessions
