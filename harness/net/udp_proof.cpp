#include <algorithm>
#include <chrono>

#include "harness/net/udp_sweeper.hpp"

/// The second half of a UDP sweep: which silent ports are closed.
namespace assay {

UdpSweeper::Lane* UdpSweeper::free_lane() {
  for (auto& lane : lanes_) {
    if (!lane.busy) {
      return &lane;
    }
  }
  const auto socket = asker_.add_socket(std::nullopt);
  if (!socket) {
    return nullptr;  // as many as this host has
  }
  lanes_.push_back({});
  lanes_.back().socket = *socket;
  return &lanes_.back();
}

int UdpSweeper::send_pairs(TimePoint now) {
  int sent = 0;
  while (sent < kBatch && lanes_busy_ < pacer_.lanes() && now >= pacer_.next() && may_send(now)) {
    auto* lane = free_lane();
    const auto port = lane != nullptr ? ledger_.take_next() : std::nullopt;
    if (!port) {
      break;
    }
    start_pair(*lane, *port, now);
    ++sent;
    if (!lane->busy) {
      break;
    }
  }
  return sent;
}

/// Back to back, the control last: a token that the device had for the control it had for the port too.
void UdpSweeper::start_pair(Lane& lane, std::uint16_t port, TimePoint now) {
  const auto socket = lane.socket;
  lane = Lane{};
  lane.socket = socket;
  lane.port = port;
  lane.sent = now;
  if (!send(lane.socket, port, request_for(port), now)) {
    ledger_.put_back(port);
    return;
  }
  lane.busy = true;
  ++lanes_busy_;
  lane.epoch = pacer_.sent(now);
  lane.control = ledger_.control();
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

/// What the pair says, once both have ended or their time is over.
void UdpSweeper::end_pair(Lane& lane, TimePoint now) {
  const bool control_silent = lane.control != 0 && !lane.control_ended;
  lane.busy = false;
  --lanes_busy_;
  if (lane.port_refused || (lane.control != 0 && !control_silent)) {
    pacer_.answered(now);
  }
  if (!lane.port_silent) {
    return;
  }
  if (lane.control == 0) {
    ledger_.silent_without_control(lane.port);
    pacer_.blind();
  } else if (control_silent) {
    pacer_.starved(lane.epoch, now);
  } else {
    ledger_.silent_beside_control(lane.port);
  }
  if (ledger_.knows(lane.port) && !ledger_.settled(lane.port)) {
    ledger_.put_back(lane.port);
  }
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
    if (pacer_.limited()) {
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
