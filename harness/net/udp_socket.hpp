#pragma once

#include <memory>

#include "harness/net/address.hpp"
#include "harness/net/flow_book.hpp"
#include "harness/net/governor.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// An unconnected UDP socket that talks to one address: answers from any of its ports are seen, those of others are
/// dropped, and ICMP errors are read from the socket's error queue (ip(7), IP_RECVERR).
/// `flows`, when not empty, is told the socket.
asio::awaitable<Result<std::unique_ptr<Datagrams>>> open_datagrams(Governor& governor, IpAddress address,
                                                                   std::uint16_t port, TimePoint deadline,
                                                                   const FlowLog& flows);

}  // namespace assay
