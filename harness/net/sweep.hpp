#pragma once

#include <vector>

#include "harness/net/address.hpp"
#include "harness/net/governor.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// TCP scan of one address: one loop over all ports (docs/coroutines.md says why no coroutine per port).
/// Interrupted or out of time it returns what it has, the rest as `unreliable`. Fails only with `unreachable` or
/// `denied` when not one connect could leave this host, and `bad_input` for no ports at all.
asio::awaitable<Result<SweepReport>> sweep_ports(Governor& governor, IpAddress address,
                                                 const std::vector<PortRange>& ports, SweepMethod method,
                                                 const Progress& progress, TimePoint deadline);

}  // namespace assay
