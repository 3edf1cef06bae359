#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/ssh.hpp"

/// What follows from a server's lists alone. Pure.
namespace assay::probes::ssh {

/// A way to a public value, from the likeliest.
enum class Exchange : std::uint8_t { curve25519, nistp256, nistp384, nistp521, group, group_exchange, sntrup761 };

struct Method {
  std::string name;
  Exchange exchange = Exchange::curve25519;
  std::int64_t bits = 0;  // of the modulus of a fixed group
};

/// The method this probe is best at among those offered; empty name: none that it knows.
Method choose_method(const std::vector<std::string>& offered);

/// The fixed group of a method by name (RFC 4253 section 8, RFC 8268); bits 0: the method has none.
std::int64_t fixed_group_bits(std::string_view method);

/// Host key algorithms that show the same key: ssh-rsa and the two rsa-sha2 are one.
struct Family {
  std::string name;
  std::vector<std::string> algorithms;  // as offered
};

/// At most 16 families, in the order offered.
std::vector<Family> families_of(const std::vector<std::string>& host_key_algorithms);

/// The precondition of CVE-2023-48795: a cipher mode with which messages can be cut off unseen is offered in one
/// direction (ChaCha20-Poly1305, or CBC with encrypt-then-MAC), and the marker of strict key exchange is not.
bool has_terrapin_precondition(const wire::SshKexInit& offer);

/// Of the `kex` list those that are markers and not methods.
std::vector<std::string> markers_of(const std::vector<std::string>& kex);

}  // namespace assay::probes::ssh
