#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The numbers of TLS and their names, as the IANA registries of TLS parameters have them.
namespace assay::wire {

inline constexpr std::uint16_t kSsl2 = 0x0002;
inline constexpr std::uint16_t kSsl3 = 0x0300;
inline constexpr std::uint16_t kTls10 = 0x0301;
inline constexpr std::uint16_t kTls11 = 0x0302;
inline constexpr std::uint16_t kTls12 = 0x0303;
inline constexpr std::uint16_t kTls13 = 0x0304;
inline constexpr std::uint16_t kDtls10 = 0xfeff;
inline constexpr std::uint16_t kDtls12 = 0xfefd;
inline constexpr std::uint16_t kDtls13 = 0xfefc;

/// Versions of DTLS are counted downwards, with 254 in front (RFC 4347, 4.1).
constexpr bool is_dtls(std::uint16_t version) {
  return version >> 8U == 0xfe;
}

/// The version of TLS that a version of DTLS is made of (RFC 4347: 1.1; RFC 6347: 1.2; RFC 9147: 1.3), to compare by
/// age; versions of TLS as they are.
constexpr std::uint16_t tls_age(std::uint16_t version) {
  return version == kDtls10 ? kTls11 : version == kDtls12 ? kTls12 : version == kDtls13 ? kTls13 : version;
}

struct TlsName {
  std::uint16_t code = 0;
  std::string_view name;
};

/// Every cipher suite that has, or once had, a name: current, historical and draft ones, by code. Signalling values
/// (RFC 5746, RFC 7507) are not among them.
std::span<const TlsName> tls_suites();
/// Named groups (RFC 8446, 4.2.7; RFC 8422; RFC 7919; hybrids of post-quantum schemes), the likely ones first.
std::span<const TlsName> tls_groups();
/// Signature schemes, and the pairs of TLS 1.2 that they stand for (RFC 8446, 4.2.3), the likely ones first.
std::span<const TlsName> tls_signature_schemes();

/// The name, or the number as "0xfefd".
std::string tls_suite_name(std::uint16_t code);
std::string tls_group_name(std::uint16_t code);
std::string tls_signature_name(std::uint16_t code);
/// "TLSv1.3", "DTLSv1.2", "SSLv2" …
std::string tls_version_name(std::uint16_t version);
/// "handshake_failure" … (RFC 8446, 6)
std::string tls_alert_name(std::uint8_t alert);

/// What a suite is made of, read off its registered name: "TLS_" kx "_" auth "_WITH_" cipher "_" mac.
struct SuiteParts {
  std::string_view name;
  bool tls13 = false;  // a suite of TLS 1.3: says nothing on key exchange and authentication
  bool ephemeral_ec = false;
  bool ephemeral_dh = false;
  bool rsa_transport = false;  // the client encrypts the secret with the server's RSA key
  bool anonymous = false;
  bool psk = false;
  bool srp = false;
  bool ecdsa = false;
  bool rsa_signed = false;
  bool dss = false;
  bool cbc = false;
  bool aead = false;
  bool null_cipher = false;
  bool export_grade = false;
  bool rc4 = false;
  bool des = false;      // single DES, 40 and 56 bits
  bool block64 = false;  // blocks of 64 bits: DES, 3DES, IDEA, RC2
};

SuiteParts suite_parts(std::uint16_t code);

}  // namespace assay::wire
