#include "probes/wire/tls_records.hpp"

#include "probes/wire/tls_build.hpp"
#include "tests/support/catch.hpp"

using namespace assay::wire;

TEST_CASE("Records are told by type and length, however they are cut") {
  const auto bytes = tls_record(24, kTls12, std::string(40, 'm')) + tls_record(22, kTls12, {}) +
                     tls_alert_record(kTls12, 1, 112) + tls_alert_record(kTls12, 2, 20);
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    TlsRecordLog log;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      CHECK(log.feed(std::string_view{bytes}.substr(at, step)));
    }
    CHECK(log.records() == std::vector<TlsRecordLog::Record>{{24, 40}, {22, 0}, {21, 2}, {21, 2}});
    CHECK(log.whole() == 4);
    REQUIRE(log.alert());
    CHECK(log.alert()->alert == 20);
  }
}

TEST_CASE("A record that has not come whole is not counted as whole") {
  TlsRecordLog log;
  CHECK(log.feed(tls_record(24, kTls12, "memory").substr(0, 8)));
  CHECK(log.records().size() == 1);
  CHECK(log.whole() == 0);
}

TEST_CASE("Records in whole are taken off one by one, and the rest is left") {
  const auto first = tls_record(22, kTls12, "first");
  const auto second = tls_record(21, kTls11, "");
  const auto bytes = first + second + tls_record(23, kTls12, "cut").substr(0, 7);
  const auto found = whole_records(bytes);
  REQUIRE(found.size() == 2);
  CHECK(found[0].type == 22);
  CHECK(found[0].body == "first");
  CHECK(found[1].version == kTls11);
  CHECK(found[1].body.empty());
  CHECK(whole_records(std::string("\x16\x03\x03\xff\xff", 5) + std::string(70000, 'x')).empty());
}

TEST_CASE("What is no TLS, too long or too much ends the log") {
  CHECK_FALSE(TlsRecordLog{}.feed("HTTP/1.1 400"));
  CHECK_FALSE(TlsRecordLog{}.feed(std::string("\x16\x03\x03\xff\xff", 5)));
  TlsRecordLog log;
  for (std::size_t count = 0; count < TlsRecordLog::kMostRecords; ++count) {
    CHECK(log.feed(tls_record(22, kTls12, "x")));
  }
  CHECK_FALSE(log.feed(tls_record(22, kTls12, "x")));
  CHECK(log.records().size() == TlsRecordLog::kMostRecords);
}

TEST_CASE("A heartbeat says what it is told to say") {
  CHECK(heartbeat_record(kTls12, 24, "a", 0) == std::string("\x18\x03\x03\x00\x04\x01\x00\x18\x61", 9));
}
