#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "harness/net/flow_book.hpp"
#include "harness/net/governor.hpp"
#include "harness/net/scope.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// What a capture is told by a network, and what it can tell; empty: nothing is captured.
struct CaptureLink {
  FlowLog flows;
  std::function<std::vector<Bytes>()> dhcp;  // Network::overheard_dhcp
};

/// The real network for one step against one address of the device.
///
/// Every operation is refused (`denied`) when the target lies outside the scope, waits for the governor, ends at its
/// `within` or at `deadline`, whichever is first, and ends with `cancelled` when the step's coroutine is cancelled.
/// Waiting for the governor does not use up `within`: our own queue is not the device's silence. `within` of a connect
/// is cut to the pace's connect timeout. Nothing throws. `governor` outlives the network; streams may outlive it.
/// Every socket, and each sweep as a whole, is told to `capture`. `sources`: addresses of ours that a UDP scan may send
/// from, beside the usual one.
std::unique_ptr<Network> make_network(asio::any_io_executor executor, Governor& governor, Scope scope, Target target,
                                      TimePoint deadline, CaptureLink capture = {}, Scope sources = {});

/// Lets the process open as many descriptors as the hard limit allows (RLIMIT_NOFILE) and returns how many that is.
/// Call once at start, before threads.
std::size_t raise_descriptor_limit();

}  // namespace assay
