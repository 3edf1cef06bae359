#pragma once

#include <chrono>
#include <optional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "harness/model/result.hpp"

namespace assay::sessions {

namespace asio = boost::asio;

/// Wakes one who waits for something that another part of the same thread learns. Whoever waits looks first whether it
/// is there already: a bell that nobody hears is forgotten.
class Bell {
 public:
  /// Until it is rung or the time is over; which of them, the waiter sees for itself. `cancelled`.
  asio::awaitable<Result<>> wait(std::chrono::milliseconds within);

  void ring();

 private:
  std::optional<asio::steady_timer> timer_;
};

}  // namespace assay::sessions
