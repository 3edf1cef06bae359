#include "probes/tls/fingerprint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/fake_tls.hpp"

namespace assay::probes::tls {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;
using fake::kPort;
using fake::TlsServer;

namespace {

TlsServer server() {
  TlsServer out;
  out.suites = {{0x0304, {0x1301}}, {0x0303, {0xc02f, 0xc030, 0x009c}}};
  out.certificate = fake::test_certificate();
  return out;
}

/// The fact, with the number of connections as one of its members.
json::object fingerprint(const TlsServer& peer) {
  fake::FakeNetwork network;
  network.tcp[kPort] = peer.peer();
  auto run = fake::observe(probes::tls::kDescriptor, network, "tcp/4000", {{"look_at", "fingerprint"}});
  CHECK(run.record.fault.empty());
  CHECK(run.record.value("tls.spoken") == json::value(true));
  auto out = run.record.value("tls.fingerprint").as_object();
  out["connections"] = network.connections[kPort];
  return out;
}

}  // namespace

TEST_CASE("tls fingerprint: a server has one in ten connections, and the same one again") {
  const auto first = fingerprint(server());
  CHECK(first.at("connections").as_int64() == 10);
  REQUIRE(first.at("stack").is_string());
  CHECK(first.at("stack").as_string().starts_with("assay1:"));
  CHECK(first.at("stack").as_string().size() == 39);
  CHECK(first.at("jarm_like").as_string().size() == 59);
  CHECK(fingerprint(server()).at("stack") == first.at("stack"));
  CHECK(first.at("ja3s") == "771,49199,");
  CHECK(first.at("ja3s_md5").as_string().size() == 32);
}

TEST_CASE("tls fingerprint: suite, order, version and extensions each make another one") {
  const auto usual = fingerprint(server()).at("stack");
  auto other = server();
  other.suites[0x0303] = {0xc030, 0xc02f, 0x009c};
  CHECK(fingerprint(other).at("stack") != usual);
  other = server();
  other.own_order = false;
  CHECK(fingerprint(other).at("stack") != usual);
  other = server();
  other.suites[0x0302] = {0xc013};
  CHECK(fingerprint(other).at("stack") != usual);
  other = server();
  other.answers = {23};
  CHECK(fingerprint(other).at("stack") != usual);
  other = server();
  other.closes_instead = true;
  CHECK(fingerprint(other).at("stack") != usual);
}

TEST_CASE("tls fingerprint: while an answer settles nothing there is no value") {
  probes::tls::Fingerprint::Answers answers;
  answers.fill("0303|c02f|||0||");
  CHECK(probes::tls::fingerprint_facts(answers).at("stack").is_string());
  CHECK(probes::tls::fingerprint_facts(answers).at("jarm_like").as_string().starts_with("01d01d01d"));
  answers[4].clear();
  CHECK(probes::tls::fingerprint_facts(answers).at("stack").is_null());
  CHECK(probes::tls::fingerprint_facts(answers).at("jarm_like").is_null());
  answers[4] = "alert 2 40";
  CHECK(probes::tls::fingerprint_facts(answers).at("jarm_like").as_string().subview(12, 3) == "000");
}

TEST_CASE("tls fingerprint: JA3S is the MD5 of its text") {
  // By md5sum.
  CHECK(probes::tls::ja3s_facts("769,47,65281-0-11-35-5-16").at("ja3s_md5") == "836ce314215654b5b1f85f97c73e506f");
  CHECK(!probes::tls::ja3s_facts("").contains("ja3s_md5"));
}
