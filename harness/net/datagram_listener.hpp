#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "harness/net/address.hpp"
#include "harness/net/budget.hpp"
#include "harness/net/flow_book.hpp"
#include "harness/net/governor.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// A UDP port on the address of ours from which the routes lead to `device`; see Network::listen_udp.
Result<std::unique_ptr<DatagramListener>> listen_for_datagrams(const asio::any_io_executor& executor,
                                                               Governor& governor, const IpAddress& device,
                                                               std::uint16_t port, TimePoint deadline,
                                                               const FlowLog& flows);

}  // namespace assay
