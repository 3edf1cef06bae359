#pragma once

#include <cstdint>
#include <functional>
#include <sys/epoll.h>

#include "harness/model/result.hpp"
#include "harness/net/budget.hpp"
#include "harness/net/unique_fd.hpp"

namespace assay {

/// An epoll descriptor with an alarm in it: what a sweep waits on, as one descriptor of the io_context.
class PollSet {
 public:
  static Result<PollSet> open();

  /// Watches a descriptor until it is closed. `tag` comes back with its events and is not kAlarm. 0 or an errno.
  int add(int descriptor, std::uint32_t events, std::uint64_t tag);

  /// Calls `ready` for each event that waits. True when nothing more is waiting.
  bool collect(const std::function<void(std::uint64_t tag)>& ready);

  /// A copy to wait on; readable when something is ready or the alarm rang.
  Result<UniqueFd> waitable() const;

  void wake_at(TimePoint when);

 private:
  static constexpr std::uint64_t kAlarm = ~std::uint64_t{0};

  void clear_alarm();

  UniqueFd epoll_;
  UniqueFd alarm_;
};

}  // namespace assay
