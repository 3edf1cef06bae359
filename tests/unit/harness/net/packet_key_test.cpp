#include "harness/net/packet_key.hpp"

#include <fstream>
#include <iterator>

#include "harness/net/flow_book.hpp"
#include "tests/support/catch.hpp"

namespace assay::packet_key_tests {

namespace {

/// A frame of the fuzz corpus: there they are whole, here they are known.
std::vector<std::byte> frame(const std::string& name) {
  std::ifstream file{std::string{ASSAY_SOURCE_DIR} + "/tests/fuzz/corpus/packet_key/" + name, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  REQUIRE_FALSE(text.empty());
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

PacketKey key_of(const std::string& name, LinkType link = LinkType::ethernet) {
  const auto key = packet_key(frame(name), link);
  REQUIRE(key);
  return *key;
}

std::string payload(const std::string& name, const PacketKey& key) {
  std::string out;
  const auto whole = frame(name);
  for (const auto byte : std::span{whole}.subspan(key.payload_at, key.payload_size)) {
    out += static_cast<char>(byte);
  }
  return out;
}

const auto kDevice = *IpAddress::parse("10.0.0.2");
const auto kUs = *IpAddress::parse("10.0.0.1");

}  // namespace

TEST_CASE("packet key: a TCP segment has its ports and its payload without the padding of the frame") {
  const auto key = key_of("tcp_banner");
  CHECK(key.kind == PacketKey::Kind::tcp);
  CHECK(key.source == kDevice);
  CHECK(key.destination == kUs);
  CHECK(key.source_port == 22);
  CHECK(key.destination_port == 40000);
  CHECK(key.ack);
  CHECK_FALSE(key.reset);
  CHECK(payload("tcp_banner", key) == "SSH-2.0-x\r\n");
}

TEST_CASE("packet key: VLAN tags and IPv6 extension headers are passed over") {
  CHECK(payload("udp_vlan", key_of("udp_vlan")) == "answer");
  const auto key = key_of("ip6_extensions");
  CHECK(key.kind == PacketKey::Kind::tcp);
  CHECK(key.source_port == 80);
  CHECK(payload("ip6_extensions", key) == "hi");
}

TEST_CASE("packet key: a later fragment has no ports") {
  const auto key = key_of("fragment");
  CHECK(key.kind == PacketKey::Kind::udp);
  CHECK(key.source_port == 0);
  CHECK(key.checksums_at[0] == 0);
}

TEST_CASE("packet key: an ICMP error has the ports of the packet it is about") {
  const auto key = key_of("icmp_error");
  CHECK(key.kind == PacketKey::Kind::tcp);
  CHECK(key.quoted);
  CHECK(key.source == kUs);
  CHECK(key.source_port == 40000);
  CHECK(key.destination_port == 81);
  const auto six = key_of("icmp6_error");
  CHECK(six.kind == PacketKey::Kind::udp);
  CHECK(six.quoted);
  CHECK(six.destination_port == 161);
}

TEST_CASE("packet key: ARP has addresses, plain IP links have no header, and nothing is read beyond the frame") {
  CHECK(key_of("arp").kind == PacketKey::Kind::arp);
  CHECK(key_of("arp").source == kDevice);
  CHECK(key_of("plain_ip", LinkType::ip).destination_port == 68);
  CHECK_FALSE(packet_key({}, LinkType::ethernet));
  for (const auto* name : {"tcp_banner", "udp_vlan", "icmp_error", "ip6_extensions", "arp", "lying_lengths"}) {
    const auto whole = frame(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto key = packet_key(std::span{whole}.first(size), LinkType::ethernet);
      CHECK((!key || key->payload_at + key->payload_size <= size));
    }
  }
}

TEST_CASE("packet key: the sender of a frame is known but on loopback") {
  CHECK(frame_sender(frame("arp"), LinkType::ethernet) == MacAddress{2, 0, 0, 0, 0, 1});
  CHECK_FALSE(frame_sender(std::vector<std::byte>(60), LinkType::ethernet));
  CHECK_FALSE(frame_sender(frame("plain_ip"), LinkType::ip));
}

TEST_CASE("flow book: a frame belongs to whose socket it is, in the time of that owner") {
  FlowBook book;
  book.add("i1", {Transport::tcp, 40000, kDevice, 22, 100});
  const auto key = key_of("tcp_banner");
  CHECK_FALSE(book.find(key, 99));
  const auto match = book.find(key, 100);
  REQUIRE(match);
  CHECK(*match->owner == "i1");
  CHECK_FALSE(match->outbound);
  CHECK(match->own_port == 40000);
  CHECK(match->device_port == 22);
  book.end("i1", 200);
  CHECK_FALSE(book.find(key, 201));
  book.add("i2", {Transport::tcp, 40000, kDevice, 22, 300});
  CHECK(*book.find(key, 301)->owner == "i2");
  CHECK(*book.find(key, 150)->owner == "i1");
}

TEST_CASE("flow book: a socket to another port or device has no part in it") {
  FlowBook book;
  book.add("i1", {Transport::tcp, 40000, kDevice, 23, 0});
  book.add("i2", {Transport::tcp, 40000, kUs, 22, 0});
  book.add("i3", {Transport::udp, 40000, kDevice, 0, 0});
  CHECK_FALSE(book.find(key_of("tcp_banner"), 1));
}

TEST_CASE("flow book: a sweep has what no socket has, but not what carries a payload of ours") {
  FlowBook book;
  book.add("sweep", {Transport::tcp, 0, kDevice, 0, 0});
  CHECK(*book.find(key_of("tcp_banner"), 1)->owner == "sweep");
  book.add("i2", {Transport::tcp, 40000, kDevice, 22, 0});
  CHECK(*book.find(key_of("tcp_banner"), 1)->owner == "i2");
  auto ours = key_of("tcp_banner");
  std::swap(ours.source, ours.destination);
  std::swap(ours.source_port, ours.destination_port);
  ours.source_port = 40001;
  CHECK_FALSE(book.find(ours, 1));
  ours.payload_size = 0;
  CHECK(book.find(ours, 1)->outbound);
}

TEST_CASE("flow book: an ICMP error comes in and is about what went out") {
  FlowBook book;
  book.add("i1", {Transport::tcp, 40000, kDevice, 81, 0});
  const auto match = book.find(key_of("icmp_error"), 1);
  REQUIRE(match);
  CHECK_FALSE(match->outbound);
  CHECK(match->device_port == 81);
}

}  // namespace assay::packet_key_tests
