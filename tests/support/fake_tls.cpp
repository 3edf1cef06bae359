#include "tests/support/fake_tls.hpp"

#include <algorithm>
#include <memory>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "probes/wire/bytes.hpp"
#include "probes/wire/tls_build.hpp"

namespace assay::fake {

namespace {

namespace extension = wire::extension;

struct Offer {
  std::uint16_t version = 0;
  std::vector<std::uint16_t> suites;
  std::string compression;
  std::map<std::uint16_t, std::string> extensions;
  std::string session_id;
};

std::vector<std::uint16_t> numbers_in(std::string_view bytes) {
  std::vector<std::uint16_t> out;
  wire::Reader reader{bytes};
  while (reader.rest().size() >= 2) {
    out.push_back(reader.u16());
  }
  return out;
}

Offer read_offer(std::string_view record) {
  Offer out;
  wire::Reader reader{record.substr(9)};
  out.version = reader.u16();
  reader.take(32);
  out.session_id = reader.take(reader.u8());
  out.suites = numbers_in(reader.take(reader.u16()));
  out.compression = reader.take(reader.u8());
  wire::Reader extensions{reader.rest().empty() ? std::string_view{} : reader.take(reader.u16())};
  while (!extensions.rest().empty()) {
    const auto type = extensions.u16();
    out.extensions[type] = extensions.take(extensions.u16());
  }
  return out;
}

std::vector<std::uint16_t> list_of(const Offer& offer, std::uint16_t type, std::size_t length_bytes) {
  const auto found = offer.extensions.find(type);
  return found == offer.extensions.end() ? std::vector<std::uint16_t>{}
                                         : numbers_in(std::string_view{found->second}.substr(length_bytes));
}

std::optional<std::uint16_t> choose(const std::vector<std::uint16_t>& mine, const std::vector<std::uint16_t>& theirs,
                                    bool own_order) {
  const auto& first = own_order ? mine : theirs;
  const auto& second = own_order ? theirs : mine;
  for (const auto one : first) {
    if (std::find(second.begin(), second.end(), one) != second.end()) {
      return one;
    }
  }
  return std::nullopt;
}

std::string message(std::uint8_t type, std::string_view body) {
  std::string out;
  wire::put_u8(out, type);
  wire::put_u24(out, static_cast<std::uint32_t>(body.size()));
  return out.append(body);
}

class Server {
 public:
  Server(const TlsServer& config, Line& line) : config_(config), line_(line) {}

  void answer(std::string_view written) {
    if (written.size() < 11 || written[0] != 22) {
      if (written.size() > 4 && (written[0] & 0x80) != 0) {
        answer_ssl2();
      }
      return;
    }
    if (written.size() > config_.longest_hello) {
      return;
    }
    offer_ = read_offer(written);
    const auto version = choose_version();
    if (!version) {
      refuse(70);
      return;
    }
    answer_in(*version);
  }

 private:
  void refuse(std::uint8_t alert) {
    if (!config_.closes_instead) {
      line_.say(wire::tls_alert_record(wire::kTls12, 2, alert));
    }
    line_.close();
  }

  void answer_ssl2() {
    if (!config_.ssl2) {
      refuse(70);
      return;
    }
    std::string body;
    wire::put_u8(body, 4);
    wire::put_u8(body, 0);
    wire::put_u8(body, 1);
    wire::put_u16(body, wire::kSsl2);
    wire::put_u16(body, static_cast<std::uint32_t>(config_.certificate.size()));
    wire::put_u16(body, 3);
    wire::put_u16(body, 16);
    body += config_.certificate;
    wire::put_u24(body, 0x0700c0);
    body += std::string(16, 'c');
    std::string record;
    wire::put_u16(record, 0x8000U | static_cast<std::uint32_t>(body.size()));
    line_.say(record + body);
  }

  std::optional<std::uint16_t> choose_version() const {
    const auto listed = list_of(offer_, extension::kSupportedVersions, 1);
    std::optional<std::uint16_t> best;
    for (const auto& [version, suites] : config_.suites) {
      const bool offered = listed.empty() ? version <= offer_.version && version < wire::kTls13
                                          : std::find(listed.begin(), listed.end(), version) != listed.end();
      if (offered) {
        best = version;
      }
    }
    const bool unknown = offer_.version > wire::kTls12 && !config_.knows_future;
    return unknown ? std::nullopt : best;
  }

  void answer_in(std::uint16_t version) {
    const bool falls_back =
        std::find(offer_.suites.begin(), offer_.suites.end(), wire::kFallbackScsv) != offer_.suites.end();
    if (falls_back && config_.fallback_scsv && version != config_.suites.rbegin()->first) {
      refuse(86);
      return;
    }
    auto suite = choose(config_.suites.at(version), offer_.suites, config_.own_order);
    if (config_.always_chooses) {
      suite = config_.always_chooses;
    }
    if (!suite) {
      refuse(40);
      return;
    }
    const auto parts = wire::suite_parts(*suite);
    const bool wants_group = parts.ephemeral_ec || parts.tls13;
    const auto groups = list_of(offer_, extension::kGroups, 2);
    const auto group = choose(config_.groups, groups, config_.own_order);
    if (parts.ecdsa && config_.curve && std::find(groups.begin(), groups.end(), *config_.curve) == groups.end()) {
      refuse(40);
      return;
    }
    const auto offered_schemes = list_of(offer_, extension::kSignatures, 2);
    const auto scheme = choose(config_.signatures, offered_schemes, config_.own_order);
    const bool signs = version == wire::kTls12 && (parts.ephemeral_ec || parts.ephemeral_dh) && !parts.anonymous;
    if ((wants_group && !group && version != wire::kSsl3) || (signs && !scheme)) {
      refuse(40);
      return;
    }
    say_flight(version, *suite, group.value_or(23), scheme.value_or(0x0401));
  }

  void say_flight(std::uint16_t version, std::uint16_t suite, std::uint16_t group, std::uint16_t scheme) {
    const auto parts = wire::suite_parts(suite);
    auto flight = message(2, hello(version, suite, group));
    if (version != wire::kTls13) {
      if (!parts.anonymous) {
        std::string entry;
        wire::put_u24(entry, static_cast<std::uint32_t>(config_.certificate.size()));
        entry += config_.certificate;
        std::string list;
        wire::put_u24(list, static_cast<std::uint32_t>(entry.size()));
        flight += message(11, list + entry);
      }
      if (parts.ephemeral_ec || parts.ephemeral_dh) {
        flight += message(12, key_exchange(version, parts, group, scheme));
      }
      flight += message(14, {});
    }
    line_.say(wire::tls_record(22, version == wire::kTls13 ? wire::kTls12 : version, flight));
  }

  std::string hello(std::uint16_t version, std::uint16_t suite, std::uint16_t group) const {
    static constexpr char kRetry[] =
        "\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91"
        "\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C";
    const bool tls13 = version == wire::kTls13;
    std::string extensions;
    const auto add = [&](std::uint16_t type, std::string_view body) {
      wire::put_u16(extensions, type);
      extensions += wire::sized16(body);
    };
    if (tls13) {
      std::string number;
      wire::put_u16(number, version);
      add(extension::kSupportedVersions, number);
      number.clear();
      wire::put_u16(number, group);
      add(extension::kKeyShare, number);
    }
    for (const auto type : config_.answers) {
      if (offer_.extensions.contains(type) && !tls13) {
        add(type, type == extension::kRenegotiationInfo ? std::string(1, '\0') : std::string{});
      }
    }
    std::string body;
    wire::put_u16(body, tls13 ? wire::kTls12 : version);
    body += tls13 ? std::string{kRetry, 32} : std::string(32, 'r');
    const auto ticket = offer_.extensions.find(extension::kSessionTicket);
    const bool resumes = ticket != offer_.extensions.end() && !ticket->second.empty();
    body += wire::sized8(offer_.session_id + (resumes ? config_.beyond_session_id : std::string{}));
    wire::put_u16(body, suite);
    const bool compresses = config_.compression != 0 &&
                            offer_.compression.find(static_cast<char>(config_.compression)) != std::string::npos;
    wire::put_u8(body, compresses ? config_.compression : 0U);
    return extensions.empty() ? body : body + wire::sized16(extensions);
  }

  std::string key_exchange(std::uint16_t version, const wire::SuiteParts& parts, std::uint16_t group,
                           std::uint16_t scheme) const {
    std::string out;
    if (parts.ephemeral_ec) {
      wire::put_u8(out, 3);
      wire::put_u16(out, group);
      out += wire::sized8(std::string(32, 'p'));
    } else {
      out += wire::sized16(config_.dh_prime) + wire::sized16(std::string(1, '\x02')) + wire::sized16(config_.dh_prime);
    }
    if (version == wire::kTls12) {
      wire::put_u16(out, scheme);
    }
    return out + wire::sized16(std::string(64, 's'));
  }

  const TlsServer& config_;
  Line& line_;
  Offer offer_;
};

}  // namespace

PeerMaker TlsServer::peer() const {
  const auto config = std::make_shared<TlsServer>(*this);
  return [config](int) -> Peer {
    const auto next = config->then ? config->then() : Then{};
    return [config, next, answered = false](std::string_view written, Line& line) mutable {
      if (written.empty()) {
        return;
      }
      if (!answered) {
        answered = true;
        Server{*config, line}.answer(written);
      } else if (next && written[0] != 21) {
        next(written, line);
      }
    };
  };
}

std::string test_certificate() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  const std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), &X509_free};
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 7);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("hub.test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate.get(), &der);
  std::string out{reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)};
  OPENSSL_free(der);
  return out;
}

}  // namespace assay::fake
