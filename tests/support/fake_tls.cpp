#include "tests/support/fake_tls.hpp"

#include <algorithm>
#include <memory>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "probes/wire/bytes.hpp"
#include "probes/wire/dtls.hpp"
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
  std::string random;
  std::string cookie;
};

/// Where a server's records go, framed as TLS has them; an empty one ends the connection.
using Say = std::function<void(std::string record)>;

std::vector<std::uint16_t> numbers_in(std::string_view bytes) {
  std::vector<std::uint16_t> out;
  wire::Reader reader{bytes};
  while (reader.rest().size() >= 2) {
    out.push_back(reader.u16());
  }
  return out;
}

/// The body of a ClientHello; that of DTLS has a cookie in it.
Offer read_offer(std::string_view body) {
  Offer out;
  wire::Reader reader{body};
  out.version = reader.u16();
  out.random = reader.take(32);
  out.session_id = reader.take(reader.u8());
  if (wire::is_dtls(out.version)) {
    out.cookie = reader.take(reader.u8());
  }
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
  Server(const TlsServer& config, Say say) : config_(config), say_(std::move(say)) {}

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
    answer(read_offer(written.substr(9)));
  }

  void answer(Offer offer) {
    offer_ = std::move(offer);
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
      say_(wire::tls_alert_record(wire::kTls12, 2, alert));
    }
    say_({});
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
    say_(record + body);
  }

  std::optional<std::uint16_t> choose_version() const {
    const auto listed = list_of(offer_, extension::kSupportedVersions, 1);
    std::optional<std::uint16_t> best;
    for (const auto& [version, suites] : config_.suites) {
      const auto age = wire::tls_age(version);
      const bool offered = listed.empty() ? age <= wire::tls_age(offer_.version) && age < wire::kTls13
                                          : std::find(listed.begin(), listed.end(), version) != listed.end();
      if (offered && (!best || age > wire::tls_age(*best))) {
        best = version;
      }
    }
    const bool unknown = wire::tls_age(offer_.version) > wire::kTls12 && !config_.knows_future;
    return unknown ? std::nullopt : best;
  }

  std::uint16_t newest() const {
    const bool dtls = wire::is_dtls(config_.suites.begin()->first);  // counts downwards
    return dtls ? config_.suites.begin()->first : config_.suites.rbegin()->first;
  }

  void answer_in(std::uint16_t version) {
    const bool falls_back =
        std::find(offer_.suites.begin(), offer_.suites.end(), wire::kFallbackScsv) != offer_.suites.end();
    if (falls_back && config_.fallback_scsv && version != newest()) {
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
    const bool signs =
        wire::tls_age(version) == wire::kTls12 && (parts.ephemeral_ec || parts.ephemeral_dh) && !parts.anonymous;
    if ((wants_group && !group && version != wire::kSsl3) || (signs && !scheme)) {
      refuse(40);
      return;
    }
    say_flight(version, *suite, group.value_or(23), scheme.value_or(0x0401));
  }

  void say_flight(std::uint16_t version, std::uint16_t suite, std::uint16_t group, std::uint16_t scheme) {
    const auto parts = wire::suite_parts(suite);
    auto flight = message(2, hello(version, suite, group));
    if (wire::tls_age(version) != wire::kTls13) {
      if (!parts.anonymous && !parts.psk) {
        std::string entry;
        wire::put_u24(entry, static_cast<std::uint32_t>(config_.certificate.size()));
        entry += config_.certificate;
        std::string list;
        wire::put_u24(list, static_cast<std::uint32_t>(entry.size()));
        flight += message(11, list + entry);
      }
      if (parts.ephemeral_ec || parts.ephemeral_dh) {
        flight += message(12, key_exchange(version, parts, group, scheme));
      } else if (parts.psk && !config_.psk_hint.empty()) {
        flight += message(12, wire::sized16(config_.psk_hint));
      }
      flight += message(14, {});
    }
    say_(wire::tls_record(22, version == wire::kTls13 ? wire::kTls12 : version, flight));
  }

  std::string hello(std::uint16_t version, std::uint16_t suite, std::uint16_t group) const {
    static constexpr char kRetry[] =
        "\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91"
        "\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C";
    const bool tls13 = wire::tls_age(version) == wire::kTls13;
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
    const auto tls12 = wire::is_dtls(version) ? wire::kDtls12 : wire::kTls12;
    wire::put_u16(body, tls13 ? tls12 : version);
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
    if (wire::tls_age(version) == wire::kTls12) {
      wire::put_u16(out, scheme);
    }
    return out + wire::sized16(std::string(64, 's'));
  }

  const TlsServer& config_;
  Say say_;
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
        Server server{*config, [&line](std::string record) {
                        if (record.empty()) {
                          line.close();
                        } else {
                          line.say(std::move(record));
                        }
                      }};
        server.answer(written);
      } else if (next && written[0] != 21) {
        next(written, line);
      }
    };
  };
}

namespace {

/// Puts the records of a TLS server into the frames of DTLS.
class DtlsSide {
 public:
  explicit DtlsSide(const DtlsServer& config) : config_(config) {}

  std::vector<std::string> answer(std::string_view datagram) {
    constexpr std::size_t kFrames = 13 + 12;
    if (datagram.size() < kFrames + 34 || datagram[0] != 22 || !takes_part(datagram)) {
      return {};
    }
    const auto offer = read_offer(body_);
    body_.clear();
    const bool alone = config_.answers_only && *config_.answers_only != offer.suites.size();
    if (alone) {
      return {};
    }
    const auto cookie = std::string(config_.cookie_length, 'c') + (config_.binds_cookie ? offer.random : "");
    if (config_.cookie_length > 0 && (offer.cookie != cookie || config_.endless)) {
      const auto given = config_.endless ? std::string(1, static_cast<char>(rounds_++)) : cookie;
      std::string verify;
      wire::put_u16(verify, wire::kDtls10);
      return {wire::dtls_record(22, wire::kDtls10, 0, fragment(3, verify + wire::sized8(given), 0, 0, ~0U))};
    }
    std::vector<std::string> out;
    Server server{config_.tls, [&](std::string record) { put(out, record); }};
    server.answer(offer);
    if (config_.backwards) {
      std::reverse(out.begin(), out.end());
    }
    if (config_.doubled) {
      const auto once = out;
      out.insert(out.end(), once.begin(), once.end());
    }
    return out;
  }

 private:
  /// Fragments of a hello come in order here; true when the message is whole.
  bool takes_part(std::string_view datagram) {
    wire::Reader reader{datagram.substr(14)};
    const std::size_t length = reader.u24();
    reader.take(2);
    const auto offset = reader.u24();
    body_.resize(offset);
    body_ += datagram.substr(25);
    return body_.size() == length;
  }

  static std::string fragment(std::uint8_t type, std::string_view body, std::uint32_t sequence, std::size_t offset,
                              std::size_t size) {
    const auto part = body.substr(offset, size);
    std::string out;
    wire::put_u8(out, type);
    wire::put_u24(out, static_cast<std::uint32_t>(body.size()));
    wire::put_u16(out, sequence);
    wire::put_u24(out, static_cast<std::uint32_t>(offset));
    wire::put_u24(out, static_cast<std::uint32_t>(part.size()));
    return out.append(part);
  }

  void put(std::vector<std::string>& out, std::string_view record) {
    if (record.empty()) {
      return;
    }
    const auto body = record.substr(5);
    if (record[0] != 22) {
      out.push_back(wire::dtls_record(static_cast<std::uint8_t>(record[0]), wire::kDtls12, number_++, body));
      return;
    }
    wire::Reader reader{body};
    for (std::uint32_t sequence = config_.cookie_length > 0 ? 1 : 0; !reader.rest().empty(); ++sequence) {
      const auto type = reader.u8();
      const auto message = reader.take(reader.u24());
      std::size_t at = 0;
      do {
        out.push_back(
            wire::dtls_record(22, wire::kDtls12, number_++, fragment(type, message, sequence, at, config_.fragment)));
        at += config_.fragment;
      } while (at < message.size());
    }
  }

  const DtlsServer& config_;
  std::string body_;
  std::uint64_t number_ = 0;
  int rounds_ = 0;
};

}  // namespace

UdpPeer DtlsServer::peer() const {
  const auto config = std::make_shared<DtlsServer>(*this);
  return [config, side = DtlsSide{*config}](std::string_view datagram) mutable { return side.answer(datagram); };
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
