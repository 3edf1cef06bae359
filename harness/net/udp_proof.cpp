#include <algorithm>
#include <chrono>

#include "harness/net/udp_sweeper.hpp"

/// The second half of a UDP sweep: which silent ports are closed.
namespace assay {

/// More than the usual one only where the device limits its errors: elsewhere one asks as fast.
std::size_t UdpSweeper::sources_in_use() const {
  return sources_.front().pacer.limited() ? sources_.size() : 1;
}

/// In turn, so that each has rested as long as can be.
std::optional<std::size_t> UdpSweeper::ready_source(TimePoint now) {
  const auto used = sources_in_use();
  for (std::size_t step = 0; step < used; ++step) {
    const auto index = (next_source_ + step) % used;
    const auto& source = sources_[index];
    if (source.busy < source.pacer.lanes() && now >= source.pacer.next()) {
      next_source_ = (index + 1) % used;
      return index;
    }
  }
  return std::nullopt;
}

/// When a pair may leave, as far as the device's errors are concerned; later than any other event when none may before.
TimePoint UdpSweeper::next_pair(TimePoint now) const {
  auto next = TimePoint::max();
  for (std::size_t index = 0; index < sources_in_use(); ++index) {
    const auto& source = sources_[index];
    if (source.busy < source.pacer.lanes()) {
      next = std::min(next, source.pacer.next());
    }
  }
  return flow_ && sources_in_use() > 1 ? std::max({now, next, flow_->next()}) : next;
}

std::optional<std::size_t> UdpSweeper::idle_lane(std::size_t source) {
  auto& idle = sources_[source].idle;
  if (!idle.empty()) {
    const auto number = idle.back();
    idle.pop_back();
    return number;
  }
  const auto socket = asker_.add_socket(std::nullopt, sources_[source].address);
  if (!socket) {
    return std::nullopt;  // as many as this host has
  }
  lanes_.push_back({});
  lanes_.back().socket = *socket;
  lanes_.back().source = source;
  return lanes_.size() - 1;
}

void UdpSweeper::leave(Lane& lane) {
  lane.busy = false;
  --lanes_busy_;
  --sources_[lane.source].busy;
  sources_[lane.source].idle.push_back(static_cast<std::size_t>(&lane - lanes_.data()));
}

int UdpSweeper::send_pairs(TimePoint now) {
  if (!flow_ && sources_in_use() > 1) {
    flow_.emplace(now);
  }
  int sent = 0;
  while (sent < kBatch && may_send(now) && (!flow_ || now >= flow_->next())) {
    const auto source = ledger_.has_next() ? ready_source(now) : std::nullopt;
    const auto port = source ? ledger_.take_next() : std::nullopt;
    if (!port) {
      break;
    }
    const auto lane = idle_lane(*source);
    if (!lane) {
      ledger_.put_back(*port);
      break;
    }
    start_pair(*lane, *port, now);
    ++sent;
    if (!lanes_[*lane].busy) {
      break;
    }
  }
  return sent;
}

/// Back to back, the control last: a token that the device had for the control it had for the port too.
void UdpSweeper::start_pair(std::size_t number, std::uint16_t port, TimePoint now) {
  auto& lane = lanes_[number];
  auto& source = sources_[lane.source];
  Lane fresh;
  fresh.socket = lane.socket;
  fresh.source = lane.source;
  fresh.port = port;
  fresh.sent = now;
  lane = fresh;
  if (!send(lane.socket, port, request_for(port), now)) {
    ledger_.put_back(port);
    source.idle.push_back(number);
    return;
  }
  lane.busy = true;
  ++lanes_busy_;
  ++source.busy;
  lane.epoch = source.pacer.sent(now);
  if (flow_) {
    flow_->sent(now);
  }
  send_control(lane, now);
}

void UdpSweeper::send_control(Lane& lane, TimePoint now) {
  lane.alone = sources_.front().pacer.limited() && ledger_.ask_alone(lane.port);
  lane.control = lane.alone ? std::uint16_t{0} : ledger_.control();
  if (lane.control != 0 && send(lane.socket, lane.control, kAnything, now)) {
    ++counts_.controls;
  } else {
    lane.control = 0;
    lane.control_ended = true;
  }
}

void UdpSweeper::take_for_lane(Lane& lane, const UdpEvent& event) {
  const bool about_control = event.kind != UdpEvent::Kind::reply && lane.control != 0 && event.port == lane.control;
  const bool about_port = event.kind == UdpEvent::Kind::reply ? lane.busy : event.port == lane.port;
  // A late reply names its port itself, if it was asked at all.
  note(event, about_port ? lane.port : event.port);
  if (!lane.busy) {
    return;
  }
  if (about_control && !lane.control_ended) {
    lane.control_ended = true;
    ++counts_.controls_answered;
    ++counts_.answered;
  } else if (about_port && !lane.port_ended) {
    lane.port_ended = true;
    lane.port_silent = false;
    lane.port_refused = event.kind == UdpEvent::Kind::refused;
    ++counts_.answered;
  }
}

/// The device had no error left for this source, or both datagrams were lost.
void UdpSweeper::starve(Lane& lane, TimePoint now) {
  sources_[lane.source].pacer.starved(lane.epoch, now);
  if (flow_) {
    flow_->starved(now);
  }
}

/// What the pair says, once both have ended or their time is over.
void UdpSweeper::end_pair(Lane& lane, TimePoint now) {
  const bool control_silent = lane.control != 0 && !lane.control_ended;
  auto& pacer = sources_[lane.source].pacer;
  leave(lane);
  if (lane.port_refused || (lane.control != 0 && !control_silent)) {
    pacer.answered(now);
    if (flow_) {
      flow_->answered(now);
    }
  }
  if (!lane.port_silent) {
    return;
  }
  if (lane.alone) {
    ledger_.silent_alone(lane.port);
    starve(lane, now);
  } else if (lane.control == 0) {
    ledger_.silent_without_control(lane.port);
    pacer.blind();
  } else if (control_silent) {
    starve(lane, now);
  } else {
    ledger_.silent_beside_control(lane.port);
  }
  if (ledger_.knows(lane.port) && !ledger_.settled(lane.port)) {
    ledger_.put_back(lane.port);
  }
}

double UdpSweeper::errors_a_second(TimePoint now) const {
  double sum = 0;
  for (const auto& source : sources_) {
    sum += source.pacer.per_second(now).value_or(0);
  }
  return sum;
}

void UdpSweeper::end_pairs(TimePoint now, bool silence_counts) {
  const auto limit = now - patience();
  for (auto& lane : lanes_) {
    // A refused port settles the pair: its control was answered from the same bucket, or not, and says no more.
    const bool ended = lane.port_ended && (!lane.port_silent || lane.control_ended);
    if (lane.busy && (ended || (silence_counts && lane.sent <= limit))) {
      end_pair(lane, now);
    }
  }
}

void UdpSweeper::end_proof(TimePoint now) {
  if (now - proof_begin_ >= sweep_.prove_for) {
    interruption_ = "the time for the proof was over";
    if (sources_.front().pacer.limited()) {
      interruption_ += ", the device limits its ICMP errors";
    }
    phase_ = Phase::done;
    return;
  }
  if (lanes_busy_ == 0 && !ledger_.has_next() && !ledger_.reopen_blind()) {
    phase_ = Phase::done;
  }
}

}  // namespace assay
