#pragma once

#include <string>
#include <string_view>

#include "harness/model/result.hpp"
#include "probes/ssh/offer.hpp"
#include "probes/wire/ssh_kex.hpp"

/// Public values of ours that a server accepts, made by OpenSSL; the private halves are forgotten, for nothing that
/// follows from them is needed to see the host key. And names for what servers show.
namespace assay::probes::ssh {

struct PublicValue {
  std::string bytes;
  wire::SshValue form = wire::SshValue::bytes;
};

/// For every method but a group exchange.
Result<PublicValue> public_value(const Method& method);

/// In a group that a server gave. `protocol` for one that is no prime group of 512 to 16384 bits on its face.
Result<PublicValue> public_value_in(std::string_view prime, std::string_view generator);

/// "rfc3526-2048" for a prime that everybody knows (RFC 2409, RFC 3526); empty for another.
std::string known_prime(std::string_view prime);

/// As ssh-keygen -l prints it: "SHA256:…" without padding.
std::string fingerprint(std::string_view key);

}  // namespace assay::probes::ssh
