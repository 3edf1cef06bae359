#include "harness/evidence/pcapng.hpp"

#include <cstring>
#include <map>
#include <vector>

#include "tests/support/catch.hpp"

using namespace assay::evidence;

namespace {

template <class Number>
Number number(std::string_view bytes, std::size_t at) {
  REQUIRE(at + sizeof(Number) <= bytes.size());
  Number out{};
  std::memcpy(&out, bytes.data() + at, sizeof out);  // both sides little-endian
  return out;
}

struct Block {
  std::uint32_t type = 0;
  std::string body;
};

/// Walks the blocks as any reader does: both lengths equal, all of them multiples of four.
std::vector<Block> blocks_of(std::string_view file) {
  std::vector<Block> out;
  for (std::size_t at = 0; at < file.size();) {
    const auto length = number<std::uint32_t>(file, at + 4);
    REQUIRE(length % 4 == 0);
    REQUIRE(length >= 12);
    REQUIRE(at + length <= file.size());
    CHECK(number<std::uint32_t>(file, at + length - 4) == length);
    out.push_back({number<std::uint32_t>(file, at), std::string{file.substr(at + 8, length - 12)}});
    at += length;
  }
  return out;
}

std::map<std::uint16_t, std::string> options_of(std::string_view body, std::size_t at) {
  std::map<std::uint16_t, std::string> out;
  while (at < body.size()) {
    const auto code = number<std::uint16_t>(body, at);
    const auto size = number<std::uint16_t>(body, at + 2);
    if (code == 0) {
      break;
    }
    out[code] = std::string{body.substr(at + 4, size)};
    at += 4 + (size + 3U) / 4 * 4;
  }
  return out;
}

const std::vector<std::byte> kFrame(61, std::byte{0x5a});
constexpr std::int64_t kTime = 1'764'000'000'123'456'789;

}  // namespace

TEST_CASE("pcapng: a section says what wrote it, on what, and of what") {
  const auto blocks = blocks_of(PcapngWriter{{"assay 1", "Linux 6", "packets of i1"}}.take());
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0].type == 0x0a0d0d0a);
  CHECK(number<std::uint32_t>(blocks[0].body, 0) == 0x1a2b3c4d);
  CHECK(number<std::uint16_t>(blocks[0].body, 4) == 1);
  CHECK(number<std::int64_t>(blocks[0].body, 8) == -1);
  const auto options = options_of(blocks[0].body, 16);
  CHECK(options.at(1) == "packets of i1");
  CHECK(options.at(3) == "Linux 6");
  CHECK(options.at(4) == "assay 1");
}

TEST_CASE("pcapng: an interface has its name, its filter and stamps in nanoseconds") {
  PcapngWriter writer{{}};
  writer.add(PcapngInterface{1, 65535, "eth0", "host 10.0.0.2"});
  const auto blocks = blocks_of(writer.take());
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[1].type == 1);
  CHECK(number<std::uint16_t>(blocks[1].body, 0) == 1);
  CHECK(number<std::uint32_t>(blocks[1].body, 4) == 65535);
  const auto options = options_of(blocks[1].body, 8);
  CHECK(options.at(2) == "eth0");
  CHECK(options.at(9) == std::string{9});
  CHECK(options.at(11) == std::string{"\0host 10.0.0.2", 14});
}

TEST_CASE("pcapng: a packet keeps its bytes, its size on the link, its time and its direction") {
  PcapngWriter writer{{}};
  writer.add(PcapngInterface{});
  const PcapngPacket packet{0, kTime, 1500, kFrame, PcapngPacket::Direction::inbound, "written over: {pin}"};
  const auto before = writer.size();
  writer.add(packet);
  CHECK(writer.size() - before == PcapngWriter::size_of(packet));
  const auto blocks = blocks_of(writer.take());
  REQUIRE(blocks.size() == 3);
  CHECK(blocks[2].type == 6);
  const auto& body = blocks[2].body;
  const auto high = std::int64_t{number<std::uint32_t>(body, 4)};
  CHECK((high << 32 | number<std::uint32_t>(body, 8)) == kTime);
  CHECK(number<std::uint32_t>(body, 12) == kFrame.size());
  CHECK(number<std::uint32_t>(body, 16) == 1500);
  CHECK(body.substr(20, kFrame.size()) == std::string(kFrame.size(), '\x5a'));
  const auto options = options_of(body, 20 + (kFrame.size() + 3) / 4 * 4);
  CHECK(options.at(1) == "written over: {pin}");
  CHECK(number<std::uint32_t>(options.at(2), 0) == 1);
}

TEST_CASE("pcapng: the size of a packet is known before it is written, whatever is in it") {
  for (const std::size_t size : {0U, 1U, 3U, 4U, 60U}) {
    for (const auto direction : {PcapngPacket::Direction::unknown, PcapngPacket::Direction::outbound}) {
      for (const std::string_view comment : {"", "x", "four"}) {
        PcapngWriter writer{{}};
        const PcapngPacket packet{0, kTime, 60, std::span{kFrame}.first(size), direction, comment};
        const auto before = writer.size();
        writer.add(packet);
        CHECK(writer.size() - before == PcapngWriter::size_of(packet));
      }
    }
  }
}

TEST_CASE("pcapng: the counters of an interface say what came, what was lost and what was kept") {
  PcapngWriter writer{{}};
  writer.add(PcapngInterface{});
  writer.add(PcapngStatistics{0, kTime, kTime + 5, 10, 1, 2, 7});
  const auto blocks = blocks_of(writer.take());
  REQUIRE(blocks.size() == 3);
  CHECK(blocks[2].type == 5);
  const auto options = options_of(blocks[2].body, 12);
  CHECK(number<std::int64_t>(options.at(4), 0) == 10);
  CHECK(number<std::int64_t>(options.at(5), 0) == 1);
  CHECK(number<std::int64_t>(options.at(7), 0) == 2);
  CHECK(number<std::int64_t>(options.at(8), 0) == 7);
  CHECK(options.at(2).size() == 8);
}
