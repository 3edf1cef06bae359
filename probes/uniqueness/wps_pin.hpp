#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Default PINs of Wi-Fi Protected Setup that the firmware of routers is known to make of an address.
namespace assay::probes::uniqueness {

/// The last seven decimal digits of a number and their checksum: every PIN of eight digits ends in one.
std::string wps_pin(std::uint64_t number);

/// All that are made of an address of 48 bits and of its neighbours, by the way they are made: an access point seldom
/// has the address that stands on the label, but one beside it.
std::vector<std::pair<std::string, std::string>> wps_pins(std::uint64_t mac);

}  // namespace assay::probes::uniqueness
