#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/images/byte_source.hpp"
#include "probes/images/cbor.hpp"

/// A SUIT envelope, read: where its parts lie and what is signed.
namespace assay::images {

constexpr std::uint64_t kSign1Tag = 18;    // of a COSE message with one signature
constexpr std::int64_t kSuitManifest = 3;  // key of the manifest; what comes behind it was severed from it

/// One signature, and where its parts lie in the envelope.
struct SuitSignature {
  std::size_t begin = 0;  // of the bytes that hold the COSE message
  std::size_t end = 0;
  std::size_t value = 0;  // of the signature's own bytes
  std::string protected_header;
  std::string unprotected;  // encoded
  std::string bytes;
  std::int64_t algorithm = 0;
};

struct SuitEnvelope {
  std::string text;
  CborItem map;
  CborItem authentication;  // the bytes that hold it, in `map`
  CborItem manifest;        // the same
  std::string digest;       // encoded: what is signed
  std::size_t digest_at = 0;
  std::vector<SuitSignature> signatures;
  std::string sequence;          // the shared command sequence
  std::optional<CborItem> body;  // of the manifest, places in its own bytes
};

/// Nothing when the image begins with no envelope.
Result<std::optional<SuitEnvelope>> read_envelope(const ByteSource& image);

/// The values of a parameter that a command sequence sets, with their places in the sequence.
std::vector<CborItem> suit_parameters(std::string_view sequence, std::int64_t key);

}  // namespace assay::images
