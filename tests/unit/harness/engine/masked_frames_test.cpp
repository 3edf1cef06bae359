#include "harness/engine/masked_frames.hpp"

#include "harness/engine/run_capture.hpp"
#include "tests/support/catch.hpp"

namespace assay::masked_frames_tests {

namespace {

const std::vector<TapInterface> kInterfaces{{"eth0", "host 10.0.0.2", LinkType::ip, 65535}};
constexpr std::size_t kHeaders = 40;

/// A segment of 10.0.0.1:40000 to 10.0.0.2:23, its checksum 0xbeef.
CapturedFrame segment(std::uint32_t sequence, std::string_view payload) {
  const auto total = kHeaders + payload.size();
  std::string packet{"\x45\0\0\0\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02", 20};
  packet[2] = static_cast<char>(total >> 8U);
  packet[3] = static_cast<char>(total & 0xffU);
  packet += std::string{"\x9c\x40\0\x17", 4};
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    packet += static_cast<char>(sequence >> shift & 0xffU);
  }
  packet += std::string{"\0\0\0\0\x50\x18\xff\xff\xbe\xef\0\0", 12};
  packet += payload;
  CapturedFrame frame;
  frame.original_size = static_cast<std::uint32_t>(packet.size());
  const auto bytes = std::as_bytes(std::span{packet});
  frame.bytes.assign(bytes.begin(), bytes.end());
  frame.direction = CapturedFrame::Direction::outbound;
  frame.own_port = 40000;
  frame.device_port = 23;
  return frame;
}

std::string text(const CapturedFrame& frame) {
  std::string out;
  for (const auto byte : std::span{frame.bytes}.subspan(kHeaders)) {
    out += static_cast<char>(byte);
  }
  return out;
}

std::uint16_t checksum(const CapturedFrame& frame) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(frame.bytes[36]) << 8U |
                                    std::to_integer<unsigned>(frame.bytes[37]));
}

Concealed secret(std::string_view word) {
  Concealed out;
  conceal_in(out, word, "env:PIN");
  return out;
}

}  // namespace

TEST_CASE("masked frames: a secret is written over, its length stays, its checksum goes") {
  std::vector frames{segment(1, "user admin\r\n"), segment(13, "pass hunter22\r\n")};
  const auto names = mask_frames(frames, kInterfaces, secret("hunter22"));
  CHECK(text(frames[0]) == "user admin\r\n");
  CHECK(checksum(frames[0]) == 0xbeef);
  CHECK(text(frames[1]) == "pass ********\r\n");
  CHECK(checksum(frames[1]) == 0);
  CHECK(names == std::vector<std::string>{"", "{env:PIN}"});
}

TEST_CASE("masked frames: a secret that TCP split, and sent again in other pieces, is found") {
  std::vector frames{segment(1, "pass hun"), segment(13, "2\r\n"), segment(9, "ter2"), segment(9, "ter22\r\n")};
  mask_frames(frames, kInterfaces, secret("hunter22"));
  CHECK(text(frames[0]) == "pass ***");
  CHECK(text(frames[1]) == "*\r\n");
  CHECK(text(frames[2]) == "****");
  CHECK(text(frames[3]) == "*****\r\n");
}

TEST_CASE("masked frames: sequence numbers wrap, and lying ones do no harm") {
  std::vector wrapped{segment(0xfffffffe, "hunt"), segment(2, "er22")};
  mask_frames(wrapped, kInterfaces, secret("hunter22"));
  CHECK(text(wrapped[0]) == "****");
  CHECK(text(wrapped[1]) == "****");
  std::vector lying{segment(0, "hunt"), segment(0x80000000, "er22"), segment(0x7fffffff, "hunter22")};
  mask_frames(lying, kInterfaces, secret("hunter22"));
  CHECK(text(lying[0]) == "hunt");
  CHECK(text(lying[2]) == "********");
}

TEST_CASE("masked frames: base64 and URL forms count, overlapping finds too") {
  std::vector frames{segment(1, "Authorization: Basic aHVudGVyMjI=\r\n"), segment(36, "pin=a%20b&x"),
                     segment(47, "ababab!")};
  auto words = secret("hunter22");
  conceal_in(words, "a b", "space");
  conceal_in(words, "abab", "twice");
  mask_frames(frames, kInterfaces, words);
  CHECK(text(frames[0]) == "Authorization: Basic ************\r\n");
  CHECK(text(frames[1]) == "pin=*****&x");
  CHECK(text(frames[2]) == "******!");
}

TEST_CASE("exchanges: conversations are numbered as Wireshark numbers their frames") {
  std::vector frames{segment(1, "a"), segment(2, "b"), segment(3, "c")};
  frames[1].own_port = 40001;
  CaptureRef reference;
  put_exchanges(frames, kInterfaces, reference);
  REQUIRE(reference.exchanges.size() == 2);
  CHECK(reference.exchanges[0] == FrameSpan{"tcp/23", 40000, 1, 3, 2});
  CHECK(reference.exchanges[1] == FrameSpan{"tcp/23", 40001, 2, 2, 1});
  CHECK(reference.unlisted == 0);
}

TEST_CASE("exchanges: of very many only those are named in which the device said something") {
  std::vector<CapturedFrame> frames;
  for (int port = 0; port < 400; ++port) {
    frames.push_back(segment(1, port == 300 ? "banner" : ""));
    frames.back().own_port = static_cast<std::uint16_t>(40000 + port);
    frames.back().direction = CapturedFrame::Direction::inbound;
  }
  CaptureRef reference;
  put_exchanges(frames, kInterfaces, reference);
  REQUIRE(reference.exchanges.size() == 1);
  CHECK(reference.exchanges[0] == FrameSpan{"tcp/23", 40300, 301, 301, 1});
  CHECK(reference.unlisted == 399);
}

}  // namespace assay::masked_frames_tests
