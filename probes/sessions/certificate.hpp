#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/model/json.hpp"
#include "harness/model/result.hpp"
#include "probes/sessions/public_key.hpp"

namespace assay::sessions {

/// SHA-256 in lower-case hex; empty when OpenSSL has no memory.
std::string sha256_hex(std::string_view bytes);

/// What a certificate (DER) says about itself (RFC 5280): {subject, issuer, serial, version, not_before, not_after,
/// valid_days, public_key, key_type, key_bits, key_group, key_sha256, modulus, exponent, key_flaws, signature, names,
/// ca, key_usage, extended_key_usage, transparency, revocation, self_signed, sha256}.
///
/// Names of the subject are RFC 2253 text, times RFC 3339 UTC, digests lower-case hex; `key_sha256` is that of the
/// SubjectPublicKeyInfo, which two certificates of one key share; `modulus`, `exponent` and `key_flaws` are those of
/// public_key.hpp; `names` are the DNS names and addresses of
/// subjectAltName; `revocation` the kinds of pointers ("ocsp", "crl"). `protocol` when the bytes are no certificate.
Result<json::object> certificate_facts(std::string_view der);

/// The same, where a key that was judged before is not judged again.
Result<json::object> certificate_facts(std::string_view der, JudgedKeys& judged);

/// A name (DER) as RFC 2253 text in printable ASCII, at most 512 bytes of it; empty when the bytes are no name.
std::string distinguished_name(std::string_view der);

/// The chain as it was sent: [{…the facts of each certificate…, issued_by_next}], where a certificate that cannot be
/// read is {error}. `issued_by_next`: the next one names the issuer and its key verifies the signature; of the last one
/// it is `self_signed`.
json::array chain_facts(const std::vector<std::string>& chain_der, JudgedKeys& judged);

}  // namespace assay::sessions
