#pragma once

#include <vector>

#include "harness/net/address.hpp"
#include "harness/net/governor.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// Network::ask_groups for the device at `address`. Questions leave from a port the kernel chooses; a second socket
/// for each group hears what is sent to the group. A link-local IPv6 sender counts as the device when the neighbour
/// table, or the address a host makes of its MAC, ties it to the device's MAC. What has another sender is counted only.
asio::awaitable<Result<GroupAnswers>> ask_discovery_groups(Governor& governor, IpAddress address,
                                                           const std::vector<GroupQuestion>& questions,
                                                           milliseconds within, TimePoint deadline);

}  // namespace assay
