#pragma once

#include <map>
#include <string>

#include "harness/model/dut.hpp"

namespace assay {

/// Which device answers at an address: the id of its sample. Samples that share an address are one device. An address
/// that the DUT file does not have is a device of its own, and not in the map.
std::map<std::string, std::string> device_names(const Dut& dut);

}  // namespace assay
