#pragma once

#include <vector>

#include "harness/net/address.hpp"
#include "harness/net/scope.hpp"

namespace assay {

/// A device keeps a neighbour entry for every address that asks it, and Linux holds 1024 by default (gc_thresh3).
inline constexpr std::size_t kMostUdpSources = 512;

/// Addresses that a UDP scan of the device may send from beside the one that the kernel chooses: those of the interface
/// that leads to the device, in its address family, that lie in `allowed`. In order, at most kMostUdpSources; empty
/// without a route. Nothing is ever sent from an address that this host does not have.
std::vector<IpAddress> udp_sources(const IpAddress& device, const Scope& allowed);

}  // namespace assay
