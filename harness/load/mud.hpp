#pragma once

#include <filesystem>

#include "harness/load/faults.hpp"
#include "harness/load/load.hpp"
#include "harness/load/yaml.hpp"

/// MUD files (RFC 8520): what a maker says that its device communicates.
namespace assay {

/// The MUD file that a DUT file names, below `folder`, into `dut`. What is wrong with it is a fault at the key `mud`.
void read_mud(const Node& root, const std::filesystem::path& folder, Dut& dut, Faults& faults);

/// Adds a fault for everything in which the MUD file and the IXIT tables of `dut` contradict each other.
void check_mud(const Node& root, const Dut& dut, Faults& faults);

}  // namespace assay
