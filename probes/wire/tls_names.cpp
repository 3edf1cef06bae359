#include "probes/wire/tls_names.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"

namespace assay::wire {

namespace {

constexpr TlsName kGroups[] = {
    {29, "x25519"},
    {23, "secp256r1"},
    {24, "secp384r1"},
    {25, "secp521r1"},
    {30, "x448"},
    {0x0100, "ffdhe2048"},
    {0x0101, "ffdhe3072"},
    {0x0102, "ffdhe4096"},
    {0x0103, "ffdhe6144"},
    {0x0104, "ffdhe8192"},
    {26, "brainpoolP256r1"},
    {27, "brainpoolP384r1"},
    {28, "brainpoolP512r1"},
    {31, "brainpoolP256r1tls13"},
    {32, "brainpoolP384r1tls13"},
    {33, "brainpoolP512r1tls13"},
    {0x11ec, "X25519MLKEM768"},
    {0x11eb, "SecP256r1MLKEM768"},
    {0x11ed, "SecP384r1MLKEM1024"},
    {0x0200, "MLKEM512"},
    {0x0201, "MLKEM768"},
    {0x0202, "MLKEM1024"},
    {0x6399, "X25519Kyber768Draft00"},
    {41, "curveSM2"},
    {22, "secp256k1"},
    {21, "secp224r1"},
    {20, "secp224k1"},
    {19, "secp192r1"},
    {18, "secp192k1"},
    {17, "secp160r2"},
    {16, "secp160r1"},
    {15, "secp160k1"},
    {14, "sect571r1"},
    {13, "sect571k1"},
    {12, "sect409r1"},
    {11, "sect409k1"},
    {10, "sect283r1"},
    {9, "sect283k1"},
    {8, "sect239k1"},
    {7, "sect233r1"},
    {6, "sect233k1"},
    {5, "sect193r2"},
    {4, "sect193r1"},
    {3, "sect163r2"},
    {2, "sect163r1"},
    {1, "sect163k1"},
};

constexpr TlsName kSignatures[] = {
    {0x0403, "ecdsa_secp256r1_sha256"},
    {0x0804, "rsa_pss_rsae_sha256"},
    {0x0401, "rsa_pkcs1_sha256"},
    {0x0503, "ecdsa_secp384r1_sha384"},
    {0x0805, "rsa_pss_rsae_sha384"},
    {0x0501, "rsa_pkcs1_sha384"},
    {0x0603, "ecdsa_secp521r1_sha512"},
    {0x0806, "rsa_pss_rsae_sha512"},
    {0x0601, "rsa_pkcs1_sha512"},
    {0x0807, "ed25519"},
    {0x0808, "ed448"},
    {0x0809, "rsa_pss_pss_sha256"},
    {0x080a, "rsa_pss_pss_sha384"},
    {0x080b, "rsa_pss_pss_sha512"},
    {0x081a, "ecdsa_brainpoolP256r1tls13_sha256"},
    {0x081b, "ecdsa_brainpoolP384r1tls13_sha384"},
    {0x081c, "ecdsa_brainpoolP512r1tls13_sha512"},
    {0x0303, "ecdsa_sha224"},
    {0x0301, "rsa_pkcs1_sha224"},
    {0x0203, "ecdsa_sha1"},
    {0x0201, "rsa_pkcs1_sha1"},
    {0x0101, "rsa_pkcs1_md5"},
    {0x0402, "dsa_sha256"},
    {0x0502, "dsa_sha384"},
    {0x0602, "dsa_sha512"},
    {0x0302, "dsa_sha224"},
    {0x0202, "dsa_sha1"},
    {0x0904, "mldsa44"},
    {0x0905, "mldsa65"},
    {0x0906, "mldsa87"},
};

constexpr TlsName kAlerts[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
};

constexpr TlsName kVersions[] = {
    {kSsl2, "SSLv2"},    {kSsl3, "SSLv3"},    {kTls10, "TLSv1"},     {kTls11, "TLSv1.1"},   {kTls12, "TLSv1.2"},
    {kTls13, "TLSv1.3"}, {kDtls10, "DTLSv1"}, {kDtls12, "DTLSv1.2"}, {kDtls13, "DTLSv1.3"},
};

std::string name_in(std::span<const TlsName> names, std::uint16_t code) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const TlsName& name) { return name.code == code; });
  if (found != names.end()) {
    return std::string{found->name};
  }
  std::string number;
  put_u16(number, code);
  return "0x" + hex(number);
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

std::span<const TlsName> tls_groups() {
  return kGroups;
}

std::span<const TlsName> tls_signature_schemes() {
  return kSignatures;
}

std::string tls_suite_name(std::uint16_t code) {
  return name_in(tls_suites(), code);
}

std::string tls_group_name(std::uint16_t code) {
  return name_in(kGroups, code);
}

std::string tls_signature_name(std::uint16_t code) {
  return name_in(kSignatures, code);
}

std::string tls_version_name(std::uint16_t version) {
  return name_in(kVersions, version);
}

std::string tls_alert_name(std::uint8_t alert) {
  return name_in(kAlerts, alert);
}

SuiteParts suite_parts(std::uint16_t code) {
  SuiteParts out;
  const auto suites = tls_suites();
  const auto found = std::find_if(suites.begin(), suites.end(), [&](const TlsName& name) { return name.code == code; });
  if (found == suites.end()) {
    return out;
  }
  const auto name = found->name;
  out.name = name;
  out.tls13 = code >> 8U == 0x13 || code == 0x00c6 || code == 0x00c7 || code == 0xc0b4 || code == 0xc0b5;
  const auto with = name.find("_WITH_");
  const auto exchange = with == std::string_view::npos ? std::string_view{} : name.substr(0, with);
  out.ephemeral_ec = has(exchange, "_ECDHE") || has(exchange, "_ECDH_anon");
  out.ephemeral_dh = has(exchange, "_DHE") || has(exchange, "_DH_anon");
  out.anonymous = has(exchange, "_anon");
  out.psk = has(exchange, "PSK");
  out.srp = has(exchange, "SRP");
  out.ecdsa = has(exchange, "ECDSA");
  out.dss = exchange.ends_with("DSS") || has(exchange, "_DSS_");
  const bool rsa = has(exchange, "RSA");
  const bool static_dh = has(exchange, "_DH_") || has(exchange, "_ECDH_");
  out.rsa_transport = rsa && !out.ephemeral_ec && !out.ephemeral_dh && !static_dh && !out.srp;
  out.rsa_signed = rsa && !out.rsa_transport;
  out.cbc = has(name, "CBC");
  out.aead = has(name, "GCM") || has(name, "CCM") || has(name, "POLY1305") || has(name, "MGM") || has(name, "AEGIS") ||
             (out.tls13 && code >> 8U == 0x13);
  out.null_cipher = has(name, "_WITH_NULL") || code == 0xc0b4 || code == 0xc0b5;
  out.export_grade = has(name, "EXPORT");
  out.rc4 = has(name, "RC4");
  out.des = has(name, "_DES_") || has(name, "DES40") || has(name, "DES_CBC_40");
  out.block64 = has(name, "3DES") || out.des || has(name, "IDEA") || has(name, "RC2");
  return out;
}

}  // namespace assay::wire
