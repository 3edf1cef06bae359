#pragma once

#include <boost/asio/awaitable.hpp>

#include "harness/probe/probe.hpp"

/// What a sweep shows of the device as a whole: hosts that accept everywhere (tarpits, SYN proxies), fall silent, or turn a
/// scanner away would otherwise be read as devices with many open, filtered or closed ports.
namespace assay::probes::ports {

/// So many ports accepted that an accepted handshake is no sign of a service: at least 256, and one in twenty.
bool accepts_everywhere(const SweepReport& report);

/// Connects to the ports of the declaration and the usual ones among the open, 128 at most, and keeps as open those that say
/// something. The other open ports become `unreliable`: they accepted, and nothing is known.
asio::awaitable<void> look_again(ProbeContext& context, SweepReport& report);

/// The entry of `ports.behaviour` for it; `accepted` ports did so in the sweep.
json::object everywhere(const SweepReport& report, std::int64_t accepted);

/// The other entries of `ports.behaviour`.
json::array unusual(const SweepReport& report);

}  // namespace assay::probes::ports
