#include "harness/net/tcp_segment.hpp"

#include <algorithm>

namespace assay {

namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kIpv4Header = 20;
constexpr std::uint8_t kFlagSyn = 0x02;
constexpr std::uint8_t kFlagReset = 0x04;
constexpr std::uint8_t kFlagAck = 0x10;
constexpr std::uint16_t kWindow = 64240;
constexpr std::uint16_t kSegmentSize = 1460;

std::uint16_t u16(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(bytes[at]) << 8U) |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}

std::uint32_t u32(std::span<const std::byte> bytes, std::size_t at) {
  return (std::uint32_t{u16(bytes, at)} << 16U) | u16(bytes, at + 2);
}

void put16(std::span<std::uint8_t> bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8U);
  bytes[at + 1] = static_cast<std::uint8_t>(value & 0xffU);
}

void put32(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) {
  put16(bytes, at, static_cast<std::uint16_t>(value >> 16U));
  put16(bytes, at + 2, static_cast<std::uint16_t>(value & 0xffffU));
}

/// The one's complement sum of 16-bit words (RFC 1071); `bytes` has an even size.
std::uint32_t add_words(std::uint32_t sum, std::span<const std::uint8_t> bytes) {
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    sum += (std::uint32_t{bytes[at]} << 8U) | bytes[at + 1];
  }
  return sum;
}

std::uint16_t checksum(const IpAddress& source, const IpAddress& target, std::span<const std::uint8_t> segment) {
  const auto size = source.bits() / 8;
  auto sum = add_words(kTcp + static_cast<std::uint32_t>(segment.size()), std::span{source.bytes}.first(size));
  sum = add_words(sum, std::span{target.bytes}.first(size));
  sum = add_words(sum, segment);
  sum = (sum & 0xffffU) + (sum >> 16U);
  sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum & 0xffffU);
}

}  // namespace

std::array<std::uint8_t, kSynSize> syn_segment(const IpAddress& source, std::uint16_t from_port,
                                               const IpAddress& target, std::uint16_t to_port, std::uint32_t sequence) {
  std::array<std::uint8_t, kSynSize> out{};
  const std::span<std::uint8_t> bytes{out};
  put16(bytes, 0, from_port);
  put16(bytes, 2, to_port);
  put32(bytes, 4, sequence);
  bytes[12] = static_cast<std::uint8_t>((kSynSize / 4) << 4U);  // header length in words
  bytes[13] = kFlagSyn;
  put16(bytes, 14, kWindow);
  bytes[20] = 2;  // option: maximum segment size
  bytes[21] = 4;
  put16(bytes, 22, kSegmentSize);
  put16(bytes, 16, checksum(source, target, bytes));
  return out;
}

std::optional<TcpReply> parse_segment(std::span<const std::byte> bytes) {
  if (bytes.size() < kTcpHeader) {
    return std::nullopt;
  }
  const auto flags = std::to_integer<std::uint8_t>(bytes[13]);
  TcpReply out;
  out.from_port = u16(bytes, 0);
  out.to_port = u16(bytes, 2);
  out.sequence = u32(bytes, 4);
  out.acknowledges = u32(bytes, 8);
  out.syn = (flags & kFlagSyn) != 0;
  out.ack = (flags & kFlagAck) != 0;
  out.reset = (flags & kFlagReset) != 0;
  return out;
}

std::optional<TcpReply> parse_ipv4_packet(std::span<const std::byte> bytes) {
  if (bytes.size() < kIpv4Header || std::to_integer<unsigned>(bytes[0]) >> 4U != 4 ||
      std::to_integer<std::uint8_t>(bytes[9]) != kTcp) {
    return std::nullopt;
  }
  const std::size_t header = (std::to_integer<std::size_t>(bytes[0]) & 0x0fU) * 4;
  constexpr std::uint16_t kMoreFragmentsOrOffset = 0x3fff;
  if (header < kIpv4Header || header > bytes.size() || (u16(bytes, 6) & kMoreFragmentsOrOffset) != 0) {
    return std::nullopt;
  }
  return parse_segment(bytes.subspan(header));
}

std::optional<QuotedSegment> parse_quoted(std::span<const std::byte> bytes) {
  constexpr std::size_t kQuoted = 8;
  if (bytes.size() < kQuoted) {
    return std::nullopt;
  }
  return QuotedSegment{u16(bytes, 0), u16(bytes, 2), u32(bytes, 4)};
}

}  // namespace assay
