#pragma once

#include "probes/credentials/dialect.hpp"
#include "probes/wire/http_auth.hpp"

namespace assay::probes::credentials {

/// MD5 or SHA-256 in lower-case hex.
std::string hash_hex(std::string_view algorithm, std::string_view data);

/// The challenge of a 401 that this probe can answer: Basic before Digest, nothing for the rest.
std::optional<wire::Challenge> usable_challenge(const wire::HttpResponse& response);

/// What the answer to a right login of Digest shows the server to know the password by (RFC 7616, 3.5: rspauth) lets
/// whoever reads it guess the password at leisure. The channel must hold the answer until this is done.
void conceal_proof(Door& door, const Result<sessions::HttpAnswer>& answer, const std::string& name);

/// Basic or Digest on one protected path.
std::unique_ptr<Dialect> make_http(Door& door, bool tls, std::string path, wire::Challenge challenge);

}  // namespace assay::probes::credentials
