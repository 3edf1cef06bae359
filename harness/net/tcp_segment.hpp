#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "harness/net/address.hpp"

/// TCP segments (RFC 9293, 3.1) as a SYN sweep sends and reads them. Pure.
namespace assay {

/// A TCP header with one option, the maximum segment size: what a plain client sends first.
constexpr std::size_t kSynSize = 24;

/// A SYN from `source`:`from_port` to `target`:`to_port`, checksum included (over the pseudo header of the address
/// family: RFC 9293, 3.1; RFC 8200, 8.1).
std::array<std::uint8_t, kSynSize> syn_segment(const IpAddress& source, std::uint16_t from_port,
                                               const IpAddress& target, std::uint16_t to_port, std::uint32_t sequence);

/// What matters of a received segment.
struct TcpReply {
  std::uint16_t from_port = 0;
  std::uint16_t to_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledges = 0;
  bool syn = false;
  bool ack = false;
  bool reset = false;
};

/// A segment from its first byte on; nothing when it is cut short of a TCP header.
std::optional<TcpReply> parse_segment(std::span<const std::byte> bytes);

/// A packet of a raw IPv4 socket, from its IP header on. Nothing for fragments and for anything that is no whole header.
std::optional<TcpReply> parse_ipv4_packet(std::span<const std::byte> bytes);

/// Ports and sequence number of one of our own segments, as an ICMP error quotes it (RFC 792: at least 8 bytes).
struct QuotedSegment {
  std::uint16_t from_port = 0;
  std::uint16_t to_port = 0;
  std::uint32_t sequence = 0;
};

std::optional<QuotedSegment> parse_quoted(std::span<const std::byte> bytes);

}  // namespace assay
