#pragma once

#include <cstdint>

#include "harness/net/address.hpp"
#include "harness/probe/network.hpp"

/// The multicast groups that may be asked: these and no other, on these ports only.
namespace assay {

struct GroupAddress {
  IpAddress address;
  std::uint16_t port = 0;
};

GroupAddress group_address(DiscoveryGroup group, bool v6);

/// True for exactly the eight pairs of group and port that DiscoveryGroup stands for.
bool is_discovery_group(const IpAddress& address, std::uint16_t port);

}  // namespace assay
