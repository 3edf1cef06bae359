#include "probes/tls/hellos.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"

namespace assay::probes::tls {

namespace {

constexpr std::uint16_t kLikely[] = {0x1302, 0x1303, 0x1301, 0x1304, 0x1305, 0xc02f, 0xc030, 0xc02b, 0xc02c, 0xcca8,
                                     0xcca9, 0xc027, 0xc028, 0xc013, 0xc014, 0xc023, 0xc024, 0xc009, 0xc00a, 0x009c,
                                     0x009d, 0x003c, 0x003d, 0x002f, 0x0035, 0x009e, 0x009f, 0x0067, 0x006b, 0x0033,
                                     0x0039, 0xc0ac, 0xc0ae, 0xc0a8, 0x00a8, 0x000a, 0x0005, 0x0004};
constexpr std::size_t kCommon = 28;

constexpr std::uint16_t kOldTls[] = {wire::kTls12, wire::kTls11, wire::kTls10};
constexpr std::uint16_t kOldDtls[] = {wire::kDtls12, wire::kDtls10};
constexpr std::uint16_t kTlsVersions[] = {wire::kTls13, wire::kTls11, wire::kTls10, wire::kSsl3, wire::kSsl2};
constexpr std::uint16_t kDtlsVersions[] = {wire::kDtls13, wire::kDtls10};

bool fits(std::uint16_t version, std::uint16_t suite) {
  const auto parts = wire::suite_parts(suite);
  const bool tls13 = wire::tls_age(version) == wire::kTls13;
  if (parts.tls13 != tls13) {
    return false;
  }
  // AEAD suites and those with a PRF of SHA-256 or SHA-384 are of TLS 1.2 alone (RFC 5246, 1.2), but for the CBC suites
  // of RFC 5487, which older versions may use.
  const bool old = wire::tls_age(version) < wire::kTls12;
  const bool of_tls12 =
      parts.aead || (!parts.psk && (parts.name.ends_with("_SHA256") || parts.name.ends_with("_SHA384")));
  return !old || !of_tls12;
}

}  // namespace

const Family& tls_family() {
  static const Family family{wire::kTls13, wire::kTls12, kOldTls, kTlsVersions, 0x0305};
  return family;
}

const Family& dtls_family() {
  static const Family family{wire::kDtls13, wire::kDtls12, kOldDtls, kDtlsVersions, 0xfefb};
  return family;
}

std::vector<std::uint16_t> suites_for(std::uint16_t version) {
  std::vector<std::uint16_t> out;
  for (const auto code : kLikely) {
    if (fits(version, code)) {
      out.push_back(code);
    }
  }
  for (const auto& suite : wire::tls_suites()) {
    if (fits(version, suite.code) && std::find(out.begin(), out.end(), suite.code) == out.end()) {
      out.push_back(suite.code);
    }
  }
  return out;
}

std::vector<std::uint16_t> common_suites(std::uint16_t version) {
  auto out = suites_for(version);
  out.resize(std::min(out.size(), kCommon));
  return out;
}

std::vector<std::uint16_t> all_groups() {
  std::vector<std::uint16_t> out;
  for (const auto& group : wire::tls_groups()) {
    out.push_back(group.code);
  }
  return out;
}

std::vector<std::uint16_t> all_signatures() {
  std::vector<std::uint16_t> out;
  for (const auto& scheme : wire::tls_signature_schemes()) {
    out.push_back(scheme.code);
  }
  return out;
}

wire::TlsHello make_hello(const HelloWish& wish) {
  wire::TlsHello out;
  const auto age = wire::tls_age(wish.version);
  const bool tls13 = age == wire::kTls13;
  const bool dtls = wire::is_dtls(wish.version);
  out.random = sessions::random_bytes(32);
  out.suites = wish.suites;
  const auto tls12 = dtls ? wire::kDtls12 : wire::kTls12;
  out.version = tls13 ? tls12 : wish.version;
  // The oldest frame, which every server reads in a first hello (RFC 8446, 5.1; RFC 9147, 4).
  out.record_version = dtls ? wire::kDtls10 : wish.version == wire::kSsl3 ? wire::kSsl3 : wire::kTls10;
  if (wish.version == wire::kSsl3) {
    out.suites.push_back(wire::kRenegotiationScsv);
    return out;
  }
  if (!wish.server_name.empty()) {
    out.extensions.push_back(wire::server_name(wish.server_name));
  }
  out.extensions.push_back(wire::supported_groups(wish.groups));
  out.extensions.push_back({wire::extension::kPointFormats, wire::sized8(std::string(1, '\0'))});
  if (age >= wire::kTls12) {
    out.extensions.push_back(wire::signature_algorithms(wish.signatures));
  }
  if (tls13) {
    const std::uint16_t versions[] = {wish.version};
    if (!dtls) {
      out.session_id = sessions::random_bytes(32);  // middleboxes expect one; DTLS wants none (RFC 9147, 5.3)
    }
    out.extensions.push_back(wire::supported_versions(versions));
    out.extensions.push_back({wire::extension::kPskModes, wire::sized8(std::string(1, '\x01'))});
    out.extensions.push_back(wire::no_key_share());
  } else {
    out.extensions.push_back({wire::extension::kRenegotiationInfo, std::string(1, '\0')});
  }
  return out;
}

wire::TlsExtension* find_extension(wire::TlsHello& hello, std::uint16_t type) {
  const auto found = std::find_if(hello.extensions.begin(), hello.extensions.end(),
                                  [&](const wire::TlsExtension& one) { return one.type == type; });
  return found == hello.extensions.end() ? nullptr : &*found;
}

}  // namespace assay::probes::tls
