#include <algorithm>
#include <array>
#include <memory>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "probes/tls/robot.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/tls_build.hpp"
#include "probes/wire/tls_records.hpp"
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
using probes::tls::Oracle;
using probes::tls::oracle_of;
using probes::tls::padded_secret;
using probes::tls::Padding;
using probes::tls::RsaKey;

namespace {

constexpr char kMemory[] = "PRIVATE-MEMORY-OF-THE-DEVICE";
constexpr std::uint8_t kUnexpectedMessage = 10;
constexpr std::uint8_t kBadRecordMac = 20;
constexpr std::uint8_t kDecryptError = 51;

/// An RSA key and its certificate, made once.
struct Identity {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_RSA_gen(1024), &EVP_PKEY_free};
  std::string certificate;

  Identity() {
    const std::unique_ptr<X509, decltype(&X509_free)> x509{X509_new(), &X509_free};
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 7);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 86400);
    X509_set_pubkey(x509.get(), key.get());
    X509_sign(x509.get(), key.get(), EVP_sha256());
    unsigned char* der = nullptr;
    const int length = i2d_X509(x509.get(), &der);
    certificate.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
  }

  std::string decrypt(std::string_view secret) const {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context{EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                              &EVP_PKEY_CTX_free};
    std::string out(128, '\0');
    std::size_t size = out.size();
    REQUIRE(EVP_PKEY_decrypt_init(context.get()) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1);
    REQUIRE(EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                             reinterpret_cast<const unsigned char*>(secret.data()), secret.size()) == 1);
    return out;
  }
};

const Identity& identity() {
  static const Identity made;
  return made;
}

TlsServer old_server() {
  TlsServer server;
  server.suites = {{wire::kTls12, {0x002f, 0x0035}}};
  server.certificate = identity().certificate;
  server.answers = {0xff01};
  return server;
}

void say_alert(Line& line, std::uint8_t alert) {
  line.say(wire::tls_alert_record(wire::kTls12, 2, alert));
  line.close();
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

Seen look(const TlsServer& server, const json::object& parameters = {}) {
  FakeNetwork network;
  network.tcp[kPort] = server.peer();
  Seen seen{fake::observe(probes::tls::kDescriptor, network, "tcp/4000", parameters), 0};
  seen.connections = network.connections[kPort];
  CHECK(seen.run.record.fault.empty());
  return seen;
}

/// Answers heartbeats; `believes` the length that a request claims, as CVE-2014-0160 has it.
TlsServer with_heartbeat(bool believes) {
  auto server = old_server();
  server.answers.push_back(wire::extension::kHeartbeat);
  server.then = [believes] {
    return [believes](std::string_view written, Line& line) {
      while (written.size() > 8 && static_cast<std::uint8_t>(written[0]) == wire::record::kHeartbeat) {
        wire::Reader reader{written.substr(3)};
        auto body = wire::Reader{reader.take(reader.u16())};
        body.u8();
        const std::size_t claimed = body.u16();
        std::string payload{body.rest().substr(0, claimed)};
        const bool lies = claimed + 16 > body.rest().size();
        if (!lies || believes) {
          payload += std::string{kMemory}.substr(0, claimed - payload.size());
          auto answer = std::string(1, '\x02') + wire::sized16(payload) + std::string(16, 'p');
          line.say(wire::tls_record(wire::record::kHeartbeat, wire::kTls12, answer));
        }
        written = reader.rest();
      }
    };
  };
  return server;
}

/// Answers the first and the second thing after its flight with these alerts; 0 is silence.
TlsServer answering(std::uint8_t first, std::uint8_t second) {
  auto server = old_server();
  server.then = [first, second] {
    return [first, second, count = 0](std::string_view, Line& line) mutable {
      const auto alert = ++count == 1 ? first : second;
      if (alert != 0) {
        say_alert(line, alert);
      }
    };
  };
  return server;
}

using Judge = std::function<std::uint8_t(std::string_view block, bool finished)>;

/// Decrypts key exchanges and answers each with the alert that `judge` names; 0 is silence.
TlsServer decrypting(Judge judge) {
  auto server = old_server();
  server.then = [judge] {
    return [judge](std::string_view written, Line& line) {
      if (static_cast<std::uint8_t>(written[0]) != wire::record::kHandshake || written.size() < 139) {
        return;
      }
      const auto block = identity().decrypt(written.substr(11, 128));
      const auto alert = judge(block, written.size() > 139);
      if (alert != 0) {
        say_alert(line, alert);
      }
    };
  };
  return server;
}

bool begins_well(std::string_view block) {
  return block.starts_with(std::string_view{"\x00\x02", 2});
}

bool is_right(std::string_view block) {
  return begins_well(block) && block.find('\0', 2) == 79 && block.substr(80, 2) == "\x03\x03";
}

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

TEST_CASE("A heartbeat that claims more than it has is answered with memory, and nothing of it is kept") {
  const auto seen = look(with_heartbeat(true));
  CHECK(seen.weakness("heartbleed").state == "shown");
  for (const auto& artifact : seen.run.record.artifacts) {
    CHECK(artifact.bytes.find("PRIVATE") == std::string::npos);
    CHECK(artifact.bytes.find(wire::hex("PRI")) == std::string::npos);
    CHECK(artifact.bytes.find("50 52 49") == std::string::npos);
  }
  CHECK(seen.run.record.artifacts.back().bytes.find("bytes received, left out") != std::string::npos);
}

TEST_CASE("A server that answers right heartbeats alone does not have Heartbleed") {
  const auto seen = look(with_heartbeat(false));
  CHECK(seen.weakness("heartbleed").state == "not_shown");
  CHECK(seen.weakness("heartbleed").why.find("the right one answered") != std::string::npos);
}

TEST_CASE("Heartbeats that nobody answers settle nothing, and no heartbeats are no Heartbleed") {
  auto mute = old_server();
  mute.answers.push_back(wire::extension::kHeartbeat);
  CHECK(look(mute).weakness("heartbleed").state == "unknown");
  CHECK(look(old_server()).weakness("heartbleed").state == "not_shown");
}

TEST_CASE("An early ChangeCipherSpec is told by the answer to it and to the next record") {
  CHECK(look(answering(kUnexpectedMessage, 0)).weakness("ccs_injection").state == "not_shown");
  CHECK(look(answering(0, kBadRecordMac)).weakness("ccs_injection").state == "shown");
  CHECK(look(answering(0, kUnexpectedMessage)).weakness("ccs_injection").state == "not_shown");
  CHECK(look(answering(0, 0)).weakness("ccs_injection").state == "unknown");
}

TEST_CASE("The same answer to every padding is no oracle, and the sample is stated") {
  const auto seen = look(decrypting([](std::string_view, bool finished) { return finished ? kBadRecordMac : 0; }));
  CHECK(seen.weakness("robot").state == "not_shown");
  CHECK(seen.weakness("robot").why.find("10 handshakes") != std::string::npos);
}

TEST_CASE("An alert of its own for wrong padding is an oracle, whole or with the key exchange alone") {
  const auto strong = look(decrypting([](std::string_view block, bool finished) -> std::uint8_t {
    return !begins_well(block) ? kDecryptError : finished ? kBadRecordMac : 0;
  }));
  CHECK(strong.weakness("robot").state == "shown");
  CHECK(strong.weakness("robot").why.starts_with("strong oracle"));
  const auto weak = look(decrypting([](std::string_view block, bool finished) -> std::uint8_t {
    return finished ? kBadRecordMac : is_right(block) ? 0 : kDecryptError;
  }));
  CHECK(weak.weakness("robot").state == "shown");
  CHECK(weak.weakness("robot").why.starts_with("weak oracle"));
}

TEST_CASE("Answers that differ by chance are no oracle") {
  auto server = old_server();
  const auto count = std::make_shared<int>(0);
  server.then = [count] {
    return [count](std::string_view written, Line& line) {
      if (written.size() > 139) {
        say_alert(line, ++*count == 3 ? kDecryptError : kBadRecordMac);
      }
    };
  };
  const auto seen = look(server);
  CHECK(seen.weakness("robot").state == "unknown");
}

TEST_CASE("Without RSA key transport, or below TLS 1.3, nothing is asked that needs it") {
  auto server = old_server();
  server.suites = {{wire::kTls12, {0xc02f}}};
  CHECK(look(server).weakness("robot").state == "not_shown");
  server.suites = {{wire::kTls13, {0x1301}}};
  const auto seen = look(server);
  for (const auto* name : {"heartbleed", "ccs_injection", "robot"}) {
    CHECK(seen.weakness(name).state == "not_shown");
  }
  CHECK(look(old_server(), {{"look_at", "suites"}}).weakness("robot").why == "not asked");
}

TEST_CASE("Padded secrets are wrong in the one way that their name says") {
  const auto key = RsaKey::of_certificate(identity().certificate);
  REQUIRE(key);
  REQUIRE(key->bytes() == 128);
  const auto made = [&](Padding padding) {
    const auto block = padded_secret(padding, 128, wire::kTls12);
    CHECK(block.size() == 128);
    const auto secret = key->encrypt(block);
    REQUIRE(secret);
    CHECK(identity().decrypt(*secret) == block);
    return block;
  };
  CHECK(is_right(made(Padding::right)));
  CHECK_FALSE(begins_well(made(Padding::wrong_start)));
  CHECK(made(Padding::zero_late).find('\0', 2) == 126);
  CHECK(made(Padding::no_zero).find('\0', 2) == std::string::npos);
  const auto version = made(Padding::wrong_version);
  CHECK(version.find('\0', 2) == 79);
  CHECK(version.substr(80, 2) == "\x02\x02");
  CHECK_FALSE(RsaKey::of_certificate("no certificate"));
  CHECK_FALSE(RsaKey::of_certificate(fake::test_certificate()));
}

TEST_CASE("An oracle is weak when all wrong paddings look alike") {
  CHECK(oracle_of({"a", "a", "a", "a", "a"}) == Oracle::none);
  CHECK(oracle_of({"a", "b", "b", "b", "a"}) == Oracle::weak);
  CHECK(oracle_of({"a", "b", "a", "b", "a"}) == Oracle::strong);
}

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
