#include "harness/net/packet_key.hpp"

#include <algorithm>

namespace assay {

namespace {

using FrameBytes = std::span<const std::byte>;
using PacketKind = PacketKey::Kind;

constexpr std::uint16_t kEtherIpv4 = 0x0800, kEtherIpv6 = 0x86dd, kEtherArp = 0x0806, kVlan = 0x8100,
                        kServiceVlan = 0x88a8;
constexpr std::size_t kEthernetHeader = 14;
constexpr std::uint8_t kIcmpNumber = 1, kTcpNumber = 6, kUdpNumber = 17, kIcmp6Number = 58;
constexpr std::size_t kIcmpHeader = 8;  // of an error, before the packet it quotes
constexpr int kMostExtensions = 8;

std::uint8_t byte_at(FrameBytes bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

std::uint16_t word_at(FrameBytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

IpAddress address_at(FrameBytes bytes, std::size_t at, bool v6) {
  IpAddress out;
  out.v6 = v6;
  for (std::size_t i = 0; i < (v6 ? 16U : 4U); ++i) {
    out.bytes[i] = byte_at(bytes, at + i);
  }
  return out;
}

/// An IP packet in a frame: what comes after its headers.
struct Packet {
  bool v6 = false;
  std::uint8_t protocol = 0;
  bool later_fragment = false;
  std::size_t at = 0;   // of the transport header
  std::size_t end = 0;  // of the packet, without padding
};

void put_transport(FrameBytes frame, const Packet& packet, PacketKey& key);

/// An error quotes the packet that caused it (RFC 792; RFC 4443, 3). Only one level: an error is never about an error.
void put_icmp(FrameBytes frame, const Packet& packet, PacketKey& key);

std::optional<Packet> ipv4_in(FrameBytes frame, std::size_t at, PacketKey& key) {
  if (frame.size() < at + 20 || byte_at(frame, at) >> 4U != 4) {
    return std::nullopt;
  }
  const std::size_t header = (byte_at(frame, at) & 0x0fU) * 4U;
  const std::size_t total = word_at(frame, at + 2);
  if (header < 20) {
    return std::nullopt;
  }
  key.source = address_at(frame, at + 12, false);
  key.destination = address_at(frame, at + 16, false);
  Packet out;
  out.protocol = byte_at(frame, at + 9);
  out.later_fragment = (word_at(frame, at + 6) & 0x1fffU) != 0;
  out.at = at + header;
  // A length of zero is a large segment that the network card was to cut (Linux leaves it so).
  out.end = total == 0 ? frame.size() : std::min(frame.size(), at + total);
  return out;
}

std::optional<Packet> ipv6_in(FrameBytes frame, std::size_t at, PacketKey& key) {
  if (frame.size() < at + 40 || byte_at(frame, at) >> 4U != 6) {
    return std::nullopt;
  }
  key.source = address_at(frame, at + 8, true);
  key.destination = address_at(frame, at + 24, true);
  const std::size_t length = word_at(frame, at + 4);
  Packet out;
  out.v6 = true;
  out.protocol = byte_at(frame, at + 6);
  out.at = at + 40;
  out.end = length == 0 ? frame.size() : std::min(frame.size(), at + 40 + length);
  for (int count = 0; count < kMostExtensions; ++count) {
    const bool fragment = out.protocol == 44;
    const bool other = out.protocol == 0 || out.protocol == 43 || out.protocol == 60;
    if ((!fragment && !other) || out.at + 8 > out.end) {
      break;
    }
    if (fragment) {
      out.later_fragment = (word_at(frame, out.at + 2) & 0xfff8U) != 0;
    }
    out.protocol = byte_at(frame, out.at);
    out.at += fragment ? 8U : (byte_at(frame, out.at + 1) + 1U) * 8U;
  }
  return out;
}

std::optional<Packet> ip_in(FrameBytes frame, std::size_t at, PacketKey& key) {
  if (at >= frame.size()) {
    return std::nullopt;
  }
  return byte_at(frame, at) >> 4U == 4 ? ipv4_in(frame, at, key) : ipv6_in(frame, at, key);
}

void put_payload(const Packet& packet, std::size_t header, PacketKey& key) {
  key.payload_at = std::min(packet.at + header, packet.end);
  key.payload_size = packet.end - key.payload_at;
}

void put_tcp(FrameBytes frame, const Packet& packet, PacketKey& key) {
  const auto at = packet.at;
  if (packet.end < at + 8) {
    return;
  }
  key.source_port = word_at(frame, at);
  key.destination_port = word_at(frame, at + 2);
  key.sequence = std::uint32_t{word_at(frame, at + 4)} << 16U | word_at(frame, at + 6);
  if (packet.end < at + 20) {
    return;  // as an ICMP error may quote it
  }
  const auto flags = byte_at(frame, at + 13);
  key.syn = (flags & 0x02U) != 0;
  key.reset = (flags & 0x04U) != 0;
  key.ack = (flags & 0x10U) != 0;
  put_payload(packet, std::max<std::size_t>(20, (byte_at(frame, at + 12) >> 4U) * 4U), key);
  key.checksums_at[key.quoted ? 1 : 0] = at + 16;
}

void put_udp(FrameBytes frame, const Packet& packet, PacketKey& key) {
  const auto at = packet.at;
  if (packet.end < at + 8) {
    return;
  }
  key.source_port = word_at(frame, at);
  key.destination_port = word_at(frame, at + 2);
  put_payload(packet, 8, key);
  key.checksums_at[key.quoted ? 1 : 0] = at + 6;
}

void put_icmp(FrameBytes frame, const Packet& packet, PacketKey& key) {
  const auto at = packet.at;
  if (packet.end < at + kIcmpHeader) {
    return;
  }
  const auto type = byte_at(frame, at);
  const bool error = packet.v6 ? type < 128 : type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
  key.checksums_at[0] = at + 2;
  put_payload(packet, kIcmpHeader, key);
  PacketKey about;
  about.quoted = true;
  const auto quoted = error && !key.quoted ? ip_in(frame.first(packet.end), at + kIcmpHeader, about) : std::nullopt;
  if (!quoted) {
    return;
  }
  put_transport(frame.first(packet.end), *quoted, about);
  about.checksums_at[0] = at + 2;
  key = about;
}

void put_transport(FrameBytes frame, const Packet& packet, PacketKey& key) {
  put_payload(packet, 0, key);
  const bool tcp = packet.protocol == kTcpNumber;
  const bool icmp = packet.protocol == (packet.v6 ? kIcmp6Number : kIcmpNumber);
  key.kind = tcp                             ? PacketKind::tcp
             : packet.protocol == kUdpNumber ? PacketKind::udp
             : icmp                          ? PacketKind::icmp
                                             : PacketKind::other;
  if (packet.later_fragment || packet.at > packet.end) {
    return;
  }
  if (tcp) {
    put_tcp(frame, packet, key);
  } else if (key.kind == PacketKind::udp) {
    put_udp(frame, packet, key);
  } else if (icmp) {
    put_icmp(frame, packet, key);
  }
}

/// Sender and target of an ARP message for IPv4 over Ethernet (RFC 826).
std::optional<PacketKey> arp_in(FrameBytes frame, std::size_t at) {
  if (frame.size() < at + 28 || word_at(frame, at + 2) != kEtherIpv4 || byte_at(frame, at + 4) != 6 ||
      byte_at(frame, at + 5) != 4) {
    return std::nullopt;
  }
  PacketKey key;
  key.kind = PacketKind::arp;
  key.source = address_at(frame, at + 14, false);
  key.destination = address_at(frame, at + 24, false);
  return key;
}

}  // namespace

std::optional<PacketKey> packet_key(FrameBytes frame, LinkType link) {
  std::size_t at = 0;
  if (link == LinkType::ethernet) {
    at = kEthernetHeader;
    if (frame.size() < at) {
      return std::nullopt;
    }
    auto type = word_at(frame, at - 2);
    for (int tags = 0; tags < 2 && (type == kVlan || type == kServiceVlan) && frame.size() >= at + 4; ++tags) {
      type = word_at(frame, at + 2);
      at += 4;
    }
    if (type == kEtherArp) {
      return arp_in(frame, at);
    }
    if (type != kEtherIpv4 && type != kEtherIpv6) {
      return std::nullopt;
    }
  }
  PacketKey key;
  const auto packet = ip_in(frame, at, key);
  if (!packet) {
    return std::nullopt;
  }
  put_transport(frame, *packet, key);
  return key;
}

std::optional<MacAddress> frame_sender(FrameBytes frame, LinkType link) {
  if (link != LinkType::ethernet || frame.size() < kEthernetHeader) {
    return std::nullopt;
  }
  MacAddress out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = byte_at(frame, 6 + i);
  }
  return out == MacAddress{} ? std::nullopt : std::optional{out};
}

}  // namespace assay
