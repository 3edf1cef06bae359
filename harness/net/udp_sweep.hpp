#pragma once

#include "harness/net/address.hpp"
#include "harness/net/governor.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// UDP scan of one address: one loop over all ports. First every question, all in flight, sent again twice; then, for
/// what stayed silent, pairs of a datagram to the port and one to a port known to be closed: only when the second
/// brings its ICMP error does the silence of the first mean anything. Interrupted or out of time it returns what it
/// has, the rest as `unreliable`. Once the device is seen to limit its ICMP errors, pairs leave from `sources` too,
/// addresses of this host, for such limits hold for each peer. `unreachable` or `denied` when not one datagram could
/// leave this host, `bad_input` for no ports at all.
asio::awaitable<Result<UdpReport>> sweep_datagrams(Governor& governor, IpAddress address, const UdpSweep& asked,
                                                   std::vector<IpAddress> sources, const Progress& progress,
                                                   TimePoint deadline);

}  // namespace assay
