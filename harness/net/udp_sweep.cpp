#include "harness/net/udp_sweep.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

#include "harness/net/udp_sweeper.hpp"
#include "harness/net/waiting.hpp"

namespace assay {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr int kUdpTries = 3;
constexpr milliseconds kUdpLeastPatience{200};  // a service may think before it answers
constexpr milliseconds kUdpSlice{2};
constexpr milliseconds kUdpLongestNap{100};
constexpr milliseconds kUdpProgressInterval{250};
constexpr milliseconds kUdpLocalPause{5};
constexpr int kUdpMostLocalFailures = 1000;
constexpr int kRepliesKept = 2;  // of one question
constexpr std::size_t kAnswersKept = 1024;
constexpr std::size_t kAddressBytes = 4;
constexpr std::size_t kMostQuestions = 512;  // each holds a socket
constexpr int kRoundTripSamples = 16;
/// Looked at for a closed port when none of those asked for refused. Nothing is registered there.
constexpr std::uint16_t kControlCandidates[] = {54547, 61213, 50311};

}  // namespace

nanoseconds UdpSweeper::patience() const {
  const nanoseconds most = milliseconds{governor_.pace().reply_timeout_ms};
  const auto& estimate = round_trip_.known() ? round_trip_ : governor_.round_trip();
  return estimate.patience(std::min<nanoseconds>(kUdpLeastPatience, most), most);
}

std::string_view UdpSweeper::request_for(std::uint16_t port) const {
  for (std::size_t index = 0; index < asked_.size(); ++index) {
    if (sweep_.questions[index].port == port && asked_[index].tries > 0) {
      return requests_[index];
    }
  }
  return kAnything;
}

/// A socket for each question, so that an answer from any port is known to be its answer.
void UdpSweeper::open_questions() {
  for (const auto& question : sweep_.questions) {
    auto request = question.request;
    bool possible = asked_.size() < kMostQuestions;
    if (question.address_at) {
      possible = possible && asker_.own_address().size() == kAddressBytes &&
                 *question.address_at + kAddressBytes <= request.size();
      if (possible) {
        request.replace(*question.address_at, kAddressBytes, asker_.own_address());
      }
    }
    Asked asked;
    const auto socket =
        possible ? asker_.add_socket(question.from_port, std::nullopt) : Result<std::size_t>{std::size_t{0}};
    asked.settled = !possible || !socket;
    if (asked.settled) {
      ++counts_.unasked;
    } else {
      asked.socket = *socket;
      owners_.resize(asked.socket + 1);
      owners_[asked.socket] = asked_.size();
    }
    asked_.push_back(asked);
    requests_.push_back(std::move(request));
  }
}

bool UdpSweeper::may_send(TimePoint now) const {
  return !fatal_ && now >= paused_until_ && governor_.next_packet() <= now;
}

/// False when this host could not send; nothing is learnt about the port then.
bool UdpSweeper::send(std::size_t socket, std::uint16_t port, std::string_view request, TimePoint now) {
  governor_.try_take_packet(now);
  const int failed = asker_.send(socket, port, request);
  if (failed == 0) {
    local_in_row_ = 0;
    ++counts_.attempts;
    ledger_.sent(port);
    return true;
  }
  ++counts_.local_errors;
  const auto error = error_from_errno(failed, "send to udp/" + std::to_string(port));
  const bool denied = failed == EPERM || failed == EACCES;
  if (counts_.attempts == 0 && (denied || failed == ENETUNREACH || failed == EHOSTUNREACH)) {
    fatal_ = Error{denied ? ErrorKind::denied : ErrorKind::unreachable, error.what, {}};
  } else if (++local_in_row_ >= kUdpMostLocalFailures) {
    interruption_ = "this host could not ask: " + error.what;
    phase_ = Phase::done;
  }
  paused_until_ = now + kUdpLocalPause;
  return false;
}

int UdpSweeper::send_questions(TimePoint now) {
  int sent = 0;
  for (std::size_t index = 0; index < asked_.size() && sent < kBatch; ++index) {
    auto& asked = asked_[index];
    if (asked.settled || asked.tries >= kUdpTries || now < asked.due) {
      continue;
    }
    if (!may_send(now) || !send(asked.socket, sweep_.questions[index].port, requests_[index], now)) {
      break;
    }
    counts_.questions += asked.tries == 0 ? 1 : 0;
    counts_.retried += asked.tries > 0 ? 1 : 0;
    ++asked.tries;
    asked.sent = now;
    asked.due = now + (asked.tries == 1 ? patience() : 2 * patience());
    ++sent;
  }
  return sent;
}

void UdpSweeper::measure(nanoseconds took) {
  round_trip_.sample(took);
  if (samples_++ < kRoundTripSamples) {
    governor_.round_trip().sample(took);
  }
}

/// What an event says about ports, whoever asked.
void UdpSweeper::note(const UdpEvent& event, std::uint16_t asked_port) {
  switch (event.kind) {
    case UdpEvent::Kind::reply:
      ledger_.replied(asked_port, event.port);
      break;
    case UdpEvent::Kind::refused:
      ++counts_.icmp_errors;
      ledger_.refused(event.port);
      break;
    case UdpEvent::Kind::rejected:
      ++counts_.icmp_errors;
      ledger_.rejected(event.port, event.text);
      break;
  }
}

void UdpSweeper::keep(std::size_t index, const UdpEvent& event, TimePoint now) {
  auto& asked = asked_[index];
  if (asked.replies++ < kRepliesKept && counts_.answers.size() < kAnswersKept) {
    counts_.answers.push_back({index, event.text, event.port, nanoseconds{now - asked.sent}.count()});
  }
}

void UdpSweeper::take_for_question(std::size_t index, const UdpEvent& event, TimePoint now) {
  auto& asked = asked_[index];
  if (asked.tries == 0) {
    return;  // a stranger's datagram to a port of ours
  }
  if (!asked.settled) {
    ++counts_.answered;
    if (asked.tries == 1 && event.kind != UdpEvent::Kind::rejected) {
      measure(now - asked.sent);  // Karn: only what was asked once can be timed
    }
  }
  note(event, sweep_.questions[index].port);
  asked.settled = true;
  if (event.kind == UdpEvent::Kind::reply) {
    keep(index, event, now);
    return;
  }
  for (std::size_t other = 0; other < asked_.size(); ++other) {  // what refuses one refuses all
    asked_[other].settled = asked_[other].settled || sweep_.questions[other].port == event.port;
  }
}

void UdpSweeper::take(const UdpEvent& event, TimePoint now) {
  if (event.socket < owners_.size() && owners_[event.socket]) {
    take_for_question(*owners_[event.socket], event, now);
    return;
  }
  if (event.socket >= first_lane_socket_ && event.socket - first_lane_socket_ < lanes_.size()) {
    take_for_lane(lanes_[event.socket - first_lane_socket_], event);
  }
}

void UdpSweeper::end_questions(TimePoint now) {
  const bool left = std::any_of(asked_.begin(), asked_.end(), [&](const auto& asked) {
    return !asked.settled && (asked.tries < kUdpTries || now < asked.due);
  });
  if (left) {
    return;
  }
  counts_.questions_took_ns = nanoseconds{now - begin_}.count();
  proof_begin_ = now;
  first_lane_socket_ = owners_.size();
  if (sweep_.prove_for.count() <= 0) {
    phase_ = Phase::done;
    return;
  }
  phase_ = Phase::proof;
  if (ledger_.control() == 0) {
    for (const auto candidate : kControlCandidates) {
      ledger_.put_back(candidate);
    }
  }
  ledger_.begin_proof();
}

/// Works for a short while. False when there is nothing to do but wait.
bool UdpSweeper::slice() {
  auto now = steady_clock::now();
  const auto end = now + kUdpSlice;
  while (phase_ != Phase::done && !fatal_ && now < end) {
    events_.clear();
    const int sent = phase_ == Phase::questions ? send_questions(now) : send_pairs(now);
    const bool all_seen = asker_.collect(events_);
    now = steady_clock::now();
    for (const auto& event : events_) {
      take(event, now);
    }
    if (phase_ == Phase::questions) {
      if (all_seen) {
        end_questions(now);
      }
    } else {
      end_pairs(now, all_seen);
      end_proof(now);
    }
    if (sent == 0 && events_.empty()) {
      return phase_ == Phase::done;
    }
  }
  return true;
}

TimePoint UdpSweeper::next_wake(TimePoint now) const {
  auto wake = std::min(now + kUdpLongestNap, deadline_);
  const auto budget = std::max(governor_.next_packet(), paused_until_);
  if (phase_ == Phase::questions) {
    for (const auto& asked : asked_) {
      if (!asked.settled) {
        wake = std::min(wake, asked.tries < kUdpTries ? std::max(asked.due, budget) : asked.due);
      }
    }
    return wake;
  }
  for (const auto& lane : lanes_) {
    if (lane.busy) {
      wake = std::min(wake, lane.sent + patience());
    }
  }
  if (ledger_.has_next()) {
    wake = std::min(wake, std::max(next_pair(now), budget));
  }
  return wake;
}

void UdpSweeper::tell(TimePoint now) {
  if (!progress_ || (phase_ != Phase::done && now - last_told_ < kUdpProgressInterval)) {
    return;
  }
  last_told_ = now;
  progress_(ledger_.settled_count(), ledger_.count(),
            phase_ == Phase::questions ? "udp ports" : "udp ports, which silent ones are closed");
}

UdpReport UdpSweeper::report() {
  const auto now = steady_clock::now();
  ledger_.fill(counts_, interruption_);
  counts_.interruption = interruption_;
  counts_.lost = std::max<std::int64_t>(0, counts_.attempts - counts_.answered);
  counts_.icmp_limited = sources_.front().pacer.limited();
  counts_.icmp_per_second = errors_a_second(now);
  counts_.sources = static_cast<std::int64_t>(sources_in_use());
  counts_.rtt_ns = round_trip_.smoothed().count();
  counts_.took_ns = nanoseconds{now - begin_}.count();
  if (phase_ == Phase::questions || counts_.questions_took_ns == 0) {
    counts_.questions_took_ns = counts_.took_ns;
  }
  return std::move(counts_);
}

asio::awaitable<Result<UdpReport>> UdpSweeper::run() {
  auto waitable = asker_.waitable();
  if (!waitable) {
    co_return waitable.error();
  }
  open_questions();
  auto loop = run_sliced(*this, std::move(*waitable), deadline_);
  co_await std::move(loop);
  if (fatal_) {
    co_return *fatal_;
  }
  co_return report();
}

namespace {

std::vector<std::uint16_t> ports_of(const UdpSweep& asked) {
  std::set<std::uint16_t> ports{asked.others.begin(), asked.others.end()};
  for (const auto& question : asked.questions) {
    ports.insert(question.port);
  }
  ports.erase(0);
  return {ports.begin(), ports.end()};
}

}  // namespace

asio::awaitable<Result<UdpReport>> sweep_datagrams(Governor& governor, IpAddress address, const UdpSweep& asked,
                                                   std::vector<IpAddress> sources, const Progress& progress,
                                                   TimePoint deadline) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  auto ports = ports_of(asked);
  if (ports.empty()) {
    co_return Error{ErrorKind::bad_input, "the sweep names no UDP port", {}};
  }
  auto asker = UdpAsker::open(address);
  if (!asker) {
    co_return asker.error();
  }
  UdpSweeper sweeper{governor, std::move(*asker), asked, std::move(ports), sources, progress, deadline};
  co_return co_await sweeper.run();
}

}  // namespace assay
