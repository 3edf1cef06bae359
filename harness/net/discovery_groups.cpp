#include "harness/net/discovery_groups.hpp"

#include <algorithm>
#include <array>

namespace assay {

namespace {

struct Row {
  DiscoveryGroup group;
  GroupAddress v4;
  GroupAddress v6;
};

const std::array<Row, 4>& rows() {
  const auto place = [](const char* address, std::uint16_t port) {
    return GroupAddress{*IpAddress::parse(address), port};
  };
  static const std::array<Row, 4> table{{
      {DiscoveryGroup::mdns, place("224.0.0.251", 5353), place("ff02::fb", 5353)},
      {DiscoveryGroup::ssdp, place("239.255.255.250", 1900), place("ff02::c", 1900)},
      {DiscoveryGroup::wsd, place("239.255.255.250", 3702), place("ff02::c", 3702)},
      {DiscoveryGroup::llmnr, place("224.0.0.252", 5355), place("ff02::1:3", 5355)},
  }};
  return table;
}

}  // namespace

GroupAddress group_address(DiscoveryGroup group, bool v6) {
  const auto& row =
      *std::find_if(rows().begin(), rows().end(), [&](const auto& entry) { return entry.group == group; });
  return v6 ? row.v6 : row.v4;
}

bool is_discovery_group(const IpAddress& address, std::uint16_t port) {
  return std::any_of(rows().begin(), rows().end(), [&](const auto& row) {
    const auto& place = address.v6 ? row.v6 : row.v4;
    return place.address == address && place.port == port;
  });
}

}  // namespace assay
