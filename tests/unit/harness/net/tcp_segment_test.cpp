#include "harness/net/tcp_segment.hpp"

#include <cstring>
#include <string>

#include "tests/support/catch.hpp"

using namespace assay;

namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) {
    out.push_back(static_cast<std::byte>(value));
  }
  return out;
}

/// What a receiver does: the sum over pseudo header and segment is all ones.
bool checksum_holds(const IpAddress& source, const IpAddress& target, std::span<const std::uint8_t> segment) {
  std::vector<std::uint8_t> all;
  const auto size = source.bits() / 8;
  all.insert(all.end(), source.bytes.begin(), source.bytes.begin() + static_cast<std::ptrdiff_t>(size));
  all.insert(all.end(), target.bytes.begin(), target.bytes.begin() + static_cast<std::ptrdiff_t>(size));
  all.insert(all.end(), {0, 6, 0, static_cast<std::uint8_t>(segment.size())});
  all.insert(all.end(), segment.begin(), segment.end());
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < all.size(); at += 2) {
    sum += (std::uint32_t{all[at]} << 8U) | all[at + 1];
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return sum == 0xffff;
}

// 10.0.0.5:443 answers a SYN from port 40000 with sequence 0x01020304: first SYN-ACK, then RST.
const auto kSynAck = bytes_of({0x01, 0xbb, 0x9c, 0x40, 0xaa, 0xbb, 0xcc, 0xdd, 1,    2,    3, 5,
                               0x60, 0x12, 0xfa, 0xf0, 0,    0,    0,    0,    0x02, 0x04, 5, 0xb4});
const auto kReset = bytes_of({0x01, 0xbb, 0x9c, 0x40, 0, 0, 0, 0, 1, 2, 3, 5, 0x50, 0x14, 0, 0, 0, 0, 0, 0});

std::vector<std::byte> in_ipv4(const std::vector<std::byte>& segment, int header_words = 5, int protocol = 6,
                               int fragment = 0) {
  auto out = bytes_of({0x40 | header_words, 0, 0, 0, 0, 0, fragment, 0, 64, protocol, 0, 0, 10, 0, 0, 5, 10, 0, 0, 1});
  out.resize(static_cast<std::size_t>(header_words) * 4);
  out.insert(out.end(), segment.begin(), segment.end());
  return out;
}

}  // namespace

TEST_CASE("A SYN segment is what a receiver accepts, for both families") {
  for (const auto& [from, to] : {std::pair{"10.0.0.1", "10.0.0.5"}, std::pair{"fd00::1", "fd00::ffff:5"}}) {
    const auto source = *IpAddress::parse(from);
    const auto target = *IpAddress::parse(to);
    for (const std::uint32_t sequence : {0U, 0x01020304U, 0xffffffffU}) {
      const auto segment = syn_segment(source, 40000, target, 443, sequence);
      CHECK(checksum_holds(source, target, segment));
      const auto read = parse_segment(std::as_bytes(std::span{segment}));
      REQUIRE(read);
      CHECK(read->from_port == 40000);
      CHECK(read->to_port == 443);
      CHECK(read->sequence == sequence);
      CHECK((read->syn && !read->ack && !read->reset));
    }
  }
}

TEST_CASE("SYN-ACK and RST are told apart, with and without an IP header") {
  const auto open = parse_segment(kSynAck);
  REQUIRE(open);
  CHECK((open->from_port == 443 && open->to_port == 40000 && open->acknowledges == 0x01020305));
  CHECK((open->syn && open->ack && !open->reset));
  const auto closed = parse_ipv4_packet(in_ipv4(kReset));
  REQUIRE(closed);
  CHECK((closed->reset && closed->ack && !closed->syn));
  const auto options = parse_ipv4_packet(in_ipv4(kSynAck, 15));
  REQUIRE(options);
  CHECK(options->from_port == 443);
}

TEST_CASE("Whatever is no whole segment is nothing") {
  for (std::size_t size = 0; size < 20; ++size) {
    CHECK_FALSE(parse_segment(std::span{kReset}.first(size)));
  }
  const auto packet = in_ipv4(kReset);
  for (std::size_t size = 0; size < packet.size(); ++size) {
    CHECK_FALSE(parse_ipv4_packet(std::span{packet}.first(size)));
  }
  CHECK_FALSE(parse_ipv4_packet(in_ipv4(kReset, 5, 17)));
  CHECK_FALSE(parse_ipv4_packet(in_ipv4(kReset, 5, 6, 0x20)));  // more fragments follow
  auto lying = packet;
  lying[0] = std::byte{0x4f};  // a header longer than the packet
  CHECK_FALSE(parse_ipv4_packet(lying));
  lying[0] = std::byte{0x41};  // shorter than a header can be
  CHECK_FALSE(parse_ipv4_packet(lying));
  lying[0] = std::byte{0x65};  // version 6
  CHECK_FALSE(parse_ipv4_packet(lying));
}

TEST_CASE("An ICMP error quotes at least eight bytes of our segment") {
  const auto segment = syn_segment(*IpAddress::parse("10.0.0.1"), 40000, *IpAddress::parse("10.0.0.5"), 443, 7);
  const auto bytes = std::as_bytes(std::span{segment});
  const auto quoted = parse_quoted(bytes.first(8));
  REQUIRE(quoted);
  CHECK((quoted->from_port == 40000 && quoted->to_port == 443 && quoted->sequence == 7));
  CHECK_FALSE(parse_quoted(bytes.first(7)));
}
