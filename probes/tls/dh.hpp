#pragma once

#include <string_view>

#include "harness/model/json.hpp"

namespace assay::probes::tls {

/// What finite-field parameters are, from p and g as the server sent them (big-endian): {bits, generator, known, prime,
/// safe_prime, sha256}. `known` names a group of RFC 7919, RFC 3526 or RFC 2409 and is "" otherwise. A modulus above
/// 16384 bits is not tested: `prime` and `safe_prime` are left out.
json::object dh_facts(std::string_view p, std::string_view g);

}  // namespace assay::probes::tls
