#include "probes/wire/tls_flight.hpp"

#include <algorithm>

#include "probes/wire/tls_build.hpp"

namespace assay::wire {

namespace {

constexpr std::uint8_t kChangeCipherSpec = 20;
constexpr std::uint8_t kAlert = 21;
constexpr std::uint8_t kHandshake = 22;
constexpr std::uint8_t kApplicationData = 23;
constexpr std::uint8_t kHeartbeat = 24;
constexpr std::size_t kLargestRecord = (1U << 14U) + 2048;
constexpr std::size_t kMostOthers = 8;
constexpr std::size_t kOtherHead = 64;
constexpr std::size_t kMostAuthorities = 64;

// RFC 8446, 4.1.3: the random of a HelloRetryRequest.
constexpr unsigned char kRetryRandom[] = {0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C,
                                          0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB,
                                          0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

enum Message : std::uint8_t {
  kHelloRequest = 0,
  kServerHello = 2,
  kNewSessionTicket = 4,
  kCertificate = 11,
  kServerKeyExchange = 12,
  kCertificateRequest = 13,
  kServerHelloDone = 14,
  kCertificateStatus = 22,
};

bool is_retry(std::string_view random) {
  return random.size() == sizeof kRetryRandom &&
         std::equal(random.begin(), random.end(), std::begin(kRetryRandom),
                    [](char left, unsigned char right) { return static_cast<unsigned char>(left) == right; });
}

/// `signature_algorithm` and signature at the end of a signed key exchange; nothing where the suite does not sign.
void read_signature(Reader& reader, std::uint16_t version, ServerKeyExchange& out) {
  const bool has_scheme = version == kTls12 || version == kDtls12;
  if (has_scheme && reader.rest().size() >= 4) {
    out.signature = reader.u16();
  }
}

bool read_curve(Reader& reader, ServerKeyExchange& out) {
  constexpr std::uint8_t kNamed = 3;
  const auto type = reader.u8();
  if (type != kNamed) {
    out.kind = ServerKeyExchange::Kind::explicit_curve;
    return type == 1 || type == 2;
  }
  out.kind = ServerKeyExchange::Kind::named_group;
  out.group = reader.u16();
  out.dh_public = reader.take(reader.u8());
  return !reader.failed();
}

bool read_dh(Reader& reader, ServerKeyExchange& out) {
  out.kind = ServerKeyExchange::Kind::dh;
  out.dh_p = reader.take(reader.u16());
  out.dh_g = reader.take(reader.u16());
  out.dh_public = reader.take(reader.u16());
  return !reader.failed();
}

}  // namespace

std::optional<ServerHello> parse_server_hello(std::string_view body) {
  ServerHello out;
  Reader reader{body};
  out.legacy_version = reader.u16();
  out.random = reader.take(32);
  out.session_id = reader.take(reader.u8());
  out.suite = reader.u16();
  out.compression = reader.u8();
  if (reader.failed() || out.session_id.size() > 32) {
    return std::nullopt;
  }
  out.version = out.legacy_version;
  out.retry = is_retry(out.random);
  if (!reader.rest().empty()) {
    Reader extensions{reader.take(reader.u16())};
    if (reader.failed()) {
      return std::nullopt;
    }
    while (!extensions.rest().empty()) {
      const auto type = extensions.u16();
      const auto content = extensions.take(extensions.u16());
      if (extensions.failed()) {
        return std::nullopt;
      }
      out.order.push_back(type);
      out.extensions.emplace(type, content);
    }
  }
  if (const auto found = out.extensions.find(extension::kSupportedVersions); found != out.extensions.end()) {
    Reader version{found->second};
    out.version = version.u16();
    if (version.failed()) {
      return std::nullopt;
    }
  }
  if (const auto found = out.extensions.find(extension::kKeyShare); found != out.extensions.end()) {
    Reader share{found->second};
    out.group = share.u16();
  }
  return out;
}

std::optional<std::vector<std::string>> parse_certificates(std::string_view body) {
  std::vector<std::string> out;
  Reader reader{body};
  Reader list{reader.take(reader.u24())};
  if (reader.failed()) {
    return std::nullopt;
  }
  while (!list.rest().empty()) {
    auto certificate = list.take(list.u24());
    if (list.failed()) {
      return std::nullopt;
    }
    if (out.size() < TlsFlight::kMostCertificates) {
      out.emplace_back(certificate);
    }
  }
  return out;
}

ServerKeyExchange parse_key_exchange(std::string_view body, std::uint16_t suite, std::uint16_t version) {
  ServerKeyExchange out;
  out.raw = body;
  const auto parts = suite_parts(suite);
  Reader reader{body};
  if (parts.psk) {
    out.psk_hint = reader.take(reader.u16());
  }
  bool well = !reader.failed();
  if (parts.ephemeral_ec) {
    well = well && read_curve(reader, out);
  } else if (parts.ephemeral_dh) {
    well = well && read_dh(reader, out);
  } else if (parts.export_grade || parts.rsa_transport) {
    // RSA_EXPORT sends a temporary key (RFC 2246, 7.4.3); with PSK there is only the hint.
    out.kind = parts.psk ? ServerKeyExchange::Kind::psk_hint : ServerKeyExchange::Kind::unknown;
  } else if (parts.psk) {
    out.kind = ServerKeyExchange::Kind::psk_hint;
  } else if (parts.srp) {
    out.kind = ServerKeyExchange::Kind::srp;
  }
  if (!well) {
    out.kind = ServerKeyExchange::Kind::unknown;
    return out;
  }
  if (!parts.anonymous && (parts.ephemeral_ec || parts.ephemeral_dh)) {
    read_signature(reader, version, out);
  }
  return out;
}

std::optional<CertificateRequest> parse_certificate_request(std::string_view body, std::uint16_t version) {
  CertificateRequest out;
  Reader reader{body};
  out.types = reader.take(reader.u8());
  if (version == kTls12 || version == kDtls12) {
    Reader schemes{reader.take(reader.u16())};
    while (schemes.rest().size() >= 2) {
      out.signatures.push_back(schemes.u16());
    }
  }
  Reader names{reader.take(reader.u16())};
  if (reader.failed()) {
    return std::nullopt;
  }
  while (!names.rest().empty() && out.authorities.size() < kMostAuthorities) {
    const auto name = names.take(names.u16());
    if (names.failed()) {
      return std::nullopt;
    }
    out.authorities.emplace_back(name);
  }
  return out;
}

std::optional<TlsAlert> TlsFlight::refusal() const {
  const auto found = std::find_if(alerts_.begin(), alerts_.end(),
                                  [](const TlsAlert& one) { return one.level == 2 || one.alert == 0; });
  if (found == alerts_.end()) {
    return std::nullopt;
  }
  return *found;
}

bool TlsFlight::fail(std::string why) {
  fault_ = std::move(why);
  return false;
}

bool TlsFlight::feed(std::string_view bytes) {
  bytes_ += bytes.size();
  pending_.append(bytes);
  if (!fault_.empty()) {
    return false;
  }
  const bool ssl2 = ssl2_offered_ && !hello_ && alerts_.empty() && pending_.size() >= 3 && (pending_[0] & 0x80) != 0 &&
                    pending_[2] == 4;
  if (ssl2) {
    return take_ssl2();
  }
  while (pending_.size() >= 5) {
    Reader reader{pending_};
    const auto type = reader.u8();
    const auto version = reader.u16();
    const std::size_t length = reader.u16();
    if (type < kChangeCipherSpec || type > kHeartbeat || version >> 8U != 3) {
      return fail("bytes that are no TLS record");
    }
    if (length > kLargestRecord) {
      return fail("a record of " + std::to_string(length) + " bytes, more than TLS allows");
    }
    if (reader.rest().size() < length) {
      return true;
    }
    const std::string body{reader.take(length)};
    pending_.erase(0, 5 + length);
    if (!take_record(type, body)) {
      return false;
    }
  }
  return pending_.empty() || (pending_[0] >= kChangeCipherSpec && pending_[0] <= kHeartbeat) || ssl2_ ||
         fail("bytes that are no TLS record");
}

bool TlsFlight::feed_record(std::uint8_t type, std::string_view body) {
  bytes_ += body.size();
  return fault_.empty() && take_record(type, body);
}

bool TlsFlight::take_record(std::uint8_t type, std::string_view body) {
  if (type == kHandshake && !(hello_ && tls_age(hello_->version) == kTls13 && !hello_->retry)) {
    handshake_.append(body);
    return take_messages();
  }
  if (type == kAlert && body.size() == 2) {
    if (alerts_.size() >= kMostAlerts) {
      return fail("more than 8 alerts");
    }
    alerts_.push_back({static_cast<std::uint8_t>(body[0]), static_cast<std::uint8_t>(body[1])});
    return true;
  }
  if (others_.size() >= kMostOthers) {
    return true;
  }
  others_.push_back({type, body.size(), std::string{body.substr(0, kOtherHead)}});
  if (type == kApplicationData || (type == kChangeCipherSpec && hello_)) {
    done_ = true;
  }
  return true;
}

bool TlsFlight::take_messages() {
  while (handshake_.size() >= 4) {
    Reader reader{handshake_};
    const auto type = reader.u8();
    const std::size_t length = reader.u24();
    if (length > kLargestMessage) {
      return fail("a handshake message of " + std::to_string(length) + " bytes, more than is read here");
    }
    if (reader.rest().size() < length) {
      return true;
    }
    const std::string body{reader.take(length)};
    handshake_.erase(0, 4 + length);
    if (!take_message(type, body)) {
      return false;
    }
  }
  return true;
}

bool TlsFlight::take_message(std::uint8_t type, std::string_view body) {
  if (!hello_ && type != kServerHello) {
    return type == kHelloRequest || fail("a handshake that begins with message " + std::to_string(type));
  }
  switch (type) {
    case kServerHello: {
      auto parsed = parse_server_hello(body);
      const bool possible = parsed && (parsed->legacy_version >> 8U == 3 || is_dtls(parsed->legacy_version));
      if (hello_ || !possible) {
        return fail("a ServerHello that is malformed or comes twice");
      }
      parsed->wire = body;
      hello_ = std::move(parsed);
      done_ = hello_->retry;
      return true;
    }
    case kCertificate: {
      auto parsed = parse_certificates(body);
      if (!parsed) {
        return fail("a Certificate message that is malformed");
      }
      certificate_seen_ = true;
      certificates_ = std::move(*parsed);
      return true;
    }
    case kServerKeyExchange:
      key_exchange_ = parse_key_exchange(body, hello_->suite, hello_->version);
      return true;
    case kCertificateRequest:
      certificate_request_ = parse_certificate_request(body, hello_->version);
      return certificate_request_ || fail("a CertificateRequest that is malformed");
    case kCertificateStatus: {
      Reader reader{body};
      reader.u8();
      ocsp_ = reader.take(reader.u24());
      return true;
    }
    case kServerHelloDone:
      done_ = true;
      return true;
    case kHelloRequest:
    case kNewSessionTicket:
      return true;
    default:
      return fail("handshake message " + std::to_string(type) + " out of place");
  }
}

bool TlsFlight::take_ssl2() {
  Reader reader{pending_};
  const std::size_t length = reader.u16() & 0x7fffU;
  if (reader.rest().size() < length) {
    return true;
  }
  Reader body{reader.take(length)};
  Ssl2Hello out;
  body.u8();  // SERVER-HELLO
  body.u8();  // session id hit
  body.u8();  // certificate type
  out.version = body.u16();
  const auto certificate = body.u16();
  const auto ciphers = body.u16();
  body.u16();  // connection id
  out.certificate = body.take(certificate);
  Reader list{body.take(ciphers)};
  while (list.rest().size() >= 3) {
    out.ciphers.push_back(list.u24());
  }
  if (body.failed() || out.version != kSsl2) {
    return fail("a SERVER-HELLO of SSL 2.0 that is malformed");
  }
  ssl2_ = std::move(out);
  done_ = true;
  pending_.clear();
  return true;
}

}  // namespace assay::wire
