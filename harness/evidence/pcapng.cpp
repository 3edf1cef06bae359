#include "harness/evidence/pcapng.hpp"

#include <algorithm>
#include <array>

namespace assay::evidence {

namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterface = 1, kStatistics = 5, kPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
constexpr std::uint64_t kUnknownLength = ~std::uint64_t{0};
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kSystem = 3, kApplication = 4;             // of a section
constexpr std::uint16_t kName = 2, kResolution = 9, kFilter = 11;  // of an interface
constexpr std::uint16_t kFlags = 2;                                // of a packet
constexpr std::uint16_t kBegan = 2, kEnded = 3, kReceived = 4, kIfDropped = 5, kOsDropped = 7, kDelivered = 8;
constexpr std::uint8_t kNanoseconds = 9;          // stamps count 10^-9 s
constexpr std::string_view kFilterText{"\0", 1};  // the filter follows as text
constexpr std::size_t kLongestOption = 0xfff0;
constexpr std::size_t kPacketHead = 28, kBlockEnd = 4;

constexpr std::size_t padded(std::size_t size) {
  return (size + 3) / 4 * 4;
}

template <class Number>
void put(std::string& out, Number value) {
  std::array<char, sizeof value> bytes;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    bytes[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xffU);
  }
  out.append(bytes.data(), bytes.size());
}

void pad(std::string& out) {
  out.resize(padded(out.size()), '\0');
}

std::size_t option_size(std::string_view value) {
  return 4 + padded(std::min(value.size(), kLongestOption));
}

void put_option(std::string& out, std::uint16_t code, std::string_view value) {
  value = value.substr(0, kLongestOption);
  put(out, code);
  put(out, static_cast<std::uint16_t>(value.size()));
  out += value;
  pad(out);
}

void put_text(std::string& out, std::uint16_t code, std::string_view value) {
  if (!value.empty()) {
    put_option(out, code, value);
  }
}

void put_number(std::string& out, std::uint16_t code, std::int64_t value) {
  std::string bytes;
  put(bytes, value);
  put_option(out, code, bytes);
}

/// High half first, as the format has its stamps.
void put_time(std::string& out, std::int64_t time_ns) {
  put(out, static_cast<std::uint32_t>(time_ns >> 32));
  put(out, static_cast<std::uint32_t>(time_ns & 0xffffffff));
}

void put_time_option(std::string& out, std::uint16_t code, std::int64_t time_ns) {
  std::string bytes;
  put_time(bytes, time_ns);
  put_option(out, code, bytes);
}

void put_block(std::string& out, std::uint32_t type, std::string_view body) {
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  put(out, type);
  put(out, length);
  out += body;
  put(out, length);
}

}  // namespace

PcapngWriter::PcapngWriter(const PcapngSection& section) {
  std::string body;
  put(body, kByteOrder);
  put(body, std::uint16_t{1});  // version 1.0
  put(body, std::uint16_t{0});
  put(body, kUnknownLength);
  put_text(body, kComment, section.comment);
  put_text(body, kSystem, section.system);
  put_text(body, kApplication, section.application);
  put_option(body, 0, {});
  put_block(bytes_, kSectionHeader, body);
}

void PcapngWriter::add(const PcapngInterface& interface) {
  std::string body;
  put(body, interface.link_type);
  put(body, std::uint16_t{0});
  put(body, interface.snap_length);
  put_text(body, kName, interface.name);
  const char resolution = static_cast<char>(kNanoseconds);
  put_option(body, kResolution, {&resolution, 1});
  put_text(body, kFilter, interface.filter.empty() ? std::string{} : std::string{kFilterText} + interface.filter);
  put_option(body, 0, {});
  put_block(bytes_, kInterface, body);
}

std::size_t PcapngWriter::size_of(const PcapngPacket& packet) {
  const bool directed = packet.direction != PcapngPacket::Direction::unknown;
  const auto options = (directed ? 8U : 0U) + (packet.comment.empty() ? 0U : option_size(packet.comment));
  return kPacketHead + padded(packet.bytes.size()) + options + (options > 0 ? 4U : 0U) + kBlockEnd;
}

void PcapngWriter::add(const PcapngPacket& packet) {
  const auto size = size_of(packet);
  put(bytes_, kPacket);
  put(bytes_, static_cast<std::uint32_t>(size));
  put(bytes_, packet.interface);
  put_time(bytes_, packet.time_ns);
  put(bytes_, static_cast<std::uint32_t>(packet.bytes.size()));
  put(bytes_, packet.original_size);
  bytes_.append(reinterpret_cast<const char*>(packet.bytes.data()), packet.bytes.size());
  pad(bytes_);
  put_text(bytes_, kComment, packet.comment);
  if (packet.direction != PcapngPacket::Direction::unknown) {
    std::string flags;
    put(flags, static_cast<std::uint32_t>(packet.direction));
    put_option(bytes_, kFlags, flags);
  }
  if (packet.direction != PcapngPacket::Direction::unknown || !packet.comment.empty()) {
    put_option(bytes_, 0, {});
  }
  put(bytes_, static_cast<std::uint32_t>(size));
}

void PcapngWriter::add(const PcapngStatistics& statistics) {
  std::string body;
  put(body, statistics.interface);
  put_time(body, statistics.ended_ns);
  put_time_option(body, kBegan, statistics.began_ns);
  put_time_option(body, kEnded, statistics.ended_ns);
  put_number(body, kReceived, statistics.received);
  put_number(body, kIfDropped, statistics.dropped_by_interface);
  put_number(body, kOsDropped, statistics.dropped_by_system);
  put_number(body, kDelivered, statistics.kept);
  put_option(body, 0, {});
  put_block(bytes_, kStatistics, body);
}

}  // namespace assay::evidence
