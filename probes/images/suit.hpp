#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/images/format.hpp"

/// SUIT envelopes (draft-ietf-suit-manifest): CBOR with a manifest, its digest signed with COSE, and payloads. A
/// payload that an envelope leaves out is looked at and changed where it lies right behind it.
namespace assay::images {

extern const Format kSuit;

/// Where the envelope ends that an image begins with; nothing when it begins with none.
std::optional<std::uint64_t> suit_end(const ByteSource& image);

/// The addresses (parameter uri) that the manifest, and what was severed from it, name for payloads that are not within
/// the envelope. As they stand there, at most 64.
std::vector<std::string> suit_addresses(const ByteSource& image);

}  // namespace assay::images
