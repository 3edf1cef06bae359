#pragma once

#include "probes/images/format.hpp"

/// SUIT envelopes (draft-ietf-suit-manifest): CBOR with a manifest, its digest signed with COSE, and payloads.
namespace assay::images {

extern const Format kSuit;

}  // namespace assay::images
