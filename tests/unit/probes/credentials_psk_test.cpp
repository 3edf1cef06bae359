#include "tests/unit/probes/credentials_support.hpp"

/// Which servers of TLS are taken for brokers with pre-shared keys.
namespace assay::credential_tests {

namespace {

constexpr char kHandshakeFailure = 40;
constexpr char kProtocolVersion = 70;

/// A server that ends every hello with an alert: one for hellos of TLS 1.3 alone, one for older ones.
fake::PeerMaker alerting(char to_older, char to_newer) {
  return [=](int) -> Peer {
    return [=](std::string_view written, Line& line) {
      if (written.empty() || written[0] != 0x16) {
        return;
      }
      const bool newer = written.find("\x00\x2b\x00\x03\x02\x03\x04"s) != std::string_view::npos;
      line.say("\x15\x03\x03\x00\x02\x02"s + (newer ? to_newer : to_older));
      line.close();
    };
  };
}

fake::Run attack_tls(char to_older, char to_newer) {
  FakeNetwork network;
  network.tcp[kPort] = alerting(to_older, to_newer);
  return attack(network, pairs({{"device", "c0ffee00"}}), without_blanks());
}

}  // namespace

TEST_CASE("A server of TLS 1.2 that refuses a hello of TLS 1.3 as it refuses one without a certificate has no keys") {
  const auto run = attack_tls(kHandshakeFailure, kHandshakeFailure);
  CHECK(run.record.text("credentials.dialect").empty());
  CHECK(run.record.reasons.at("credentials.accepted").find("a TLS endpoint whose handshake failed") !=
        std::string::npos);
}

TEST_CASE("A server that refuses older versions, and TLS 1.3 with a key that nobody has, asks for keys") {
  const auto run = attack_tls(kProtocolVersion, kHandshakeFailure);
  CHECK(run.record.text("credentials.dialect") == "mqtt-psk");
}

TEST_CASE("A server that refuses every version has no keys") {
  CHECK(attack_tls(kProtocolVersion, kProtocolVersion).record.text("credentials.dialect").empty());
}

}  // namespace assay::credential_tests
