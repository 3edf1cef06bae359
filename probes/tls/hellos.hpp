#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "probes/wire/tls_build.hpp"

/// The ClientHellos of a survey. What a hello offers decides what its answer proves: each offers exactly one version
/// and, beyond the suites asked about, only what a server needs to choose them.
namespace assay::probes::tls {

/// The versions of TLS, or of DTLS.
struct Family {
  std::uint16_t newest = 0;
  std::uint16_t tls12 = 0;                  // the one that has signature schemes and hides least
  std::span<const std::uint16_t> old;       // up to that one, newest first
  std::span<const std::uint16_t> versions;  // all, in the order in which they are asked after the first
  std::uint16_t future = 0;                 // one above the newest, which nobody has
};

const Family& tls_family();
const Family& dtls_family();

/// Suites of one version in the order in which they are likely, for hellos that may have to be short.
std::vector<std::uint16_t> suites_for(std::uint16_t version);

/// The two dozen suites that nearly every server knows one of.
std::vector<std::uint16_t> common_suites(std::uint16_t version);

/// Codes of all groups, or all signature schemes, that have a name; the likely ones first.
std::vector<std::uint16_t> all_groups();
std::vector<std::uint16_t> all_signatures();

struct HelloWish {
  std::uint16_t version = wire::kTls12;
  std::vector<std::uint16_t> suites;
  std::vector<std::uint16_t> groups = all_groups();
  std::vector<std::uint16_t> signatures = all_signatures();
  std::string server_name;  // empty: no SNI
};

/// TLS 1.3 asks with an empty key_share, so that a HelloRetryRequest shows suite and group without any work of the
/// device (RFC 8446, 4.1.4). SSL 3.0 has no extensions.
wire::TlsHello make_hello(const HelloWish& wish);

/// The extension of a hello, or null.
wire::TlsExtension* find_extension(wire::TlsHello& hello, std::uint16_t type);

}  // namespace assay::probes::tls
