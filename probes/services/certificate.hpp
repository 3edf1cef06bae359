#pragma once

#include <string_view>

#include "harness/model/json.hpp"
#include "harness/model/result.hpp"

namespace assay::probes::services {

/// What a certificate (DER) says about itself: {subject, issuer, not_before, not_after, public_key, self_signed,
/// sha256}. Names are RFC 2253 text, times RFC 3339 UTC. `protocol` when the bytes are no certificate.
Result<json::object> certificate_facts(std::string_view der);

}  // namespace assay::probes::services
