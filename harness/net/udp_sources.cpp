#include "harness/net/udp_sources.hpp"

#include "harness/net/link.hpp"

namespace assay {

std::vector<IpAddress> udp_sources(const IpAddress& device, const Scope& allowed) {
  std::vector<IpAddress> sources;
  if (allowed.ranges.empty()) {
    return sources;
  }
  const auto route = route_to(device);
  if (!route) {
    return sources;
  }
  for (const auto& address : addresses_on(route->name)) {
    const bool usual = route->has_source && address == route->source;
    if (address.v6 == device.v6 && !usual && address != device && allowed.contains(address) &&
        sources.size() < kMostUdpSources) {
      sources.push_back(address);
    }
  }
  return sources;
}

}  // namespace assay
