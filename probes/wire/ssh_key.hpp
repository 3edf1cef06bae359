#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// Public keys of SSH: RFC 4253 section 6.6 (RSA, DSA), RFC 5656 (ECDSA), RFC 8709 (Ed25519, Ed448), and the
/// certificates of OpenSSH (its PROTOCOL.certkeys).
namespace assay::wire {

struct SshKey {
  Parse state = Parse::malformed;
  std::string type;          // as it says itself, printable: "ssh-rsa"
  std::string kind;          // rsa, dsa, ecdsa, ed25519, ed448; empty: a kind that is not known here
  std::int64_t bits = 0;     // of the modulus, the field of the curve; 0: not known
  bool certificate = false;  // of OpenSSH: the key stands in a certificate
  /// Of a known kind the fields behind the type (and the nonce), in their order: RSA e, n; DSA p, q, g, y; ECDSA curve,
  /// point; Ed25519, Ed448 the point. Views into the blob; empty when malformed.
  std::vector<std::string_view> fields;
};

/// A key as it travels. A kind that is not known is complete too, with its type alone.
SshKey parse_ssh_key(std::string_view blob);

}  // namespace assay::wire
