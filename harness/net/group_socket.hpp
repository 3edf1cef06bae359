#pragma once

#include <memory>
#include <vector>

#include "harness/net/address.hpp"
#include "harness/net/flow_book.hpp"
#include "harness/net/governor.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// The sockets of the questions of one step. They stay open until it ends, so that an answer that comes late is heard
/// by the next asking, and the kernel does not refuse it to its sender by ICMP.
class GroupConversation;

/// Network::ask_groups for the device at `address`. Questions leave from a port the kernel chooses; a second socket
/// for each group hears what is sent to the group. A link-local IPv6 sender counts as the device when the neighbour
/// table, or the address a host makes of its MAC, ties it to the device's MAC. What has another sender is counted only.
/// `conversation` is made by the first call and kept by the caller; one call at a time. `flows`, when not empty, is
/// told the sockets.
asio::awaitable<Result<GroupAnswers>> ask_discovery_groups(Governor& governor, IpAddress address,
                                                           std::shared_ptr<GroupConversation>& conversation,
                                                           const std::vector<GroupQuestion>& questions,
                                                           milliseconds within, TimePoint deadline,
                                                           const FlowLog& flows);

}  // namespace assay
