#include "harness/net/sweep.hpp"

#include <optional>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include "harness/net/connect_pool.hpp"
#include "harness/net/guarded_network.hpp"
#include "harness/net/sweep_control.hpp"
#include "harness/net/sweep_ledger.hpp"
#include "harness/net/waiting.hpp"

namespace assay {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kReservedDescriptors = 256;  // for files, other probes, libraries
constexpr int kBatch = 32;                         // connects between two looks at the answers
constexpr milliseconds kSlice{2};                  // work before other coroutines get their turn
constexpr milliseconds kLeastPatience{100};
constexpr milliseconds kLeastRound{10};
constexpr milliseconds kLongestNap{100};
constexpr milliseconds kProgressInterval{250};
constexpr milliseconds kLocalPause{5};  // after this host ran out of something
constexpr int kMostLocalFailures = 1000;
constexpr int kLostInRow = 10;  // canaries; with kLostFor, the device is gone for now
constexpr milliseconds kLostFor{2000};
constexpr milliseconds kHoldSpacing{500};  // between canaries while the device is gone
constexpr milliseconds kHoldLimit{10000};
constexpr int kSettlingCanaries = 3;
constexpr int kMostSettlingCanaries = 8;

std::size_t most_sockets(const Pace& pace) {
  const auto limit = raise_descriptor_limit();
  const auto usable = limit > 2 * kReservedDescriptors ? limit - kReservedDescriptors : limit / 2;
  return std::min<std::size_t>(pace.max_connections, usable);
}

class Sweep {
 public:
  Sweep(Governor& governor, std::unique_ptr<ConnectPool> pool, std::vector<std::uint16_t> order,
        const Progress& progress, TimePoint deadline)
      : governor_(governor),
        pool_(std::move(pool)),
        ledger_(std::move(order)),
        progress_(progress),
        deadline_(deadline),
        begin_(steady_clock::now()),
        control_(most_sockets(governor.pace()), governor.pace().max_packets_per_second, begin_) {
    last_answer_ = begin_;
  }

  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// Sockets that are still pending go back to the budget.
  ~Sweep() {
    for (std::size_t left = pool_->in_flight(); left > 0; --left) {
      governor_.give_back_socket();
    }
  }

  asio::awaitable<Result<SweepReport>> run();

 private:
  bool slice();
  int send_batch(TimePoint now);
  std::optional<ConnectPool::Attempt> choose(TimePoint now);
  bool take_budget(TimePoint now);
  void start(const ConnectPool::Attempt& attempt, TimePoint now);
  void local_trouble(const ConnectPool::Attempt& attempt, const ConnectPool::Started& started, TimePoint now);
  void finish(const ConnectPool::Ended& ended, TimePoint now);
  void measure(std::chrono::nanoseconds took, TimePoint now);
  void finish_canary(const ConnectPool::Ended& ended, bool answered, TimePoint now);
  void end_pass();
  void watch_device(TimePoint now);
  void tell(TimePoint now);
  bool settling() const;
  RoundTrip::Duration patience() const;
  TimePoint next_wake(TimePoint now) const;
  SweepReport report();

  Governor& governor_;
  std::unique_ptr<ConnectPool> pool_;
  SweepLedger ledger_;
  const Progress& progress_;
  TimePoint deadline_;
  TimePoint begin_;
  SweepControl control_;
  SweepReport counts_;
  RoundTrip refusals_;
  std::chrono::nanoseconds slowest_{0};
  TimePoint round_start_{};
  std::vector<ConnectPool::Ended> ended_;
  std::optional<Error> fatal_;
  std::string interruption_;
  bool done_ = false;
  std::int64_t handed_out_ = 0;
  int settling_sent_ = 0;
  int local_in_row_ = 0;
  TimePoint paused_until_{};
  TimePoint last_answer_{};
  TimePoint last_silence_{};
  TimePoint last_told_{};
  std::optional<TimePoint> gone_since_;
  TimePoint next_hold_canary_{};
};

/// How long an attempt of this pass may stay unanswered: twice as long in each pass, for devices that answer late.
RoundTrip::Duration Sweep::patience() const {
  const RoundTrip::Duration most = milliseconds{governor_.pace().connect_timeout_ms};
  const auto first = governor_.round_trip().patience(kLeastPatience, most);
  return std::min(first * (1 << (ledger_.pass() - 1)), std::max<RoundTrip::Duration>(first, most));
}

/// The pass is asked, but its silences need canaries beside them to be believed.
bool Sweep::settling() const {
  return !ledger_.has_next() && pool_->in_flight() == 0 && ledger_.silent_in_pass() > 0 && ledger_.canary() != 0 &&
         control_.canaries_in_pass() < kSettlingCanaries && settling_sent_ < kMostSettlingCanaries;
}

std::optional<ConnectPool::Attempt> Sweep::choose(TimePoint now) {
  const auto canary = ledger_.canary();
  if (gone_since_) {
    if (now < next_hold_canary_) {
      return std::nullopt;
    }
    next_hold_canary_ = now + kHoldSpacing;
    return ConnectPool::Attempt{canary, true, control_.epoch()};
  }
  const bool silence = last_silence_ != TimePoint{} && now - last_silence_ < std::chrono::seconds{1};
  const bool settle = settling();
  if (canary != 0 && (settle || (ledger_.has_next() && control_.wants_canary(silence, now)))) {
    settling_sent_ += settle ? 1 : 0;
    return ConnectPool::Attempt{canary, true, control_.epoch()};
  }
  if (!ledger_.has_next()) {
    return std::nullopt;
  }
  return ConnectPool::Attempt{ledger_.take_next(), false, control_.epoch()};
}

bool Sweep::take_budget(TimePoint now) {
  if (now < paused_until_ || pool_->in_flight() >= control_.window() || control_.next() > now ||
      governor_.next_packet() > now || !governor_.try_take_socket()) {
    return false;
  }
  governor_.try_take_packet(now);
  control_.try_take(now);
  return true;
}

int Sweep::send_batch(TimePoint now) {
  int sent = 0;
  while (sent < kBatch && !done_) {
    const bool something = gone_since_ ? now >= next_hold_canary_ : ledger_.has_next() || settling();
    if (!something || !take_budget(now)) {
      break;
    }
    const auto attempt = choose(now);
    if (!attempt) {
      governor_.give_back_socket();
      break;
    }
    start(*attempt, now);
    ++sent;
    now = steady_clock::now();
  }
  return sent;
}

void Sweep::start(const ConnectPool::Attempt& attempt, TimePoint now) {
  if (attempt.canary) {
    control_.canary_sent(now);
  }
  const auto started = pool_->start(attempt, now);
  if (started.how != ConnectPool::Start::pending && started.how != ConnectPool::Start::ended) {
    local_trouble(attempt, started, now);
    return;
  }
  local_in_row_ = 0;
  ++counts_.attempts;
  counts_.retried += ledger_.pass() > 1 && !attempt.canary ? 1 : 0;
  handed_out_ += ledger_.pass() == 1 && !attempt.canary ? 1 : 0;
  if (started.how == ConnectPool::Start::ended) {
    finish(started.ended, now);
  }
}

/// This host could not ask: nothing is learnt about the port, it comes again after a pause.
void Sweep::local_trouble(const ConnectPool::Attempt& attempt, const ConnectPool::Started& started, TimePoint now) {
  governor_.give_back_socket();
  ++counts_.local_errors;
  if (!attempt.canary) {
    ledger_.put_back(attempt.port);
  }
  const auto error = error_from_errno(started.error, "connect to tcp/" + std::to_string(attempt.port));
  const bool never_left = counts_.attempts == 0 && (started.how == ConnectPool::Start::not_allowed ||
                                                    started.how == ConnectPool::Start::no_route);
  if (never_left) {
    const bool denied = started.how == ConnectPool::Start::not_allowed;
    fatal_ = Error{denied ? ErrorKind::denied : ErrorKind::unreachable, error.what, {}};
    done_ = true;
    return;
  }
  if (started.how == ConnectPool::Start::no_descriptors) {
    control_.limit_window(std::max<std::size_t>(1, pool_->in_flight()));
  }
  if (++local_in_row_ >= kMostLocalFailures) {
    interruption_ = "this host could not ask: " + error.what;
    done_ = true;
  }
  paused_until_ = now + kLocalPause;
}

void Sweep::finish(const ConnectPool::Ended& ended, TimePoint now) {
  governor_.give_back_socket();
  const auto answer = ended.answer;
  const bool answered = answer == Answer::accepted || answer == Answer::accepted_then_cut || answer == Answer::refused;
  if (answered) {
    ++counts_.answered;
    last_answer_ = now;
    measure(ended.took, now);
    governor_.connect_answered();
    if (answer == Answer::refused) {
      refusals_.sample(ended.took);
    }
  } else if (answer == Answer::silence) {
    ++counts_.lost;
    last_silence_ = now;
  } else if (answer == Answer::local_failure) {
    ++counts_.local_errors;
  } else {
    ++counts_.answered;  // ICMP: an answer of the path, not of the port
  }
  if (ended.attempt.canary) {
    finish_canary(ended, answered, now);
    return;
  }
  ledger_.note(ended.attempt.port, answer, ended.attempt.epoch);
  if (answered || control_.lost_in_row() == 0) {
    control_.progressed();
  }
}

/// Thousands of samples a round trip would make the variation vanish (RFC 7323, appendix G), and the timers with it:
/// one sample, the slowest, for each round.
void Sweep::measure(std::chrono::nanoseconds took, TimePoint now) {
  slowest_ = std::max(slowest_, took);
  auto& estimate = governor_.round_trip();
  if (!estimate.known() || now - round_start_ >= std::max<RoundTrip::Duration>(kLeastRound, estimate.smoothed())) {
    estimate.sample(slowest_);
    slowest_ = {};
    round_start_ = now;
  }
}

void Sweep::finish_canary(const ConnectPool::Ended& ended, bool answered, TimePoint now) {
  if (ended.answer == Answer::local_failure) {
    return;
  }
  if (control_.canary_ended(answered, ended.attempt.epoch, now)) {
    governor_.connect_timed_out(now);
  }
}

/// A device that is gone is not scanned on: the sweep holds, asks for the canary only, and goes on when it answers.
void Sweep::watch_device(TimePoint now) {
  if (gone_since_) {
    if (last_answer_ > *gone_since_) {
      gone_since_.reset();
    } else if (now - *gone_since_ > kHoldLimit) {
      interruption_ = "the device stopped answering";
      done_ = true;
    }
    return;
  }
  if (control_.lost_in_row() >= kLostInRow &&
      now - last_answer_ > std::max<RoundTrip::Duration>(kLostFor, patience())) {
    gone_since_ = now;
    next_hold_canary_ = now;
  }
}

void Sweep::end_pass() {
  if (ledger_.has_next() || pool_->in_flight() > 0 || gone_since_ || settling()) {
    return;
  }
  settling_sent_ = 0;
  if (!ledger_.finish_pass(control_.healthy(), control_.epoch())) {
    done_ = true;
    return;
  }
  control_.begin_pass();
}

/// Works for a short while. False when there is nothing to do but wait.
bool Sweep::slice() {
  auto now = steady_clock::now();
  const auto end = now + kSlice;
  while (!done_ && now < end) {
    const int sent = send_batch(now);
    now = steady_clock::now();
    ended_.clear();
    if (pool_->collect(ended_)) {
      pool_->expire(now - patience(), now, ended_);
    }
    for (const auto& ended : ended_) {
      finish(ended, now);
    }
    watch_device(now);
    end_pass();
    if (sent == 0 && ended_.empty()) {
      return done_;
    }
  }
  return true;
}

TimePoint Sweep::next_wake(TimePoint now) const {
  auto wake = std::min(now + kLongestNap, deadline_);
  if (const auto oldest = pool_->oldest()) {
    wake = std::min(wake, *oldest + patience());
  }
  if (gone_since_) {
    return std::min(wake, next_hold_canary_);
  }
  if (pool_->in_flight() < control_.window() && (ledger_.has_next() || settling())) {
    // Something waits for a budget; sockets of others give no signal, so look again soon.
    const auto budget = std::max({control_.next(), governor_.next_packet(), paused_until_});
    wake = std::min(wake, budget > now ? budget : now + milliseconds{5});
  }
  return wake;
}

void Sweep::tell(TimePoint now) {
  if (!progress_ || (!done_ && now - last_told_ < kProgressInterval)) {
    return;
  }
  last_told_ = now;
  const auto again =
      ledger_.pass() == 1 ? std::string{} : ", asking " + std::to_string(ledger_.in_this_pass()) + " silent ones again";
  progress_(handed_out_, ledger_.asked_for(), "tcp ports" + again);
}

SweepReport Sweep::report() {
  ledger_.fill(counts_, interruption_);
  counts_.took_ns = std::chrono::nanoseconds{steady_clock::now() - begin_}.count();
  counts_.rtt_ns = refusals_.smoothed().count();
  counts_.method = "tcp-connect";
  return std::move(counts_);
}

asio::awaitable<Result<SweepReport>> Sweep::run() {
  const auto executor = co_await asio::this_coro::executor;
  auto waitable = pool_->waitable();
  if (!waitable) {
    co_return waitable.error();
  }
  asio::posix::stream_descriptor descriptor{executor, waitable->release()};
  while (!done_) {
    const bool busy = slice();
    tell(steady_clock::now());
    if (done_) {
      break;
    }
    if (busy) {
      co_await asio::post(executor, kNoThrow);
    } else {
      pool_->wake_at(next_wake(steady_clock::now()));
      co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read, kNoThrow);
    }
    if (co_await begin_operation()) {
      interruption_ = "interrupted";
      break;
    }
    if (steady_clock::now() >= deadline_) {
      interruption_ = "the time of the step was over";
      break;
    }
  }
  if (fatal_) {
    co_return *fatal_;
  }
  co_return report();
}

}  // namespace

asio::awaitable<Result<SweepReport>> sweep_ports(Governor& governor, IpAddress address,
                                                 const std::vector<PortRange>& ports, const Progress& progress,
                                                 TimePoint deadline) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  auto order = sweep_order(ports);
  if (order.empty()) {
    co_return Error{ErrorKind::bad_input, "the port ranges name no port", {}};
  }
  auto pool = ConnectPool::open(address);
  if (!pool) {
    co_return pool.error();
  }
  Sweep sweep{governor, std::move(*pool), std::move(order), progress, deadline};
  co_return co_await sweep.run();
}

}  // namespace assay
