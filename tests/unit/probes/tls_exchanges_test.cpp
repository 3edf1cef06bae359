#include <algorithm>

#include "probes/wire/tls_names.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/fake_tls.hpp"

namespace assay::probes::tls {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;
using fake::FakeNetwork;
using fake::kPort;
using fake::Line;
using fake::TlsServer;

namespace {

constexpr char kMemory[] = "PRIVATE-MEMORY-OF-THE-DEVICE";

TlsServer old_server() {
  TlsServer server;
  server.suites = {{wire::kTls12, {0x002f, 0x0035}}};
  server.certificate = fake::test_certificate();
  server.answers = {0xff01};
  return server;
}

struct Found {
  std::string state;
  std::string why;
};

struct Seen {
  fake::Run run;
  int connections = 0;

  Found weakness(std::string_view name) const {
    const auto all = run.record.value("tls.weaknesses");
    for (const auto& one : all.as_array()) {
      if (one.as_object().at("name").as_string() == name) {
        return {std::string{one.as_object().at("state").as_string()},
                std::string{one.as_object().at("why").as_string()}};
      }
    }
    return {"missing", {}};
  }
};

constexpr char kNoTicket[] = "no ticket came";

/// A network on which handshakes finish in TLS 1.2 or TLS 1.3, with a ticket.
FakeNetwork finishing(const TlsServer& server, bool tls13) {
  FakeNetwork network;
  network.tcp[kPort] = server.peer();
  network.upgraded = fake::says("");
  network.tls_session.version = tls13 ? "TLSv1.3" : "TLSv1.2";
  TlsResumption given;
  given.version = network.tls_session.version;
  given.ticket = std::string(80, 't');
  given.lifetime_s = 7200;
  given.session = std::make_shared<int>(1);
  network.resumption = given;
  return network;
}

Seen look(FakeNetwork& network) {
  Seen seen{fake::observe(probes::tls::kDescriptor, network, "tcp/4000", {}), network.connections[kPort]};
  CHECK(seen.run.record.fault.empty());
  return seen;
}

json::value yes(const Seen& seen, std::string_view name) {
  return seen.run.record.value("tls.behaviour").as_object().at(name).as_object().at("yes");
}

json::value client(const Seen& seen, std::string_view key) {
  return seen.run.record.value("tls.client_certificate").as_object().at(key);
}

}  // namespace

TEST_CASE("A short session id that comes back longer beside a ticket is Ticketbleed, and what came is not kept") {
  auto server = old_server();
  server.beyond_session_id = std::string{kMemory}.substr(0, 16);
  auto network = finishing(server, false);
  const auto seen = look(network);
  CHECK(seen.weakness("ticketbleed").state == "shown");
  CHECK(seen.run.record.artifacts.back().bytes.find("PRIVATE") == std::string::npos);
  CHECK(seen.run.record.artifacts.back().bytes.find("50 52 49") == std::string::npos);
}

TEST_CASE("A session id that comes back as it was sent is not Ticketbleed, and neither is a server without tickets") {
  auto network = finishing(old_server(), false);
  CHECK(look(network).weakness("ticketbleed").state == "not_shown");
  network.resumption = Error{ErrorKind::unsupported, "nothing was given", {}};
  const auto seen = look(network);
  CHECK(seen.weakness("ticketbleed").state == "not_shown");
  CHECK(yes(seen, "resumes_by_ticket") == false);
}

TEST_CASE("Sessions that go on and sessions that do not are told apart, for each way to resume") {
  auto network = finishing(old_server(), false);
  auto seen = look(network);
  CHECK(yes(seen, "resumes_by_ticket") == true);
  CHECK(yes(seen, "resumes_by_session_id") == false);  // for there is a ticket instead
  CHECK(seen.run.record.value("tls.session").as_object().at("given").as_array().front().as_object().at("lifetime_s") ==
        7200);
  network.resumes = false;
  seen = look(network);
  CHECK(yes(seen, "resumes_by_ticket") == false);

  auto server = old_server();
  server.suites = {{wire::kTls13, {0x1301}}};
  auto modern = finishing(server, true);
  seen = look(modern);
  CHECK(yes(seen, "resumes_by_psk") == true);
  CHECK(yes(seen, "early_data") == false);
  (*modern.resumption).max_early_data = 16384;
  CHECK(yes(look(modern), "early_data") == true);
  modern.resumption = Error{ErrorKind::timed_out, kNoTicket, {}};
  CHECK(yes(look(modern), "resumes_by_psk").is_null());
}

TEST_CASE("A client's renegotiation is taken, refused or passed over, and without binding it is the weakness itself") {
  auto network = finishing(old_server(), false);
  network.renegotiation = Result<>{};
  auto seen = look(network);
  CHECK(yes(seen, "renegotiates_for_client") == true);
  CHECK(seen.weakness("insecure_renegotiation").state == "not_shown");
  auto unbound = old_server();
  unbound.answers = {};
  network.tcp[kPort] = unbound.peer();
  CHECK(look(network).weakness("insecure_renegotiation").state == "shown");
  network.renegotiation = Error{ErrorKind::protocol, "TLS: the device sent the alert \"no renegotiation\"", {}};
  CHECK(yes(look(network), "renegotiates_for_client") == false);
  network.renegotiation = Error{ErrorKind::timed_out, "nothing came", {}};
  CHECK(yes(look(network), "renegotiates_for_client").is_null());
  network.renegotiation = Error{ErrorKind::closed, "the device closed the session", {}};
  CHECK(yes(look(network), "renegotiates_for_client") == false);
  network.upgraded = [](int) { return [](std::string_view, Line& line) { line.close(); }; };
  CHECK(yes(look(network), "renegotiates_for_client").is_null());
}

TEST_CASE(
    "A session that ends by itself after a while is no answer to a wish to renegotiate, however near the server is") {
  auto network = finishing(old_server(), false);
  network.distance = milliseconds{1};
  network.renegotiation = Error{ErrorKind::closed, "the device closed the session", {}};
  CHECK(yes(look(network), "renegotiates_for_client") == false);
  network.upgraded = [](int) {
    return [](std::string_view, Line& line) {
      line.pause(milliseconds{50});
      line.close();
    };
  };
  CHECK(yes(look(network), "renegotiates_for_client").is_null());
}

TEST_CASE("A client certificate is needed when its absence is refused, before or after the handshake") {
  auto server = old_server();
  server.suites = {{wire::kTls13, {0x1301}}};
  auto network = finishing(server, true);
  network.tls_session.certificate_asked = true;
  network.tls_session.authorities = {
      std::string("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02"
                  "ca",
                  15)};
  auto seen = look(network);
  CHECK(client(seen, "asked") == true);
  CHECK(client(seen, "required") == false);
  CHECK(client(seen, "names").as_array().front() == "CN=ca");
  network.resumption = Error{ErrorKind::protocol, "TLS: the device sent the alert \"number 116\"", {}};
  CHECK(client(look(network), "required") == true);
  network.resumption = Error{ErrorKind::timed_out, kNoTicket, {}};
  CHECK(client(look(network), "required").is_null());
  network.tls_session.certificate_asked = false;
  CHECK(client(look(network), "required") == false);
}

TEST_CASE("Of weaknesses that are asked for elsewhere the preconditions are told, and nobody is sent anything wrong") {
  auto server = old_server();
  server.answers.push_back(15);
  server.then = [] { return [](std::string_view, Line&) { FAIL("something was said after the flight"); }; };
  FakeNetwork network;
  network.tcp[kPort] = server.peer();
  const auto seen = look(network);
  CHECK(seen.weakness("heartbleed").state == "precondition");
  CHECK(seen.weakness("robot").state == "precondition");
  server.answers = {0xff01};
  server.suites = {{wire::kTls12, {0xc02f}}};
  network.tcp[kPort] = server.peer();
  const auto sound = look(network);
  CHECK(sound.weakness("heartbleed").state == "not_shown");
  CHECK(sound.weakness("robot").state == "not_shown");
  CHECK(sound.weakness("ccs_injection").state == "missing");
}
