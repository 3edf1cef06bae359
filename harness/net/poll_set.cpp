#include "harness/net/poll_set.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/timerfd.h>

#include "harness/net/errors.hpp"

namespace assay {

namespace {

constexpr int kEventsAtOnce = 512;

}  // namespace

Result<PollSet> PollSet::open() {
  PollSet out;
  out.epoll_ = UniqueFd{::epoll_create1(EPOLL_CLOEXEC)};
  out.alarm_ = UniqueFd{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
  if (!out.epoll_ || !out.alarm_ || out.add(out.alarm_.get(), EPOLLIN, kAlarm) != 0) {
    return error_from_errno(errno, "prepare a port sweep");
  }
  return out;
}

int PollSet::add(int descriptor, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : errno;
}

bool PollSet::collect(const std::function<void(std::uint64_t tag)>& ready) {
  std::array<epoll_event, kEventsAtOnce> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, 0);
  for (int place = 0; place < count; ++place) {
    const auto tag = events[static_cast<std::size_t>(place)].data.u64;
    if (tag == kAlarm) {
      clear_alarm();
    } else {
      ready(tag);
    }
  }
  return count < kEventsAtOnce;
}

Result<UniqueFd> PollSet::waitable() const {
  UniqueFd copy{::fcntl(epoll_.get(), F_DUPFD_CLOEXEC, 0)};
  if (!copy) {
    return error_from_errno(errno, "prepare a port sweep");
  }
  return copy;
}

void PollSet::wake_at(TimePoint when) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
  itimerspec at{};
  // steady_clock is CLOCK_MONOTONIC; a time of zero would disarm the timer.
  at.it_value.tv_sec = since / 1'000'000'000;
  at.it_value.tv_nsec = std::max<long>(since % 1'000'000'000, 1);
  ::timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
}

void PollSet::clear_alarm() {
  std::uint64_t expirations = 0;
  (void)!::read(alarm_.get(), &expirations, sizeof expirations);
}

}  // namespace assay
