#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "harness/net/address.hpp"
#include "harness/net/budget.hpp"
#include "harness/net/flow_book.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// Listens on the address of ours from which the routes lead to `device`; see Network::listen.
Result<std::unique_ptr<Listener>> listen_for(const asio::any_io_executor& executor, const IpAddress& device,
                                             std::uint16_t port, TimePoint deadline, const FlowLog& flows);

/// The address of ours that the kernel would send from to `device`.
Result<IpAddress> address_towards(const IpAddress& device);

}  // namespace assay
