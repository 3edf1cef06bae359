#pragma once

#include <string_view>

#include "harness/model/json.hpp"

/// Signed certificate timestamps (RFC 6962, 3.3) by the three ways in which they come. The signatures are not checked:
/// that takes the keys of the logs, which are nobody's standard.
///
/// Each yields {count, scts: [{version, log_id, time}]}, `log_id` in lower-case hex, `time` as RFC 3339 UTC, at most 16
/// of them; {malformed: true} for bytes that are no such list; null where there is none.
namespace assay::sessions {

/// A SignedCertificateTimestampList as the TLS extension carries it.
json::value sct_list_facts(std::string_view list);

/// The list in an extension of a certificate (DER).
json::value certificate_sct_facts(std::string_view certificate);

/// The lists in the single responses of an OCSPResponse (DER).
json::value ocsp_sct_facts(std::string_view response);

}  // namespace assay::sessions
