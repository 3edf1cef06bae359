#include "harness/net/sweep.hpp"

#include <optional>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include "harness/net/connect_pool.hpp"
#include "harness/net/guarded_network.hpp"
#include "harness/net/open_watch.hpp"
#include "harness/net/sweep_control.hpp"
#include "harness/net/sweep_ledger.hpp"
#include "harness/net/syn_pool.hpp"
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
constexpr std::size_t kLeastSyns = 16;
constexpr std::size_t kMostSyns = 16384;
constexpr milliseconds kLeastNap{2};  // while the measured rate of the device decides
constexpr int kLongestPatience = 3;  // times doubled
constexpr int kSettlingCanaries = 3;
constexpr int kMostSettlingCanaries = 8;

/// Connects hold a socket here and one on the device. A SYN holds neither: of those only the rate counts.
std::size_t most_in_flight(const PortAsker& asker, const Pace& pace) {
  if (!asker.connects()) {
    return std::clamp<std::size_t>(pace.max_packets_per_second, kLeastSyns, kMostSyns);
  }
  const auto limit = raise_descriptor_limit();
  const auto usable = limit > 2 * kReservedDescriptors ? limit - kReservedDescriptors : limit / 2;
  return std::min<std::size_t>(pace.max_connections, usable);
}

using Purpose = PortAsker::Purpose;

class Sweep {
 public:
  Sweep(Governor& governor, std::unique_ptr<PortAsker> asker, std::vector<std::uint16_t> order,
        const Progress& progress, TimePoint deadline)
      : governor_(governor),
        asker_(std::move(asker)),
        ledger_(std::move(order)),
        progress_(progress),
        deadline_(deadline),
        begin_(steady_clock::now()),
        control_(most_in_flight(*asker_, governor.pace()), governor.pace().max_packets_per_second, begin_) {
    last_answer_ = begin_;
  }

  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// Sockets that are still pending go back to the budget.
  ~Sweep() {
    for (std::size_t left = asker_->in_flight(); left > 0; --left) {
      give_back();
    }
  }

  asio::awaitable<Result<SweepReport>> run();

 private:
  bool slice();
  int send_batch(TimePoint now);
  std::optional<PortAsker::Attempt> choose(TimePoint now);
  bool take_budget(TimePoint now);
  void give_back();
  void start(const PortAsker::Attempt& attempt, TimePoint now);
  void local_trouble(const PortAsker::Attempt& attempt, const PortAsker::Started& started, TimePoint now);
  void finish(const PortAsker::Ended& ended, TimePoint now);
  void measure(std::chrono::nanoseconds took, TimePoint now);
  void finish_canary(const PortAsker::Ended& ended, bool answered, TimePoint now);
  void finish_still_open(Answer answer);
  bool wants_confirmation() const;
  void end_pass();
  void watch_device(TimePoint now);
  void tell(TimePoint now);
  bool settling() const;
  RoundTrip::Duration patience() const;
  TimePoint next_wake(TimePoint now);
  SweepReport report();

  Governor& governor_;
  std::unique_ptr<PortAsker> asker_;
  SweepLedger ledger_;
  const Progress& progress_;
  TimePoint deadline_;
  TimePoint begin_;
  SweepControl control_;
  SweepReport counts_;
  RoundTrip refusals_;
  std::chrono::nanoseconds slowest_{0};
  TimePoint round_start_{};
  std::vector<PortAsker::Ended> ended_;
  std::optional<Error> fatal_;
  std::string interruption_;
  bool done_ = false;
  std::int64_t handed_out_ = 0;
  int settling_sent_ = 0;
  int local_in_row_ = 0;
  TimePoint paused_until_{};
  TimePoint last_answer_{};
  TimePoint last_told_{};
  std::optional<TimePoint> gone_since_;
  Tally canaries_;
  Tally looks_;
  OpenWatch open_watch_;
  TimePoint next_hold_canary_{};
};

/// How long an attempt of this pass may stay unanswered: twice as long in each pass, for devices that answer late.
RoundTrip::Duration Sweep::patience() const {
  const RoundTrip::Duration most = milliseconds{governor_.pace().connect_timeout_ms};
  const auto first = governor_.round_trip().patience(kLeastPatience, most);
  return std::min(first * (1 << std::min(ledger_.pass() - 1, kLongestPatience)), std::max<RoundTrip::Duration>(first, most));
}

/// The pass is asked, but its silences need canaries beside them to be believed.
bool Sweep::settling() const {
  return !ledger_.has_next() && asker_->in_flight() == 0 && ledger_.silent_in_pass() > 0 && ledger_.canary() != 0 &&
         control_.canaries_in_pass() < kSettlingCanaries && settling_sent_ < kMostSettlingCanaries;
}

std::optional<PortAsker::Attempt> Sweep::choose(TimePoint now) {
  const auto canary = ledger_.canary();
  if (gone_since_) {
    if (now < next_hold_canary_) {
      return std::nullopt;
    }
    next_hold_canary_ = now + kHoldSpacing;
    return PortAsker::Attempt{canary, Purpose::canary, control_.epoch()};
  }
  if (wants_confirmation()) {
    open_watch_.asking();
    return PortAsker::Attempt{ledger_.next_open(), Purpose::still_open, control_.epoch()};
  }
  const bool settle = settling();
  if (canary != 0 && (settle || (ledger_.has_next() && control_.wants_canary(now)))) {
    settling_sent_ += settle ? 1 : 0;
    return PortAsker::Attempt{canary, Purpose::canary, control_.epoch()};
  }
  if (!ledger_.has_next()) {
    return std::nullopt;
  }
  return PortAsker::Attempt{ledger_.take_next(), Purpose::port, control_.epoch()};
}

bool Sweep::take_budget(TimePoint now) {
  if (now < paused_until_ || asker_->in_flight() >= control_.window() || control_.next() > now ||
      governor_.next_packet() > now || (asker_->connects() && !governor_.try_take_socket())) {
    return false;
  }
  governor_.try_take_packet(now);
  control_.try_take(now);
  return true;
}

void Sweep::give_back() {
  if (asker_->connects()) {
    governor_.give_back_socket();
  }
}

int Sweep::send_batch(TimePoint now) {
  int sent = 0;
  while (sent < kBatch && !done_) {
    const bool something =
        gone_since_ ? now >= next_hold_canary_ : ledger_.has_next() || settling() || wants_confirmation();
    if (!something || !take_budget(now)) {
      break;
    }
    const auto attempt = choose(now);
    if (!attempt) {
      give_back();
      break;
    }
    start(*attempt, now);
    ++sent;
    now = steady_clock::now();
  }
  return sent;
}

void Sweep::start(const PortAsker::Attempt& attempt, TimePoint now) {
  if (attempt.purpose == Purpose::canary) {
    control_.canary_sent(now);
  }
  const auto started = asker_->start(attempt, now);
  if (started.how != PortAsker::Start::pending && started.how != PortAsker::Start::ended) {
    local_trouble(attempt, started, now);
    return;
  }
  local_in_row_ = 0;
  ++counts_.attempts;
  const bool of_port = attempt.purpose == Purpose::port;
  counts_.retried += ledger_.pass() > 1 && of_port ? 1 : 0;
  handed_out_ += ledger_.pass() == 1 && of_port ? 1 : 0;
  if (started.how == PortAsker::Start::ended) {
    finish(started.ended, now);
  }
}

/// This host could not ask: nothing is learnt about the port, it comes again after a pause.
void Sweep::local_trouble(const PortAsker::Attempt& attempt, const PortAsker::Started& started, TimePoint now) {
  give_back();
  ++counts_.local_errors;
  if (attempt.purpose == Purpose::port) {
    ledger_.put_back(attempt.port);
  }
  if (attempt.purpose == Purpose::still_open) {
    open_watch_.not_asked();
  }
  const auto error = error_from_errno(started.error, "connect to tcp/" + std::to_string(attempt.port));
  const bool never_left = counts_.attempts == 0 && (started.how == PortAsker::Start::not_allowed ||
                                                    started.how == PortAsker::Start::no_route);
  if (never_left) {
    const bool denied = started.how == PortAsker::Start::not_allowed;
    fatal_ = Error{denied ? ErrorKind::denied : ErrorKind::unreachable, error.what, {}};
    done_ = true;
    return;
  }
  if (started.how == PortAsker::Start::no_descriptors) {
    control_.limit_window(std::max<std::size_t>(1, asker_->in_flight()));
  }
  if (++local_in_row_ >= kMostLocalFailures) {
    interruption_ = "this host could not ask: " + error.what;
    done_ = true;
  }
  paused_until_ = now + kLocalPause;
}

void Sweep::finish(const PortAsker::Ended& ended, TimePoint now) {
  give_back();
  const auto answer = ended.answer;
  const bool answered = answer == Answer::accepted || answer == Answer::accepted_then_cut || answer == Answer::refused;
  if (answered) {
    ++counts_.answered;
    last_answer_ = now;
    measure(ended.took, now);
    if (asker_->connects()) {
      governor_.connect_answered();
    }
    if (answer == Answer::refused) {
      refusals_.sample(ended.took);
    }
  } else if (answer == Answer::silence) {
    ++counts_.lost;
    control_.went_silent();
  } else if (answer == Answer::local_failure) {
    ++counts_.local_errors;
    if (++local_in_row_ >= kMostLocalFailures) {
      interruption_ = "this host could not ask";
      done_ = true;
    }
  } else {
    ++counts_.answered;  // ICMP: an answer of the path, not of the port
  }
  if (ended.attempt.purpose == Purpose::canary) {
    finish_canary(ended, answered, now);
    return;
  }
  if (ended.attempt.purpose == Purpose::still_open) {
    finish_still_open(answer);
    return;
  }
  ledger_.note(ended.attempt.port, answer, ended.attempt.epoch);
  if (answered) {
    control_.answered(ended.took);
  } else if (control_.lost_in_row() == 0) {
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

void Sweep::finish_canary(const PortAsker::Ended& ended, bool answered, TimePoint now) {
  if (ended.answer == Answer::local_failure) {
    return;
  }
  canaries_.count(answered);
  if (!answered) {
    open_watch_.canary_lost();  // a device that limits its resets still answers there
  }
  if (control_.canary_ended(answered, ended.attempt.epoch, now) && asker_->connects()) {
    governor_.connect_timed_out(now);
  }
}

bool Sweep::wants_confirmation() const {
  const bool end_of_pass = !ledger_.has_next() && asker_->in_flight() == 0;
  return ledger_.has_open() && !gone_since_ && open_watch_.wants(ledger_.unconfirmed(), end_of_pass);
}

void Sweep::finish_still_open(Answer answer) {
  looks_.count(answer == Answer::accepted || answer == Answer::accepted_then_cut);
  switch (open_watch_.ended(answer)) {
    case OpenWatch::Finding::nothing:
      return;
    case OpenWatch::Finding::confirmed:
      ledger_.confirm();
      return;
    case OpenWatch::Finding::turned_away:
      counts_.turned_away = true;
      interruption_ = "open ports began to refuse: the device turns a scanner away";
      ledger_.distrust();
      done_ = true;
  }
}

/// A device that is gone is not scanned on: the sweep holds, asks for the canary only, and goes on when it answers.
void Sweep::watch_device(TimePoint now) {
  if (gone_since_) {
    if (last_answer_ > *gone_since_) {
      gone_since_.reset();
    } else if (now - *gone_since_ > kHoldLimit) {
      interruption_ = "the device stopped answering";
      counts_.stopped_answering = true;
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
  if (ledger_.has_next() || asker_->in_flight() > 0 || gone_since_ || settling() || wants_confirmation()) {
    return;
  }
  settling_sent_ = 0;
  if (!ledger_.finish_pass(control_.healthy(), control_.epoch())) {
    done_ = true;
    return;
  }
  control_.begin_pass(ledger_.still_finding());
}

/// Works for a short while. False when there is nothing to do but wait.
bool Sweep::slice() {
  auto now = steady_clock::now();
  const auto end = now + kSlice;
  while (!done_ && now < end) {
    ended_.clear();
    const int sent = send_batch(now);
    asker_->flush(ended_);
    now = steady_clock::now();
    if (asker_->collect(ended_)) {
      asker_->expire(now - patience(), now, ended_);
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

TimePoint Sweep::next_wake(TimePoint now) {
  auto wake = std::min(now + kLongestNap, deadline_);
  if (const auto oldest = asker_->oldest()) {
    wake = std::min(wake, *oldest + patience());
  }
  if (gone_since_) {
    return std::min(wake, next_hold_canary_);
  }
  if (asker_->in_flight() < control_.window() && (ledger_.has_next() || settling() || wants_confirmation())) {
    // Something waits for a budget; sockets of others give no signal, so look again soon.
    const auto rate = control_.next() > now ? std::max(control_.next(), now + kLeastNap) : now;
    const auto budget = std::max({rate, governor_.next_packet(), paused_until_});
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
  counts_.method = asker_->method();
  counts_.slow_downs = static_cast<std::int64_t>(control_.slow_downs());
  counts_.limit_a_second = static_cast<std::int64_t>(control_.limit());
  counts_.resets_limited = control_.slow_downs() > 0 && canaries_.lost >= Tally::kEnoughToTell && looks_.all_answered();
  return std::move(counts_);
}

asio::awaitable<Result<SweepReport>> Sweep::run() {
  const auto executor = co_await asio::this_coro::executor;
  auto waitable = asker_->waitable();
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
      asker_->wake_at(next_wake(steady_clock::now()));
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

/// SYN segments where this process may send them, else connects.
Result<std::unique_ptr<PortAsker>> open_asker(const IpAddress& address, SweepMethod method) {
  if (method == SweepMethod::connect) {
    return ConnectPool::open(address);
  }
  auto syn = SynPool::open(address);
  const bool not_allowed = !syn && syn.error().kind == ErrorKind::denied;
  return not_allowed && method == SweepMethod::best ? ConnectPool::open(address) : std::move(syn);
}

}  // namespace

asio::awaitable<Result<SweepReport>> sweep_ports(Governor& governor, IpAddress address,
                                                 const std::vector<PortRange>& ports, SweepMethod method,
                                                 const Progress& progress, TimePoint deadline) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  auto order = sweep_order(ports);
  if (order.empty()) {
    co_return Error{ErrorKind::bad_input, "the port ranges name no port", {}};
  }
  auto asker = open_asker(address, method);
  if (!asker) {
    co_return asker.error();
  }
  Sweep sweep{governor, std::move(*asker), std::move(order), progress, deadline};
  co_return co_await sweep.run();
}

}  // namespace assay
