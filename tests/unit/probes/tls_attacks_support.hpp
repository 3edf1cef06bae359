#pragma once

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

/// Servers with and without the weaknesses that the probe `tls_attacks` asks for.
namespace assay::attacked {

using fake::FakeNetwork;
using fake::kPort;
using fake::Line;
using fake::TlsServer;
using namespace probes::tls;

inline constexpr char kMemory[] = "PRIVATE-MEMORY-OF-THE-DEVICE";
inline constexpr std::uint8_t kUnexpectedMessage = 10;
inline constexpr std::uint8_t kBadRecordMac = 20;
inline constexpr std::uint8_t kDecryptionFailed = 21;
inline constexpr std::uint8_t kDecryptError = 51;

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

inline const Identity& identity() {
  static const Identity made;
  return made;
}

/// Without a suite of CBC.
inline TlsServer old_server() {
  TlsServer server;
  server.suites = {{wire::kTls12, {0x009c}}};
  server.certificate = identity().certificate;
  server.answers = {0xff01};
  return server;
}

inline void say_alert(Line& line, std::uint8_t alert) {
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

inline Seen look(FakeNetwork& network) {
  Seen seen{fake::observe(probes::tls_attacks::kDescriptor, network, "tcp/4000", {}), 0};
  seen.connections = network.connections[kPort];
  CHECK(seen.run.record.fault.empty());
  return seen;
}

inline Seen look(const TlsServer& server) {
  FakeNetwork network;
  network.tcp[kPort] = server.peer();
  return look(network);
}

/// Answers heartbeats; `believes` the length that a request claims, as CVE-2014-0160 has it.
inline TlsServer with_heartbeat(bool believes) {
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
inline TlsServer answering(std::uint8_t first, std::uint8_t second) {
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

/// Decrypts key exchanges and answers each with the alert that `judge` names, and once more when the rest of the
/// handshake has come, with the key exchange or after it; 0 is silence.
inline TlsServer decrypting(Judge judge) {
  auto server = old_server();
  server.then = [judge] {
    return [judge, block = std::string{}, ended = false](std::string_view written, Line& line) mutable {
      for (const auto& one : wire::whole_records(written)) {
        const bool exchange = block.empty() && one.type == wire::record::kHandshake && one.body.size() >= 134;
        const bool finished = !block.empty() && one.type == wire::record::kHandshake;
        if (exchange) {
          block = identity().decrypt(one.body.substr(one.body.size() - 128));
        }
        const auto alert = !ended && (exchange || finished) ? judge(block, finished) : std::uint8_t{0};
        if (alert != 0) {
          say_alert(line, alert);
          ended = true;
        }
      }
    };
  };
  return server;
}

inline bool begins_well(std::string_view block) {
  return block.starts_with(std::string_view{"\x00\x02", 2});
}

inline bool is_right(std::string_view block) {
  return begins_well(block) && block.find('\0', 2) == 79 && block.substr(80, 2) == "\x03\x03";
}

/// What is right in a record: the MAC, and how many bytes of its padding are not.
using CheckRecord = std::function<std::uint8_t(bool mac, std::size_t wrong_padding)>;

inline constexpr milliseconds kAtOnce{0};

/// Finishes handshakes with RSA key transport, and answers each record with the alert that `check` names; 0 takes it.
inline fake::PeerMaker keyed(std::uint16_t version, std::uint16_t suite, CheckRecord check,
                             milliseconds lingers = kAtOnce) {
  auto server = old_server();
  server.suites = {{version, {suite}}};
  const auto inner = server.peer();
  return [=](int connection) -> fake::Peer {
    return [=, flight = inner(connection), random = std::string{}, exchange = std::string{},
            keys = std::optional<CbcKeys>{}](std::string_view written, Line& line) mutable {
      const auto form = *cbc_suite(suite, version);
      const auto records = wire::whole_records(written);
      if (random.empty() || records.empty()) {
        random = written.size() > 43 ? std::string{written.substr(11, 32)} : random;
        flight(written, line);
      } else if (records[0].type == wire::record::kHandshake && records.size() == 1) {
        exchange = records[0].body;
      } else if (!exchange.empty()) {  // the paddings of ROBOT end so
        say_alert(line, kBadRecordMac);
      } else if (!keys && records.size() >= 3) {
        const auto block = identity().decrypt(records[0].body.substr(6));
        keys = cbc_keys(form, version, block.substr(block.size() - 48), random, std::string(32, 'r'));
        REQUIRE(keys);
        const auto finished = keys->client.open(22, records[2].body);
        if (!finished || finished->size() != 16) {
          keys.reset();
          say_alert(line, kBadRecordMac);
          return;
        }
        line.say(wire::change_cipher_spec_record(version) + keys->server.seal(22, std::string(16, 'f')));
      }
      if (keys && records.back().type == 23) {
        const auto plain = *keys->client.decrypt(records.back().body);
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

inline Seen look_at_records(CheckRecord check, std::uint16_t version = wire::kTls12, std::uint16_t suite = 0x002f) {
  FakeNetwork network;
  network.tcp[kPort] = keyed(version, suite, std::move(check));
  return look(network);
}

inline std::uint8_t sound(bool mac, std::size_t wrong) {
  return mac && wrong == 0 ? std::uint8_t{0} : kBadRecordMac;
}

}  // namespace assay::attacked
