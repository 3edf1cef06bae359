#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "harness/model/result.hpp"
#include "harness/net/address.hpp"

/// What the kernel knows of the way to an address, asked by rtnetlink(7). Sends nothing to the network.
namespace assay {

/// The way to an address.
struct LinkRoute {
  int interface = 0;  // index
  std::string name;   // "eth0"
  IpAddress source;   // our own address on the way
  bool has_source = false;
  bool by_router = false;  // not on this link
};

using MacAddress = std::array<std::uint8_t, 6>;

/// RTM_GETROUTE. `unreachable` without a route.
Result<LinkRoute> route_to(const IpAddress& address);

/// RTM_GETNEIGH: the address' entry of the ARP or NDP table of that interface when it is resolved. `unreachable` when
/// it is not, `unsupported` for link-layer addresses that are not six bytes long.
Result<MacAddress> neighbour_of(const IpAddress& address, int interface);

/// Every address of this machine.
std::set<IpAddress> own_addresses();

/// Those of one interface, "eth0".
std::set<IpAddress> addresses_on(const std::string& interface);

/// The link-local IPv6 address a host makes of its MAC (RFC 4291, appendix A).
IpAddress link_local_of(const MacAddress& mac);

bool is_link_local_v6(const IpAddress& address);

/// "02:00:00:00:00:02"
std::string mac_text(const MacAddress& mac);

// The parsers, pure. Each reads one netlink message of the kernel (header included).
std::optional<LinkRoute> parse_route(std::string_view message, bool v6);

struct NeighbourEntry {
  int interface = 0;
  std::uint16_t state = 0;  // NUD_…
  IpAddress address;
  std::string link_address;  // bytes
};

std::optional<NeighbourEntry> parse_neighbour(std::string_view message);

}  // namespace assay
