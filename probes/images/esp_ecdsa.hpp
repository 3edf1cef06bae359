#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/model/result.hpp"
#include "probes/images/byte_source.hpp"
#include "probes/images/crypto.hpp"

/// Signature blocks of ESP-IDF's secure boot version 2 with ECDSA: digest of all before the sector, curve, public point
/// and signature, numbers with the lowest byte first (esp-idf documentation, Secure Boot v2, signature block format).
namespace assay::images {

/// What differs by curve.
struct EspCurve {
  std::string_view key;     // as Signer::make names it
  int bits = 0;             // of the key
  std::string_view digest;  // as OpenSSL names it
  std::size_t digest_size = 0;
  char sha = 0;  // third byte of the block
  char id = 0;   // of the curve, behind the digest
};

/// The curve of a block that begins with e7 03; null when it is none that is known here: P-256 and P-384 are.
const EspCurve* esp_curve_of(std::string_view block);

/// Digest of a part by the curve's algorithm, as bytes.
Result<std::string> esp_digest(const ByteSource& covered, const EspCurve& curve);

/// A block over `covered`, without its CRC, `size` bytes. `unsupported` when the key is of another curve.
Result<std::string> esp_ecdsa_block(const ByteSource& covered, EVP_PKEY* key, const EspCurve& curve, std::size_t size);

/// Whether the signature of a block is that of the key.
bool esp_ecdsa_verifies(const ByteSource& covered, std::string_view block, EVP_PKEY* key, const EspCurve& curve);

}  // namespace assay::images
