#include "probes/wire/dtls.hpp"

#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/fake_tls.hpp"

namespace assay::probes::tls {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;
using fake::DtlsServer;
using fake::FakeNetwork;
using fake::kPort;

namespace {

using Names = std::vector<std::string>;

fake::Run run(const fake::UdpPeer& peer, const json::object& parameters = {}) {
  FakeNetwork network;
  network.udp[kPort] = peer;
  auto out = fake::observe(probes::tls::kDescriptor, network, "udp/4000", parameters);
  CHECK(out.record.fault.empty());
  return out;
}

Names suites_of(const fake::Run& run) {
  Names out;
  const auto list = run.record.value("tls.suites");
  for (const auto& one : list.as_array()) {
    const auto& entry = one.as_object();
    out.push_back(std::string{entry.at("version").as_string()} + " " + std::string{entry.at("name").as_string()});
  }
  std::sort(out.begin(), out.end());
  return out;
}

json::value yes(const fake::Run& run, std::string_view look) {
  return run.record.value("tls.behaviour").as_object().at(look).as_object().at("yes");
}

std::string amplification(const fake::Run& run) {
  const auto weaknesses = run.record.value("tls.weaknesses");
  for (const auto& one : weaknesses.as_array()) {
    if (one.as_object().at("name").as_string() == "dtls_amplification") {
      return std::string{one.as_object().at("state").as_string()};
    }
  }
  return "missing";
}

json::value dtls(const fake::Run& run, std::string_view key) {
  return run.record.value("tls.dtls").as_object().at(key);
}

DtlsServer hub() {
  DtlsServer server;
  server.tls.suites = {{wire::kDtls12, {0xc02b, 0xc0ae, 0xc0a8}}, {wire::kDtls10, {0xc009, 0x008c}}};
  server.tls.signatures = {0x0403, 0x0503};
  server.tls.certificate = fake::test_certificate();
  server.tls.answers = {0xff01, 23};
  return server;
}

const Names kHubSuites{"DTLSv1 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "DTLSv1 TLS_PSK_WITH_AES_128_CBC_SHA",
                       "DTLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
                       "DTLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "DTLSv1.2 TLS_PSK_WITH_AES_128_CCM_8"};

}  // namespace

TEST_CASE("Every version and suite of a DTLS server is found behind its cookie") {
  const auto seen = run(hub().peer());
  CHECK(seen.ended);
  CHECK(suites_of(seen) == kHubSuites);
  CHECK(json::serialize(seen.record.value("tls.versions")) == R"(["DTLSv1","DTLSv1.2"])");
  CHECK(seen.record.value("tls.unsettled").as_array().empty());
  CHECK(seen.record.value("tls.certificates").as_array().size() == 1);
  CHECK(seen.record.value("tls.groups_settled").as_bool());
  CHECK(seen.record.value("tls.signatures").as_array().size() == 2);
  CHECK(seen.record.text("tls.preference") == "server");
  CHECK(dtls(seen, "cookie").as_string() == "asked");
  CHECK(dtls(seen, "cookie_length") == 16);
  CHECK(seen.record.is_absent("tls.starttls"));
  CHECK(seen.record.is_unobserved("tls.session"));  // its script goes no further than the flight
  CHECK(yes(seen, "resumes_by_ticket").is_null());
}

TEST_CASE("A session over datagrams is finished after all questions, resumed, and numbered on from them") {
  FakeNetwork network;
  network.udp[kPort] = hub().peer();
  network.upgraded = fake::says("");
  network.tls_session.version = "DTLSv1.2";
  network.tls_session.cipher = "ECDHE-ECDSA-AES128-CCM8";
  network.tls_session.extended_master_secret = true;
  network.tls_session.secure_renegotiation = true;
  TlsResumption given;
  given.version = "DTLSv1.2";
  given.ticket = "ticket";
  given.lifetime_s = 7200;
  given.session = std::make_shared<int>(1);
  network.resumption = given;
  network.renegotiation = Error{ErrorKind::protocol, "TLS: the device sent the alert \"no renegotiation\"", {}};
  const auto seen = fake::observe(probes::tls::kDescriptor, network, "udp/4000");
  CHECK(seen.record.fault.empty());
  const auto session = seen.record.value("tls.session").as_object();
  CHECK(session.at("version").as_string() == "DTLSv1.2");
  CHECK(session.at("cipher").as_string() == "ECDHE-ECDSA-AES128-CCM8");
  CHECK(session.at("extended_master_secret").as_bool());
  CHECK(session.at("secure_renegotiation").as_bool());
  CHECK(session.at("given").as_array().front().at("lifetime_s") == 7200);
  CHECK(yes(seen, "resumes_by_ticket") == true);
  CHECK(yes(seen, "resumes_by_session_id") == false);
  CHECK(yes(seen, "renegotiates_for_client") == false);
  CHECK(seen.record.value("tls.client_certificate").at("required") == false);
  REQUIRE(network.tls_wishes.size() == 3);  // the first gave the ticket that the last one resumes
  CHECK(network.tls_wishes[0].first_record > 0);
  CHECK(network.tls_wishes[1].first_record >= network.tls_wishes[0].first_record + 1000);
  CHECK(network.tls_wishes[1].newest == wire::kDtls12);
}

TEST_CASE("A server of datagrams with pre-shared keys alone is not asked to finish a session") {
  FakeNetwork network;
  auto server = hub();
  server.tls.suites = {{wire::kDtls12, {0xc0a8}}};
  network.udp[kPort] = server.peer();
  network.upgraded = fake::says("");
  const auto seen = fake::observe(probes::tls::kDescriptor, network, "udp/4000");
  CHECK(seen.record.fault.empty());
  CHECK(seen.record.is_unobserved("tls.session"));
  CHECK(network.tls_wishes.empty());
}

TEST_CASE("DTLS 1.3 is seen by its HelloRetryRequest") {
  auto server = hub();
  server.tls.suites[wire::kDtls13] = {0x1301};
  const auto seen = run(server.peer());
  const auto suites = suites_of(seen);
  CHECK(std::find(suites.begin(), suites.end(), "DTLSv1.3 TLS_AES_128_GCM_SHA256") != suites.end());
  CHECK(seen.record.value("tls.versions").as_array().size() == 3);
}

TEST_CASE("Fragments in the wrong order and twice are put together") {
  auto server = hub();
  server.fragment = 100;
  server.backwards = true;
  server.doubled = true;
  const auto seen = run(server.peer());
  CHECK(suites_of(seen) == kHubSuites);
  CHECK(seen.record.value("tls.certificates").as_array().size() == 1);
}

TEST_CASE("A server that asks for no cookie and says much can be aimed at others") {
  auto server = hub();
  server.cookie_length = 0;
  server.tls.certificate += std::string(600, 'x');
  const auto seen = run(server.peer());
  CHECK(dtls(seen, "cookie").as_string() == "never");
  CHECK(amplification(seen) == "precondition");
  CHECK(dtls(seen, "first_hello").as_object().at("factor").to_number<double>() > 1.0);
  CHECK(yes(seen, "cookie_serves_other_port").is_null());
}

TEST_CASE("A server that asks for a cookie cannot, and whether the cookie is bound to the hello is seen") {
  auto server = hub();
  auto seen = run(server.peer());
  CHECK(amplification(seen) == "not_shown");
  CHECK(yes(seen, "cookie_serves_changed_hello") == true);
  CHECK(yes(seen, "cookie_serves_other_port") == true);
  server.binds_cookie = true;
  seen = run(server.peer());
  CHECK(suites_of(seen) == kHubSuites);
  CHECK(yes(seen, "cookie_serves_changed_hello") == false);
}

TEST_CASE("A PSK identity hint and a connection id are seen, and their absence too") {
  auto server = hub();
  auto seen = run(server.peer());
  CHECK(yes(seen, "psk_identity_hint") == false);
  CHECK(yes(seen, "connection_id") == false);
  CHECK(yes(seen, "tolerates_fragmented_hello") == true);
  server.tls.psk_hint = "hub-7";
  server.tls.answers.push_back(wire::extension::kConnectionId);
  seen = run(server.peer());
  CHECK(yes(seen, "psk_identity_hint") == true);
  CHECK(yes(seen, "connection_id") == true);
}

TEST_CASE("A server that drops what it cannot serve is asked whether it is still there, and believed") {
  const auto inner = hub().peer();
  const auto seen = run([inner](std::string_view datagram) {
    auto peer = inner;
    auto answers = peer(datagram);
    const bool refused = !answers.empty() && answers.front().at(0) == 21;
    return refused ? std::vector<std::string>{} : answers;
  });
  CHECK(suites_of(seen) == kHubSuites);
  CHECK(seen.record.value("tls.unsettled").as_array().empty());
  CHECK(dtls(seen, "silences").to_number<int>() > 0);
}

TEST_CASE("A server that falls silent for good settles nothing") {
  const auto inner = hub().peer();
  const auto seen = run([inner, left = std::make_shared<int>(8)](std::string_view datagram) {
    auto peer = inner;
    return --*left > 0 ? peer(datagram) : std::vector<std::string>{};
  });
  CHECK(!seen.record.value("tls.unsettled").as_array().empty());
}

TEST_CASE("One lost datagram in three costs time and no truth") {
  const auto inner = hub().peer();
  const auto seen = run([inner, count = std::make_shared<int>(0)](std::string_view datagram) {
    auto peer = inner;
    return ++*count % 3 == 0 ? std::vector<std::string>{} : peer(datagram);
  });
  CHECK(suites_of(seen) == kHubSuites);
}

TEST_CASE("Silence, a closed port, plain CoAP, endless cookies, lies and floods end, and settle nothing") {
  CHECK(run([](std::string_view) { return Names{}; }).record.is_unobserved("tls.spoken"));
  FakeNetwork network;
  network.udp_refuses[kPort] = true;
  const auto refused = fake::observe(probes::tls::kDescriptor, network, "udp/4000");
  CHECK(!refused.ended);
  CHECK(refused.ended.error().kind == ErrorKind::refused);
  const auto coap = run([](std::string_view) { return Names{std::string("\x70\x00\x16\xfe", 4)}; });
  CHECK(coap.record.value("tls.spoken") == false);
  auto server = hub();
  server.endless = true;
  CHECK(run(server.peer()).record.is_unobserved("tls.suites"));
  const auto lies = run([](std::string_view) {
    return Names{wire::dtls_record(22, wire::kDtls12, 0, std::string("\x02\xff\xff\xff\0\0\0\0\0\0\0\x02xx", 14))};
  });
  CHECK(!lies.record.value("tls.suites").is_array());
  const auto flood =
      run([](std::string_view) { return Names(2000, wire::dtls_alert_datagram(wire::kDtls12, 1, 1, 100)); });
  CHECK(!flood.record.value("tls.suites").is_array());
}
