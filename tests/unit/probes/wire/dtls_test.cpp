#include "probes/wire/dtls.hpp"

#include "tests/support/catch.hpp"

using namespace assay::wire;

namespace {

std::string fragment(std::uint8_t type, std::string_view body, std::uint16_t sequence, std::size_t offset,
                     std::size_t size) {
  std::string out;
  put_u8(out, type);
  put_u24(out, static_cast<std::uint32_t>(body.size()));
  put_u16(out, sequence);
  put_u24(out, static_cast<std::uint32_t>(offset));
  put_u24(out, static_cast<std::uint32_t>(size));
  return out.append(body.substr(offset, size));
}

std::string in_record(std::string_view body) {
  return dtls_record(22, kDtls12, 0, body);
}

/// A ServerHello of DTLS 1.2 that chooses a suite.
std::string hello_body(std::uint16_t suite) {
  std::string out;
  put_u16(out, kDtls12);
  out += std::string(32, 'r');
  out += sized8({});
  put_u16(out, suite);
  put_u8(out, 0);
  return out;
}

}  // namespace

TEST_CASE("A hello has its cookie after the session id, and its length and numbers in its frames") {
  TlsHello hello;
  hello.record_version = kDtls10;
  hello.version = kDtls12;
  hello.random = std::string(32, 'r');
  hello.suites = {0xc0a8};
  const auto datagram = dtls_hello_datagram(hello, {"cookie", 1, 5});
  CHECK(hex(datagram) == "16feff0000000000000005003c" + std::string("010000300001000000000030fefd") +
                             hex(std::string(32, 'r')) + "00" + "06" + hex("cookie") + "0002c0a8" + "0100");
  const auto [first, second] = dtls_hello_fragments(hello, {"cookie", 1, 5});
  CHECK(first.substr(25) + second.substr(25) == datagram.substr(25));
}

TEST_CASE("A HelloVerifyRequest gives its cookie, whatever version it names") {
  DtlsReader reader;
  TlsFlight flight;
  const std::string body(
      "\xfe\xff\x03"
      "abc",
      6);
  CHECK(reader.feed(dtls_record(22, kDtls10, 0, fragment(3, body, 0, 0, body.size())), flight));
  REQUIRE(reader.verify());
  CHECK(reader.verify()->cookie == "abc");
  CHECK(!flight.hello());
}

TEST_CASE("Messages in fragments, out of order and twice are handed over once and in their order") {
  DtlsReader reader;
  TlsFlight flight;
  const auto hello = hello_body(0xc0ae);
  CHECK(reader.feed(in_record(fragment(14, {}, 2, 0, 0)), flight));
  CHECK(reader.feed(in_record(fragment(2, hello, 1, 10, hello.size() - 10)), flight));
  CHECK(!flight.hello());
  CHECK(reader.feed(in_record(fragment(2, hello, 1, 0, 20)), flight));
  REQUIRE(flight.hello());
  CHECK(flight.hello()->suite == 0xc0ae);
  CHECK(flight.hello()->version == kDtls12);
  CHECK(flight.done());
  CHECK(reader.feed(in_record(fragment(2, hello, 1, 0, 20)), flight));
  CHECK(reader.repeated() == 1);
}

TEST_CASE("Several records stand in one datagram, and an encrypted one ends what can be read") {
  DtlsReader reader;
  TlsFlight flight;
  const auto hello = hello_body(0xc0a8);
  auto encrypted = dtls_record(22, kDtls12, 3, "secret");
  encrypted[4] = 1;  // epoch
  CHECK(reader.feed(in_record(fragment(2, hello, 0, 0, hello.size())) + encrypted, flight));
  CHECK(flight.hello());
  CHECK(flight.done());
}

TEST_CASE("Lies about lengths, contradictions and giants are refused; what was read before stays") {
  const auto hello = hello_body(0xc0a8);
  const std::string cases[] = {
      {},
      "\x16\xfe",
      std::string("GET / HTTP/1.1\r\n\r\n"),
      dtls_record(22, kDtls12, 0, "").substr(0, 12),
      dtls_record(22, kDtls12, 0, std::string(40, 'x')).substr(0, 30),
      in_record(fragment(11, std::string(70'000, 'x'), 1, 0, 100)),
      in_record(std::string("\x0b\0\0\x04\0\x01\0\0\x03\0\0\x02xx", 14)),
      in_record(fragment(3,
                         std::string("\xfe\xff\x20"
                                     "abc",
                                     6),
                         0, 0, 6)),
      in_record(fragment(2, hello, 7, 0, 5)) + in_record(fragment(11, hello, 7, 5, 5)),
  };
  for (const auto& bytes : cases) {
    INFO(hex(bytes).substr(0, 80));
    DtlsReader reader;
    TlsFlight flight;
    CHECK(reader.feed(in_record(fragment(2, hello, 1, 0, hello.size())), flight));
    const bool sound = reader.feed(bytes, flight);
    CHECK(!sound);
    CHECK(!reader.fault().empty());
    CHECK(flight.hello());
  }
}

TEST_CASE("Messages far ahead are thrown away, so that memory ends") {
  DtlsReader reader;
  TlsFlight flight;
  const auto hello = hello_body(0xc0a8);
  CHECK(reader.feed(in_record(fragment(2, hello, 1, 0, hello.size())), flight));
  for (std::uint16_t sequence = 2; sequence < 2000; ++sequence) {
    CHECK(reader.feed(in_record(fragment(11, std::string(60'000, 'x'), sequence, 100, 1)), flight));
  }
  CHECK(!flight.certificate_seen());
}
