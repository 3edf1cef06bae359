#include "harness/net/udp_ledger.hpp"

namespace assay {

namespace {

std::string datagrams(int count) {
  return count == 1 ? "1 datagram" : std::to_string(count) + " datagrams";
}

}  // namespace

UdpLedger::UdpLedger(const std::vector<std::uint16_t>& ports) {
  for (const auto port : ports) {
    entries_.try_emplace(port);
  }
}

void UdpLedger::sent(std::uint16_t port) {
  const auto found = entries_.find(port);
  if (found != entries_.end()) {
    ++found->second.sent;
  }
}

void UdpLedger::replied(std::uint16_t port, std::uint16_t from) {
  const auto found = entries_.find(port);
  if (found == entries_.end()) {
    return;
  }
  ++found->second.replies;
  found->second.from = found->second.from == 0 ? from : found->second.from;
  if (control_ == port) {
    control_ = 0;  // the next refusal makes another
  }
}

void UdpLedger::refused(std::uint16_t port) {
  any_icmp_ = true;
  const auto found = entries_.find(port);
  if (found != entries_.end()) {
    refused_ += found->second.refusals++ == 0 ? 1 : 0;
    if (found->second.replies > 0) {
      return;
    }
  }
  // A port beside those that were asked for serves too.
  control_ = control_ == 0 ? port : control_;
}

void UdpLedger::rejected(std::uint16_t port, std::string reason) {
  const auto found = entries_.find(port);
  if (found != entries_.end()) {
    found->second.rejected = std::move(reason);
  }
}

void UdpLedger::silent_beside_control(std::uint16_t port) {
  const auto found = entries_.find(port);
  if (found != entries_.end()) {
    ++found->second.silences;
    ++silent_;
  }
}

void UdpLedger::silent_alone(std::uint16_t port) {
  const auto found = entries_.find(port);
  if (found != entries_.end()) {
    ++found->second.alone;
  }
}

bool UdpLedger::ask_alone(std::uint16_t port) const {
  constexpr std::int64_t kFewRefusals = 8;
  constexpr std::int64_t kRefusalsForOneSilence = 4;
  const auto found = entries_.find(port);
  return control_ != 0 && refused_ >= kFewRefusals && refused_ >= kRefusalsForOneSilence * silent_ &&
         found != entries_.end() && found->second.alone < kTriesAlone;
}

void UdpLedger::silent_without_control(std::uint16_t port) {
  const auto found = entries_.find(port);
  if (found != entries_.end()) {
    ++found->second.blind;
  }
}

bool UdpLedger::open(std::uint16_t port) const {
  const auto found = entries_.find(port);
  return found != entries_.end() && found->second.replies > 0;
}

bool UdpLedger::settled(std::uint16_t port) const {
  const auto found = entries_.find(port);
  if (found == entries_.end()) {
    return true;
  }
  const auto& entry = found->second;
  const bool blind = control_ == 0 && entry.blind >= kEnoughSilences;
  return entry.replies > 0 || entry.refusals > 0 || !entry.rejected.empty() || entry.silences >= kEnoughSilences ||
         blind;
}

void UdpLedger::begin_proof() {
  for (const auto& [port, entry] : entries_) {
    if (!settled(port)) {
      queue_.push_back(port);
    }
  }
}

std::optional<std::uint16_t> UdpLedger::take_next() {
  while (!queue_.empty()) {
    const auto port = queue_.front();
    queue_.pop_front();
    // Strangers to the sweep are candidates for a control, wanted while there is none.
    if (knows(port) ? !settled(port) : control_ == 0) {
      return port;
    }
  }
  return std::nullopt;
}

void UdpLedger::put_back(std::uint16_t port) {
  queue_.push_back(port);
}

bool UdpLedger::reopen_blind() {
  if (control_ == 0 || !queue_.empty()) {
    return false;
  }
  begin_proof();
  return !queue_.empty();
}

std::int64_t UdpLedger::settled_count() const {
  std::int64_t count = 0;
  for (const auto& [port, entry] : entries_) {
    count += settled(port) ? 1 : 0;
  }
  return count;
}

UdpPort UdpLedger::describe(std::uint16_t port, const Entry& entry, std::string_view why) const {
  if (entry.replies > 0 && entry.refusals > 0) {
    return {port, UdpState::unreliable, "answered once and was refused once"};
  }
  if (entry.replies > 0) {
    const bool elsewhere = entry.from != 0 && entry.from != port;
    return {port, UdpState::open, elsewhere ? "answered from udp/" + std::to_string(entry.from) : "answered"};
  }
  if (entry.refusals > 0) {
    return {port, UdpState::closed, "icmp port unreachable"};
  }
  if (!entry.rejected.empty()) {
    return {port, UdpState::open_filtered, entry.rejected};
  }
  const auto silent = "no answer to " + datagrams(entry.sent);
  if (entry.silences >= kEnoughSilences) {
    return {port, UdpState::open_filtered, silent + ", while a closed port brought its ICMP error"};
  }
  if (entry.sent == 0) {
    return {port, UdpState::unreliable, "not asked" + (why.empty() ? std::string{} : ": " + std::string{why})};
  }
  if (!any_icmp_ && why.empty()) {
    return {port, UdpState::open_filtered, silent + ", and no ICMP error came from the device for any port"};
  }
  return {port, UdpState::unreliable,
          silent + ", and whether it is closed could not be told" + (why.empty() ? "" : ": " + std::string{why})};
}

void UdpLedger::fill(UdpReport& report, std::string_view why) const {
  report.ports = count();
  for (const auto& [port, entry] : entries_) {
    auto described = describe(port, entry, why);
    switch (described.state) {
      case UdpState::open:
        ++report.open;
        break;
      case UdpState::closed:
        ++report.closed;
        continue;
      case UdpState::open_filtered:
        ++report.open_filtered;
        break;
      case UdpState::unreliable:
        ++report.unreliable;
        break;
    }
    report.results.push_back(std::move(described));
  }
}

}  // namespace assay
