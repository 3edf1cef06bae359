#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Digests and ciphers of the logins that make something of a password, over OpenSSL. Bytes travel as text; an empty
/// result is a failure of the library.
namespace assay::sessions {

enum class Hash : std::uint8_t { md5, sha1, sha224, sha256, sha384, sha512 };

std::string digest(Hash hash, std::string_view data);
std::string hmac(Hash hash, std::string_view key, std::string_view data);

/// PBKDF2 with HMAC (RFC 8018, 5.2) of the hash's own length.
std::string stretched(Hash hash, std::string_view password, std::string_view salt, std::uint32_t iterations);

/// Bytes of `a` with those of `b` added without carry; as long as the shorter.
std::string exclusive_or(std::string_view a, std::string_view b);

/// Ciphers as OpenSSL names them: "AES-128-CFB", "DES-EDE3-CBC"; without padding.
std::string encrypt(const char* cipher, std::string_view key, std::string_view iv, std::string_view data);
std::string decrypt(const char* cipher, std::string_view key, std::string_view iv, std::string_view data);

/// RSA with OAEP and SHA-1 to a public key in PEM, which the device gave: bounded to 16 KiB and 8192 bits.
std::string encrypt_to(std::string_view public_pem, std::string_view data);

/// Digest of a megabyte of the password repeated, bound to one SNMP engine (RFC 3414, A.2).
std::string localised_key(Hash hash, std::string_view password, std::string_view engine);

}  // namespace assay::sessions
