#include "harness/net/sweep_ledger.hpp"

#include <algorithm>
#include <random>

#include "harness/model/usual_ports.hpp"

namespace assay {

namespace {

constexpr std::int64_t kOneIn = 1000;  // so few of the silent ones answering late leave the others believable

/// Fisher-Yates with a fixed seed: the same sweep asks in the same order wherever it runs.
void mix(std::vector<std::uint16_t>& ports) {
  std::mt19937 random{20260101};
  for (std::size_t left = ports.size(); left > 1; --left) {
    std::swap(ports[left - 1], ports[random() % left]);
  }
}

std::string_view icmp_reason(Answer answer) {
  switch (answer) {
    case Answer::host_unreachable:
      return "icmp host unreachable or prohibited";
    case Answer::net_unreachable:
      return "icmp network unreachable or prohibited";
    case Answer::protocol_unreachable:
      return "icmp protocol unreachable";
    case Answer::port_unreachable:
      return "icmp port unreachable";
    case Answer::prohibited:
      return "icmp administratively prohibited";
    default:
      return {};
  }
}

}  // namespace

std::vector<std::uint16_t> sweep_order(std::span<const PortRange> ranges) {
  std::vector<bool> wanted(65536, false);
  for (const auto& range : ranges) {
    for (std::uint32_t port = std::max<std::uint32_t>(range.first, 1); port <= range.last; ++port) {
      wanted[port] = true;
    }
  }
  std::vector<std::uint16_t> order;
  for (const auto port : kUsualPorts) {
    if (wanted[port]) {
      order.push_back(port);
      wanted[port] = false;
    }
  }
  std::vector<std::uint16_t> rest;
  for (std::uint32_t port = 1; port <= 65535; ++port) {
    if (wanted[port]) {
      rest.push_back(static_cast<std::uint16_t>(port));
    }
  }
  mix(rest);
  order.insert(order.end(), rest.begin(), rest.end());
  return order;
}

SweepLedger::SweepLedger(std::vector<std::uint16_t> order)
    : order_(std::move(order)), round_(order_), entries_(65536) {}

std::uint16_t SweepLedger::take_next() {
  const auto port = round_[next_++];
  auto& entry = entries_[port];
  entry.asked = static_cast<std::uint8_t>(std::min(entry.asked + 1, 255));
  return port;
}

void SweepLedger::put_back(std::uint16_t port) {
  auto& entry = entries_[port];
  entry.asked = static_cast<std::uint8_t>(std::max(entry.asked - 1, 0));
  round_.push_back(port);
}

void SweepLedger::note(std::uint16_t port, Answer answer, std::uint32_t epoch) {
  auto& entry = entries_[port];
  entry.last = answer;
  switch (answer) {
    case Answer::accepted:
    case Answer::accepted_then_cut:
      entry.state = answer == Answer::accepted ? State::open : State::open_cut;
      ++open_;
      ++new_in_pass_;
      open_canary_ = open_canary_ == 0 ? port : open_canary_;
      if (open_ports_.size() < kOpenRemembered) {
        open_ports_.push_back(port);
      }
      return;
    case Answer::refused:
      entry.state = State::closed;
      ++closed_;
      ++new_in_pass_;
      ++unconfirmed_;
      entry.era = era_;
      closed_canary_ = closed_canary_ == 0 ? port : closed_canary_;
      return;
    default:
      entry.state = State::unanswered;
      silent_.push_back({port, epoch});
  }
}

std::uint16_t SweepLedger::next_open() {
  return open_ports_.empty() ? std::uint16_t{0} : open_ports_[next_open_++ % open_ports_.size()];
}

void SweepLedger::confirm() {
  ++era_;
  unconfirmed_ = 0;
}

void SweepLedger::distrust() {
  for (const auto port : order_) {
    auto& entry = entries_[port];
    if (entry.state == State::closed && entry.era == era_) {
      entry.state = State::unasked;
      round_.push_back(port);
      --closed_;
    }
  }
  closed_canary_ = 0;
  unconfirmed_ = 0;
}

bool SweepLedger::finish_pass(bool healthy, std::uint32_t trusted_epoch) {
  bool doubt = false;
  const auto asked = static_cast<std::int64_t>(round_.size());
  round_.clear();
  for (const auto& silence : silent_) {
    auto& entry = entries_[silence.port];
    if (healthy && silence.epoch == trusted_epoch && entry.last != Answer::local_failure && entry.trusted < 255) {
      ++entry.trusted;
    }
    doubt = doubt || entry.trusted < kTrustedSilences;
    round_.push_back(silence.port);
  }
  silent_.clear();
  next_ = 0;
  const bool found = pass_ > 1 && new_in_pass_ > 0;
  still_finding_ = found;
  still_missing_ = pass_ > 1 && new_in_pass_ * kOneIn > asked;
  new_in_pass_ = 0;
  const bool hopeless = pass_ >= kLeastPasses && !anything_answered();
  const bool more = !round_.empty() && !hopeless &&
                    (pass_ < kMostPasses ? pass_ < kLeastPasses || found || doubt : found && pass_ < kFindingPasses);
  if (more) {
    ++pass_;
  }
  return more;
}

PortResult SweepLedger::describe_unsettled(std::uint16_t port, const Entry& entry,
                                           std::string_view interruption) const {
  PortResult result;
  result.port = port;
  const auto times = std::to_string(entry.asked) + (entry.asked == 1 ? " attempt" : " attempts");
  const auto icmp = icmp_reason(entry.last);
  if (entry.trusted >= kTrustedSilences && !still_missing_) {
    result.state = PortState::filtered;
    result.reason = icmp.empty() ? "no answer to " + times : std::string{icmp};
    return result;
  }
  result.state = PortState::unreliable;
  if (!interruption.empty()) {
    result.reason = interruption;
  } else if (entry.last == Answer::local_failure) {
    result.reason = "this host could not ask";
  } else if (!anything_answered()) {
    result.reason = (icmp.empty() ? "no answer to " + times : std::string{icmp}) + ", and no other port answered";
  } else if (still_missing_) {
    result.reason = "no answer to " + times + ", while others like it still answered when they were asked again";
  } else {
    result.reason = "no answer to " + times + ", while a port known to answer was lost too";
  }
  return result;
}

void SweepLedger::fill(SweepReport& report, std::string_view interruption) const {
  report.ports = asked_for();
  report.open = open_;
  report.closed = closed_;
  for (std::uint32_t port = 1; port <= 65535; ++port) {
    const auto number = static_cast<std::uint16_t>(port);
    const auto& entry = entries_[port];
    if (entry.state == State::open || entry.state == State::open_cut) {
      const auto* reason = entry.state == State::open ? "syn-ack" : "syn-ack, then a reset";
      report.results.push_back({number, PortState::open, reason});
    } else if (entry.state == State::unanswered) {
      report.results.push_back(describe_unsettled(number, entry, interruption));
    }
  }
  for (const auto port : order_) {
    if (entries_[port].state == State::unasked) {
      report.results.push_back({port, PortState::unreliable, std::string{interruption}});
    }
  }
  std::sort(report.results.begin(), report.results.end(),
            [](const auto& one, const auto& other) { return one.port < other.port; });
  for (const auto& result : report.results) {
    report.filtered += result.state == PortState::filtered ? 1 : 0;
    report.unreliable += result.state == PortState::unreliable ? 1 : 0;
  }
}

}  // namespace assay
