#include "probes/wire/dtls_datagrams.hpp"

#include "probes/wire/dtls.hpp"
#include "tests/support/catch.hpp"

namespace assay::wire {
namespace {

TEST_CASE("DTLS datagrams: the random of a hello tells it from others") {
  TlsHello hello;
  hello.record_version = 0xFEFF;
  hello.version = 0xFEFD;
  hello.random = std::string(32, 'r');
  DtlsTurn turn;
  const auto datagram = dtls_hello_datagram(hello, turn);
  CHECK(dtls_hello_random(datagram) == std::string(32, 'r'));
  for (std::size_t size = 0; size < 59; ++size) {
    CHECK_FALSE(dtls_hello_random(std::string_view{datagram}.substr(0, size)));
  }
  auto encrypted = datagram;
  encrypted[4] = 1;  // of another epoch
  CHECK_FALSE(dtls_hello_random(encrypted));
  auto other = datagram;
  other[13] = 2;  // of a server
  CHECK_FALSE(dtls_hello_random(other));
}

TEST_CASE("DTLS datagrams: of a hello in fragments the first one has its random, and the others are no hellos") {
  TlsHello hello;
  hello.record_version = 0xFEFF;
  hello.version = 0xFEFD;
  hello.random = std::string(32, 'r');
  hello.suites = std::vector<std::uint16_t>(200, 0xC02B);  // so that another random could be read from the second one
  const auto [first, second] = dtls_hello_fragments(hello, {});
  CHECK(second.size() > 100);
  CHECK(dtls_hello_random(first) == std::string(32, 'r'));
  CHECK_FALSE(dtls_hello_random(second));
}

TEST_CASE("DTLS datagrams: records stay whole, and what is none is left out") {
  const auto record = dtls_record(23, 0xFEFD, 0, std::string(500, 'x'));
  const auto made = dtls_datagrams(record + record + record, 1200);
  REQUIRE(made.size() == 2);
  CHECK(made[0] == record + record);
  CHECK(made[1] == record);
  const auto large = dtls_record(23, 0xFEFD, 0, std::string(2000, 'x'));
  CHECK(dtls_datagrams(record + large, 1200) == std::vector<std::string>{record, large});
  CHECK(dtls_datagrams(record.substr(0, 40), 1200).empty());
  CHECK(dtls_datagrams({}, 1200).empty());
}

}  // namespace
}  // namespace assay::wire
