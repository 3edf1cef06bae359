#include "harness/net/sweep.hpp"

#include <algorithm>

#include "harness/net/connect_pool.hpp"
#include "harness/net/guarded_network.hpp"
#include "harness/net/sweeper.hpp"
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
constexpr milliseconds kLongestNap{100};
constexpr milliseconds kProgressInterval{250};
constexpr milliseconds kLocalPause{5};  // after this host ran out of something
constexpr std::size_t kMostSyns = 16384;
constexpr milliseconds kLeastNap{2};  // while the measured rate of the device decides
constexpr int kLongestPatience = 3;   // times doubled
constexpr int kSettlingCanaries = 3;
constexpr int kMostSettlingCanaries = 8;

/// Connects hold a socket here and one on the device; an unanswered SYN may be a half-open connection there.
std::size_t most_in_flight(const PortAsker& asker, const Pace& pace) {
  if (!asker.connects()) {
    return std::min<std::size_t>(max_half_open(pace), kMostSyns);
  }
  const auto limit = raise_descriptor_limit();
  const auto usable = limit > 2 * kReservedDescriptors ? limit - kReservedDescriptors : limit / 2;
  return std::min<std::size_t>(pace.max_connections, usable);
}

}  // namespace

Sweeper::Sweeper(Governor& governor, std::unique_ptr<PortAsker> asker, std::vector<std::uint16_t> order,
                 const Progress& progress, TimePoint deadline)
    : governor_(governor),
      asker_(std::move(asker)),
      ledger_(std::move(order)),
      progress_(progress),
      deadline_(deadline),
      begin_(steady_clock::now()),
      control_(most_in_flight(*asker_, governor.pace()), governor.pace().max_packets_per_second, begin_),
      last_answer_(begin_),
      open_watch_(begin_),
      slow_downs_before_(governor.throttle().slow_downs()) {
  counts_.most_half_open = static_cast<std::int64_t>(most_in_flight(*asker_, governor.pace()));
}

Sweeper::~Sweeper() {
  for (std::size_t left = asker_->in_flight() + asker_->closing() + asker_->take_closed(); left > 0; --left) {
    give_back();
  }
}

/// How long an attempt of this pass may stay unanswered: twice as long in each pass, for devices that answer late.
RoundTrip::Duration Sweeper::patience() const {
  const RoundTrip::Duration most = milliseconds{governor_.pace().connect_timeout_ms};
  const auto first = governor_.round_trip().patience(kLeastPatience, most);
  return std::min(first * (1 << std::min(ledger_.pass() - 1, kLongestPatience)),
                  std::max<RoundTrip::Duration>(first, most));
}

/// The pass is asked, but its silences need canaries beside them to be believed.
bool Sweeper::settling() const {
  return !ledger_.has_next() && asker_->in_flight() == 0 && ledger_.silent_in_pass() > 0 && ledger_.canary() != 0 &&
         control_.canaries_in_pass() < kSettlingCanaries && settling_sent_ < kMostSettlingCanaries;
}

std::optional<PortAsker::Attempt> Sweeper::choose(TimePoint now) {
  if (outage_.on()) {
    outage_.looked(now);
    return look_in_outage();
  }
  if (wants_confirmation(now)) {
    open_watch_.asking(now);
    return PortAsker::Attempt{ledger_.next_open(), Purpose::still_open, control_.epoch()};
  }
  const auto canary = ledger_.canary();
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

/// An open port where one is known: a device that is starting refuses everywhere for a while.
PortAsker::Attempt Sweeper::look_in_outage() {
  if (ledger_.has_open()) {
    return {ledger_.next_open(), Purpose::still_open, control_.epoch()};
  }
  return {ledger_.canary(), Purpose::canary, control_.epoch()};
}

bool Sweeper::take_budget(TimePoint now) {
  if (now < paused_until_ || asker_->in_flight() >= control_.window() || control_.next() > now ||
      governor_.next_packet() > now || (asker_->connects() && !governor_.try_take_socket())) {
    return false;
  }
  governor_.try_take_packet(now);
  control_.try_take(now);
  return true;
}

void Sweeper::give_back() {
  if (asker_->connects()) {
    governor_.give_back_socket();
  }
}

bool Sweeper::has_something_to_ask(TimePoint now) const {
  return outage_.on() ? now >= outage_.next_look() : ledger_.has_next() || settling() || wants_confirmation(now);
}

int Sweeper::send_batch(TimePoint now) {
  int sent = 0;
  while (sent < kBatch && !done_ && has_something_to_ask(now) && take_budget(now)) {
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

void Sweeper::start(const PortAsker::Attempt& attempt, TimePoint now) {
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
void Sweeper::local_trouble(const PortAsker::Attempt& attempt, const PortAsker::Started& started, TimePoint now) {
  give_back();
  ++counts_.local_errors;
  if (attempt.purpose == Purpose::port) {
    ledger_.put_back(attempt.port);
  }
  if (attempt.purpose == Purpose::still_open) {
    open_watch_.not_asked();
  }
  const auto error = error_from_errno(started.error, "connect to tcp/" + std::to_string(attempt.port));
  const bool never_left = counts_.attempts == 0 &&
                          (started.how == PortAsker::Start::not_allowed || started.how == PortAsker::Start::no_route);
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

void Sweeper::end_pass(TimePoint now) {
  if (ledger_.has_next() || asker_->in_flight() > 0 || outage_.on() || settling() || wants_confirmation(now)) {
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
bool Sweeper::slice() {
  auto now = steady_clock::now();
  const auto end = now + kSlice;
  while (!done_ && now < end) {
    ended_.clear();
    const int sent = send_batch(now);
    counts_.half_open = std::max(counts_.half_open, static_cast<std::int64_t>(asker_->in_flight()));
    asker_->flush(ended_);
    now = steady_clock::now();
    if (asker_->collect(ended_)) {
      asker_->expire(now - patience(), now, ended_);
    }
    for (std::size_t closed = asker_->take_closed(); closed > 0; --closed) {
      give_back();
    }
    for (const auto& ended : ended_) {
      finish(ended, now);
    }
    watch_device(now);
    end_pass(now);
    if (sent == 0 && ended_.empty()) {
      return done_;
    }
  }
  return true;
}

TimePoint Sweeper::next_wake(TimePoint now) {
  auto wake = std::min(now + kLongestNap, deadline_);
  if (const auto oldest = asker_->oldest()) {
    wake = std::min(wake, *oldest + patience());
  }
  if (outage_.on()) {
    return std::min(wake, std::max(outage_.next_look(), governor_.next_packet()));
  }
  if (asker_->in_flight() < control_.window() && has_something_to_ask(now)) {
    // Something waits for a budget; sockets of others give no signal, so look again soon.
    const auto rate = control_.next() > now ? std::max(control_.next(), now + kLeastNap) : now;
    const auto budget = std::max({rate, governor_.next_packet(), paused_until_});
    wake = std::min(wake, budget > now ? budget : now + milliseconds{5});
  }
  return wake;
}

void Sweeper::tell(TimePoint now) {
  if (!progress_ || (!done_ && now - last_told_ < kProgressInterval)) {
    return;
  }
  last_told_ = now;
  const auto again =
      ledger_.pass() == 1 ? std::string{} : ", asking " + std::to_string(ledger_.in_this_pass()) + " silent ones again";
  progress_(std::min(handed_out_, ledger_.asked_for()), ledger_.asked_for(), "tcp ports" + again);
}

asio::awaitable<Result<SweepReport>> Sweeper::run() {
  auto waitable = asker_->waitable();
  if (!waitable) {
    co_return waitable.error();
  }
  auto loop = run_sliced(*this, std::move(*waitable), deadline_);
  co_await std::move(loop);
  if (fatal_) {
    co_return *fatal_;
  }
  co_return report();
}

namespace {

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
  Sweeper sweep{governor, std::move(*asker), std::move(order), progress, deadline};
  co_return co_await sweep.run();
}

}  // namespace assay
