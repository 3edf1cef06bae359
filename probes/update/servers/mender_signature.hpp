#pragma once

#include <string_view>

namespace assay::probes::update {

/// Whether a request for a token of Mender's device API is signed by the key that it names itself: `signature` (the
/// header X-MEN-Signature, in base64) over the whole body, by RSA (PKCS #1 v1.5) or ECDSA with SHA-256, or by Ed25519.
/// False too for what is no key and no signature.
bool is_signed_by_own_key(std::string_view body, std::string_view signature);

}  // namespace assay::probes::update
