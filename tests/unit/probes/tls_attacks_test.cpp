#include <algorithm>
#include <array>
#include <memory>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "probes/tls/cbc_session.hpp"
#include "probes/tls/robot.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/tls_build.hpp"
#include "probes/wire/tls_records.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/fake_tls.hpp"

namespace assay::probes::tls_attacks {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;
using fake::FakeNetwork;
using fake::kPort;
using fake::Line;
using fake::TlsServer;
using namespace probes::tls;

namespace {

constexpr char kMemory[] = "PRIVATE-MEMORY-OF-THE-DEVICE";
constexpr std::uint8_t kUnexpectedMessage = 10;
constexpr std::uint8_t kBadRecordMac = 20;
constexpr std::uint8_t kDecryptionFailed = 21;
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

/// Without a suite of CBC.
TlsServer old_server() {
  TlsServer server;
  server.suites = {{wire::kTls12, {0x009c}}};
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
    const auto all = run.record.value("tls_attacks.weaknesses");
    for (const auto& one : all.as_array()) {
      if (one.as_object().at("name").as_string() == name) {
        return {std::string{one.as_object().at("state").as_string()},
                std::string{one.as_object().at("why").as_string()}};
      }
    }
    return {"missing", {}};
  }
};

Seen look(FakeNetwork& network) {
  Seen seen{fake::observe(probes::tls_attacks::kDescriptor, network, "tcp/4000", {}), 0};
  seen.connections = network.connections[kPort];
  CHECK(seen.run.record.fault.empty());
  return seen;
}

Seen look(const TlsServer& server) {
  FakeNetwork network;
  network.tcp[kPort] = server.peer();
  return look(network);
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

/// What is right in a record: the MAC, and how many bytes of its padding are not.
using CheckRecord = std::function<std::uint8_t(bool mac, std::size_t wrong_padding)>;

constexpr milliseconds kAtOnce{0};

/// Finishes handshakes with RSA key transport, and answers each record with the alert that `check` names; 0 takes it.
fake::PeerMaker keyed(std::uint16_t version, std::uint16_t suite, CheckRecord check, milliseconds lingers = kAtOnce) {
  auto server = old_server();
  server.suites = {{version, {suite}}};
  const auto inner = server.peer();
  return [=](int connection) -> fake::Peer {
    return [=, flight = inner(connection), random = std::string{}, keys = std::optional<CbcKeys>{}](
               std::string_view written, Line& line) mutable {
      const auto form = *cbc_suite(suite, version);
      const auto records = wire::whole_records(written);
      if (random.empty() || records.empty()) {
        random = written.size() > 43 ? std::string{written.substr(11, 32)} : random;
        flight(written, line);
      } else if (!keys && records.size() == 3) {
        const auto block = identity().decrypt(records[0].body.substr(6));
        keys = cbc_keys(form, version, block.substr(block.size() - 48), random, std::string(32, 'r'));
        REQUIRE(keys);
        const auto finished = keys->client.open(22, records[2].body);
        if (!finished || finished->size() != 16) {
          keys.reset();  // the paddings of ROBOT end so
          say_alert(line, kBadRecordMac);
          return;
        }
        line.say(wire::change_cipher_spec_record(version) + keys->server.seal(22, std::string(16, 'f')));
      } else if (keys && records[0].type == 23) {
        const auto plain = *keys->client.decrypt(records[0].body);
        const std::size_t padding = static_cast<std::uint8_t>(plain.back());
        const auto wrong = std::count_if(plain.end() - static_cast<std::ptrdiff_t>(padding) - 1, plain.end(),
                                         [&](char one) { return one != plain.back(); });
        const auto content = plain.substr(0, plain.size() - padding - 1 - form.mac_size);
        const bool mac = plain.substr(content.size(), form.mac_size) == keys->client.mac_of(23, content);
        const auto alert = check(mac, static_cast<std::size_t>(wrong));
        if (alert != 0) {
          line.say(keys->server.seal(21, std::string{'\x02', static_cast<char>(alert)}));
          line.pause(lingers);
          line.close();
        }
      }
    };
  };
}

Seen look_at_records(CheckRecord check, std::uint16_t version = wire::kTls12, std::uint16_t suite = 0x002f) {
  FakeNetwork network;
  network.tcp[kPort] = keyed(version, suite, std::move(check));
  return look(network);
}

std::uint8_t sound(bool mac, std::size_t wrong) {
  return mac && wrong == 0 ? std::uint8_t{0} : kBadRecordMac;
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

TEST_CASE("A server that refuses every wrong record alike has no padding oracle, in each version and suite") {
  const auto [version, suite] =
      GENERATE(std::pair{wire::kTls12, 0x002f}, std::pair{wire::kTls12, 0x003d}, std::pair{wire::kTls11, 0x0035},
               std::pair{wire::kTls10, 0x002f}, std::pair{wire::kTls10, 0x000a}, std::pair{wire::kTls12, 0x0041});
  const auto seen = look_at_records(&sound, version, static_cast<std::uint16_t>(suite));
  for (const auto* name : {"tls_poodle", "zombie_poodle", "goldendoodle"}) {
    INFO(name << " " << version << " " << suite << " " << seen.weakness(name).why);
    CHECK(seen.weakness(name).state == "not_shown");
    CHECK(seen.weakness(name).why.starts_with("5 sessions"));
  }
}

TEST_CASE("A server that takes wrong padding, or looks at a part of it, has POODLE over again") {
  const auto blind = look_at_records([](bool mac, std::size_t) { return mac ? std::uint8_t{0} : kBadRecordMac; });
  CHECK(blind.weakness("tls_poodle").state == "shown");
  CHECK(blind.weakness("tls_poodle").why.starts_with("10 sessions"));
  const auto partly =
      look_at_records([](bool mac, std::size_t wrong) { return mac && wrong < 2 ? std::uint8_t{0} : kBadRecordMac; });
  CHECK(partly.weakness("tls_poodle").state == "shown");
  CHECK(partly.weakness("tls_poodle").why.find("one wrong byte of padding") != std::string::npos);
  CHECK(partly.weakness("goldendoodle").state == "not_shown");
}

TEST_CASE("An answer of its own for wrong padding is an oracle, under a right MAC or under a wrong one") {
  const auto zombie = look_at_records(
      [](bool mac, std::size_t wrong) { return mac && wrong > 0 ? kDecryptionFailed : sound(mac, wrong); });
  CHECK(zombie.weakness("zombie_poodle").state == "shown");
  CHECK(zombie.weakness("goldendoodle").state == "not_shown");
  CHECK(zombie.weakness("tls_poodle").state == "not_shown");
  const auto golden =
      look_at_records([](bool mac, std::size_t wrong) { return wrong > 0 ? kDecryptionFailed : sound(mac, wrong); });
  CHECK(golden.weakness("goldendoodle").state == "shown");
  CHECK(golden.weakness("tls_poodle").state == "not_shown");
}

TEST_CASE("Answers to records that differ by chance, and the same answer to right ones, settle nothing") {
  const auto count = std::make_shared<int>(0);
  const auto chance = look_at_records([count](bool mac, std::size_t wrong) {
    return sound(mac, wrong) != 0 && ++*count == 2 ? kDecryptionFailed : sound(mac, wrong);
  });
  CHECK(chance.weakness("zombie_poodle").state == "unknown");
  const auto deaf = look_at_records([](bool, std::size_t) { return std::uint8_t{0}; });
  CHECK(deaf.weakness("tls_poodle").state == "unknown");
  const auto strict = look_at_records([](bool, std::size_t) { return kBadRecordMac; });
  CHECK(strict.weakness("tls_poodle").state == "unknown");
}

TEST_CASE("An oracle is shown of a server too that ends its connections long after its alert") {
  FakeNetwork network;
  const auto check = [](bool mac, std::size_t wrong) { return wrong > 0 ? kDecryptionFailed : sound(mac, wrong); };
  network.tcp[kPort] = keyed(wire::kTls12, 0x002f, check, milliseconds{400});
  const auto seen = look(network);
  CHECK(seen.weakness("goldendoodle").state == "shown");
  CHECK(seen.weakness("goldendoodle").why.starts_with("15 sessions"));
  CHECK(seen.weakness("goldendoodle").why.find("the end of the connection") != std::string::npos);
  CHECK(seen.weakness("tls_poodle").state == "not_shown");
}

TEST_CASE("Where no handshake with CBC finishes, nothing is said of records") {
  auto server = old_server();
  server.suites = {{wire::kTls12, {0x002f}}};
  CHECK(look(server).weakness("tls_poodle").state == "unknown");
  CHECK(look(old_server()).weakness("tls_poodle").state == "not_shown");
}

TEST_CASE("How malformed records are answered is told beside the weaknesses") {
  const auto seen = look_at_records(&sound);
  const auto alerts = seen.run.record.value("tls_attacks.alerts").as_object();
  CHECK(alerts.at("wrong_mac") == "alert bad_record_mac, the end of the connection");
  CHECK(alerts.at("wrong_padding") == alerts.at("wrong_mac"));
  CHECK(alerts.at("wrong_rsa_padding") == "alert bad_record_mac");
  CHECK(alerts.at("early_change_cipher_spec") == "silence");
  CHECK(alerts.at("garbage_record") == "no answer");
  CHECK_FALSE(alerts.contains("lying_heartbeat"));
}

TEST_CASE("A port that speaks no TLS and one that is closed are told from servers that withstand") {
  FakeNetwork network;
  network.tcp[kPort] = fake::answers("HTTP/1.1 400 Bad Request\r\n\r\n");
  auto seen = look(network);
  CHECK(seen.run.record.value("tls_attacks.spoken") == false);
  CHECK(seen.run.record.is_absent("tls_attacks.weaknesses"));
  network.tcp.clear();
  seen = look(network);
  CHECK(!seen.run.ended);
  CHECK(seen.run.record.is_unobserved("tls_attacks.weaknesses"));
}

TEST_CASE("A record is opened by nobody whose keys, order or bytes are others") {
  const auto suite = *cbc_suite(0x002f, wire::kTls12);
  auto keys = cbc_keys(suite, wire::kTls12, std::string(48, 'p'), std::string(32, 'c'), std::string(32, 's'));
  auto same = cbc_keys(suite, wire::kTls12, std::string(48, 'p'), std::string(32, 'c'), std::string(32, 's'));
  REQUIRE(keys);
  REQUIRE(same);
  const auto first = keys->client.seal(23, "first");
  const auto second = keys->client.seal(23, "second");
  CHECK(same->client.open(23, first.substr(5)) == "first");
  CHECK_FALSE(same->server.open(23, second.substr(5)));
  CHECK(same->client.open(23, second.substr(5)) == "second");
  CHECK_FALSE(same->client.open(23, second.substr(5)));  // it comes again
  CHECK_FALSE(same->client.open(23, "short"));
  CHECK_FALSE(cbc_suite(0x009c, wire::kTls12));
  CHECK_FALSE(cbc_suite(0x008c, wire::kTls12));  // its key is a shared one
}

namespace {

/// The suites that a hello offers (RFC 5246, 7.4.1.2), in a record; nothing when it is no hello.
std::vector<std::uint16_t> offered(std::string_view written) {
  std::vector<std::uint16_t> out;
  if (written.size() < 44 || written[0] != 22) {
    return out;
  }
  wire::Reader reader{written.substr(43)};
  reader.take(reader.u8());
  wire::Reader suites{reader.take(reader.u16())};
  while (suites.rest().size() >= 2) {
    out.push_back(suites.u16());
  }
  return out;
}

/// Passes hellos on, but for those of one kind of suites alone: so many of these are cut, or get no answer.
fake::PeerMaker losing(const TlsServer& server, bool (*of_kind)(std::uint16_t suite), int times, bool silent) {
  const auto left = std::make_shared<int>(times);
  return [=, inner = server.peer()](int connection) -> fake::Peer {
    return [=, peer = inner(connection)](std::string_view written, Line& line) mutable {
      const auto suites = offered(written);
      const bool lost =
          *left > 0 && suites.size() > 3 &&
          std::all_of(suites.begin(), suites.end(), [&](std::uint16_t one) { return one == 0x00ff || of_kind(one); });
      *left -= lost ? 1 : 0;
      if (lost && !silent) {
        line.reset();
      } else if (!lost) {
        peer(written, line);
      }
    };
  };
}

bool keyed_by_rsa(std::uint16_t suite) {
  return wire::suite_parts(suite).rsa_transport;
}

bool of_cbc(std::uint16_t suite) {
  return wire::suite_parts(suite).cbc;
}

/// Answers each key exchange that a handshake follows so long after it with the same alert; right padding in silence
/// where `tells` is set.
TlsServer slow(milliseconds decryption, bool tells) {
  auto server = old_server();
  server.then = [=] {
    return [=](std::string_view written, Line& line) {
      if (static_cast<std::uint8_t>(written[0]) != wire::record::kHandshake || written.size() < 139) {
        return;
      }
      const bool wrong = !begins_well(identity().decrypt(written.substr(11, 128)));
      line.pause(decryption);
      if (tells && wrong) {
        say_alert(line, kDecryptError);
      } else if (written.size() > 139) {
        say_alert(line, kBadRecordMac);
      }
    };
  };
  return server;
}

/// Cuts the first connections on which `what` is said after the flight, and passes the rest on.
TlsServer cutting(TlsServer server, std::uint8_t what, int times) {
  const auto left = std::make_shared<int>(times);
  const auto then = server.then;
  server.then = [=] {
    return [=, next = then ? then() : TlsServer::Then{}](std::string_view written, Line& line) mutable {
      if (*left > 0 && static_cast<std::uint8_t>(written[0]) == what) {
        --*left;
        line.reset();
      } else if (next) {
        next(written, line);
      }
    };
  };
  return server;
}

}  // namespace

TEST_CASE("A hello that is lost twice leaves what needs its suites unknown, one that is lost once is asked again") {
  const bool silent = GENERATE(false, true);
  const auto sound_server = decrypting([](std::string_view, bool finished) { return finished ? kBadRecordMac : 0; });
  FakeNetwork network;
  network.tcp[kPort] = losing(sound_server, &keyed_by_rsa, 1, silent);
  CHECK(look(network).weakness("robot").state == "not_shown");
  CHECK(look(network).weakness("robot").why.find("10 handshakes") != std::string::npos);
  network.tcp[kPort] = losing(sound_server, &keyed_by_rsa, 1000, silent);
  CHECK(look(network).weakness("robot").state == "unknown");
  network.tcp[kPort] = losing(sound_server, &of_cbc, 1000, silent);
  const auto seen = look(network);
  for (const auto* name : {"tls_poodle", "zombie_poodle", "goldendoodle"}) {
    CHECK(seen.weakness(name).state == "unknown");
  }
  CHECK(seen.weakness("robot").state == "not_shown");
}

TEST_CASE("A newer version that gives no answer leaves open what an older one refuses") {
  auto server = old_server();
  server.suites = {{wire::kTls10, {0xc013}}};
  FakeNetwork network;
  network.tcp[kPort] = server.peer();
  CHECK(look(network).weakness("robot").state == "not_shown");
  network.tcp[kPort] = [inner = server.peer()](int connection) -> fake::Peer {
    return [peer = inner(connection)](std::string_view written, Line& line) mutable {
      const bool of_tls11 = written.size() > 10 && written[0] == 22 && written.substr(9, 2) == "\x03\x02";
      if (!of_tls11) {
        peer(written, line);
      }
    };
  };
  CHECK(look(network).weakness("robot").state == "unknown");
}

TEST_CASE("Silence to every whole handshake is not the same answer to all, but none") {
  const auto seen = look(old_server());
  CHECK(seen.weakness("robot").state == "unknown");
  CHECK(seen.weakness("robot").why.find("silence") != std::string::npos);
  CHECK(look(slow(milliseconds{9000}, false)).weakness("robot").state == "unknown");
}

TEST_CASE("A decryption that takes long is waited for, however soon hellos are answered") {
  const auto time = GENERATE(milliseconds{300}, milliseconds{1500});
  CHECK(look(slow(time, false)).weakness("robot").state == "not_shown");
  CHECK(look(slow(time, false)).weakness("robot").why.find("alert bad_record_mac") != std::string::npos);
  CHECK(look(slow(time, true)).weakness("robot").state == "shown");
}

TEST_CASE("One cut is asked again, and two in a row are the answer to a heartbeat and to an early ChangeCipherSpec") {
  constexpr std::uint8_t kCcs = 20;
  const auto bleeds = [](int cuts) {
    return look(cutting(with_heartbeat(true), wire::record::kHeartbeat, cuts)).weakness("heartbleed").state;
  };
  CHECK(bleeds(1) == "shown");
  CHECK(bleeds(2) == "not_shown");
  const auto injected = [](int cuts) {
    return look(cutting(answering(0, kBadRecordMac), kCcs, cuts)).weakness("ccs_injection").state;
  };
  CHECK(injected(1) == "shown");
  CHECK(injected(2) == "not_shown");
}
