#include "harness/net/flow_book.hpp"

#include <chrono>

namespace assay {

namespace {

struct Sides {
  const IpAddress& device;
  std::uint16_t own_port;
  std::uint16_t device_port;
};

Sides sides(const PacketKey& key, bool outbound) {
  return outbound ? Sides{key.destination, key.source_port, key.destination_port}
                  : Sides{key.source, key.destination_port, key.source_port};
}

std::optional<Transport> transport_of(const PacketKey& key) {
  switch (key.kind) {
    case PacketKey::Kind::tcp:
      return Transport::tcp;
    case PacketKey::Kind::udp:
      return Transport::udp;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::int64_t packet_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

void FlowBook::add(const std::string& owner, const Flow& flow) {
  const auto& known = *owners_.try_emplace(owner, kOpen).first;
  const Owned owned{flow, &known.first, &known.second};
  if (flow.own_port == 0) {
    sweeps_.push_back(owned);
  } else {
    sockets_[{flow.transport, flow.own_port}].push_back(owned);
  }
}

void FlowBook::end(const std::string& owner, std::int64_t at_ns) {
  if (const auto known = owners_.find(owner); known != owners_.end()) {
    known->second = at_ns;
  }
}

bool FlowBook::holds(const Owned& owned, const IpAddress& device, std::uint16_t device_port, std::int64_t time_ns) {
  const auto& flow = owned.flow;
  const bool any_peer = flow.own_port != 0 && flow.device_port == 0;
  return time_ns >= flow.from_ns && time_ns <= *owned.until_ns && (any_peer || flow.device == device) &&
         (flow.device_port == 0 || flow.device_port == device_port);
}

std::optional<FlowBook::Match> FlowBook::find_socket(const PacketKey& key, std::int64_t time_ns, bool outbound) const {
  const auto side = sides(key, outbound);
  const auto found = sockets_.find({*transport_of(key), side.own_port});
  if (found == sockets_.end()) {
    return std::nullopt;
  }
  for (auto owned = found->second.rbegin(); owned != found->second.rend(); ++owned) {
    if (holds(*owned, side.device, side.device_port, time_ns)) {
      return Match{owned->owner, outbound, side.own_port, side.device_port};
    }
  }
  return std::nullopt;
}

std::optional<FlowBook::Match> FlowBook::find_sweep(const PacketKey& key, std::int64_t time_ns, bool outbound) const {
  const bool sends_payload = key.kind == PacketKey::Kind::tcp && key.payload_size > 0 && !key.quoted && outbound;
  if (sends_payload) {
    return std::nullopt;
  }
  const auto side = sides(key, outbound);
  for (auto owned = sweeps_.rbegin(); owned != sweeps_.rend(); ++owned) {
    if (owned->flow.transport == *transport_of(key) && holds(*owned, side.device, side.device_port, time_ns)) {
      return Match{owned->owner, outbound, side.own_port, side.device_port};
    }
  }
  return std::nullopt;
}

std::optional<FlowBook::Match> FlowBook::find(const PacketKey& key, std::int64_t time_ns) const {
  if (!transport_of(key) || (key.source_port == 0 && key.destination_port == 0)) {
    return std::nullopt;
  }
  // An ICMP error comes from the other side and quotes what we sent.
  auto match = find_socket(key, time_ns, true);
  match = match ? match : find_socket(key, time_ns, false);
  match = match ? match : find_sweep(key, time_ns, true);
  match = match ? match : find_sweep(key, time_ns, false);
  if (match && key.quoted) {
    match->outbound = !match->outbound;
  }
  return match;
}

}  // namespace assay
