#include "harness/net/governor.hpp"

#include <algorithm>
#include <deque>

#include "harness/net/waiting.hpp"

namespace assay {

namespace {

/// 5 ms worth of packets at once, so that high rates do not need a timer for each packet.
constexpr double kBurstOfPackets = 1 / 200.0;
constexpr double kBurstOfConnects = 1 / 20.0;

}  // namespace

/// Sockets in flight and who waits for one.
struct Governor::Slot::State {
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor, TimePoint until) : timer(executor, until) {}

    asio::steady_timer timer;
    bool granted = false;
  };

  explicit State(std::uint32_t most) : limit(most) {}

  bool try_take() {
    if (!waiters.empty() || in_flight >= limit.current()) {
      return false;
    }
    ++in_flight;
    return true;
  }

  void give_back() {
    --in_flight;
    serve();
  }

  void serve() {
    while (!waiters.empty() && in_flight < limit.current()) {
      const auto first = waiters.front();
      waiters.pop_front();
      ++in_flight;
      first->granted = true;
      first->timer.cancel();
    }
  }

  SocketLimit limit;
  std::size_t in_flight = 0;
  std::deque<std::shared_ptr<Waiter>> waiters;
};

Governor::Slot::~Slot() {
  if (state_) {
    state_->give_back();
  }
}

Governor::Slot& Governor::Slot::operator=(Slot&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Governor::Governor(const Pace& pace) : Governor(pace, std::make_shared<LoginBudget>(pace)) {}

Governor::Governor(const Pace& pace, std::shared_ptr<LoginBudget> logins)
    : pace_(pace),
      sockets_(std::make_shared<Slot::State>(pace.max_connections)),
      throttle_(pace.max_packets_per_second),
      connects_(pace.max_connects_per_second, pace.max_connects_per_second * kBurstOfConnects),
      packets_(pace.max_packets_per_second, pace.max_packets_per_second * kBurstOfPackets),
      logins_(std::move(logins)) {}

Governor::~Governor() = default;

asio::awaitable<Result<Governor::Slot>> Governor::acquire_connection(TimePoint until) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  Slot slot;
  if (sockets_->try_take()) {
    slot.state_ = sockets_;
  } else {
    const auto executor = co_await asio::this_coro::executor;
    const auto waiter = std::make_shared<Slot::State::Waiter>(executor, until);
    sockets_->waiters.push_back(waiter);
    const auto outcome = co_await waiter->timer.async_wait(kNoThrow);
    if (!waiter->granted) {
      std::erase(sockets_->waiters, waiter);
      if (std::get<0>(outcome)) {
        co_return cancelled_error();
      }
      co_return Error{ErrorKind::timed_out, "the time of this step was over before a connection was free", {}};
    }
    slot.state_ = sockets_;
  }
  const auto now = std::chrono::steady_clock::now();
  const auto start = std::max(connects_.reserve(now), packets_.reserve(now));
  const auto waited = co_await wait_until(start, until);
  if (!waited) {
    co_return waited.error();
  }
  ++connects_made_;
  throttle_.sent();
  co_return std::move(slot);
}

asio::awaitable<Result<>> Governor::acquire_packet(TimePoint until) {
  const auto start = packets_.reserve(std::chrono::steady_clock::now());
  const auto waited = co_await wait_until(start, until);
  if (waited) {
    ++packets_sent_;
    throttle_.sent();
  }
  co_return waited;
}

bool Governor::try_take_socket() {
  return sockets_->try_take();
}

void Governor::give_back_socket() {
  sockets_->give_back();
}

bool Governor::try_take_packet(TimePoint now) {
  if (!packets_.try_take(now)) {
    return false;
  }
  ++packets_sent_;
  throttle_.sent();
  return true;
}

asio::awaitable<Result<>> Governor::permit_login(Endpoint endpoint, std::string account, TimePoint until, bool kept) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  const auto start = logins_->draw(endpoint, account, std::chrono::steady_clock::now(), kept);
  if (!start) {
    co_return start.error();
  }
  auto permitted = co_await wait_until(*start, until);
  if (permitted && listener_) {
    permitted = listener_(endpoint, account, logins_->used(endpoint, account));
  }
  if (!permitted) {
    logins_->refund(endpoint, account);
    co_return permitted;
  }
  ++permits_;
  co_return permitted;
}

Result<> Governor::permit_guess(Endpoint endpoint) {
  const std::string account{LoginBudget::kGuessing};
  const auto drawn = logins_->draw_guess(endpoint, guesses_allowed(pace_));
  if (!drawn) {
    return drawn;
  }
  const auto heard = listener_ ? listener_(endpoint, account, logins_->used(endpoint, account)) : Result<>{};
  if (!heard) {
    logins_->refund(endpoint, account);
    return heard;
  }
  ++permits_;
  return heard;
}

void Governor::connect_answered() {
  sockets_->limit.answered();
  sockets_->serve();
}

void Governor::connect_timed_out(TimePoint now) {
  ++timeouts_;
  const RoundTrip::Duration least = std::chrono::milliseconds{200};
  sockets_->limit.lost(now, std::max(least, 2 * round_trip_.smoothed()));
}

void Governor::noticed(std::chrono::nanoseconds took, TimePoint now) {
  const auto before = throttle_.slow_downs();
  if (throttle_.answered(took, now)) {
    follow_throttle();
  }
  if (throttle_.slow_downs() > before) {
    sockets_->limit.lost(now, std::chrono::nanoseconds{0});
  }
}

void Governor::device_gave_out() {
  throttle_.gave_out();
  follow_throttle();
}

/// A device in trouble gets no bursts.
void Governor::follow_throttle() {
  const bool limited = throttle_.limited();
  const double packets = throttle_.rate();
  const double connects = std::min<double>(pace_.max_connects_per_second, packets);
  packets_.set_rate(packets, limited ? 1 : packets * kBurstOfPackets);
  connects_.set_rate(connects, limited ? 1 : connects * kBurstOfConnects);
}

std::size_t Governor::spare_connections() const {
  const std::size_t most = sockets_->limit.current();
  return sockets_->waiters.empty() && most > sockets_->in_flight ? most - sockets_->in_flight : 0;
}

GovernorNumbers Governor::numbers() const {
  GovernorNumbers numbers;
  numbers.sockets_in_flight = static_cast<std::int64_t>(sockets_->in_flight);
  numbers.socket_limit = static_cast<std::int64_t>(sockets_->limit.current());
  numbers.decreases = static_cast<std::int64_t>(sockets_->limit.decreases());
  numbers.connects = connects_made_;
  numbers.packets = packets_sent_;
  numbers.connect_timeouts = timeouts_;
  numbers.logins = permits_;
  numbers.slow_downs = throttle_.slow_downs();
  numbers.rtt_ns = round_trip_.smoothed().count();
  numbers.rtt_variation_ns = round_trip_.variation().count();
  return numbers;
}

}  // namespace assay
