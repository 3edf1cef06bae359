#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/model/result.hpp"
#include "harness/probe/network.hpp"

namespace assay::probes::ports {

/// "all", or ports and ranges as in "1-1024,8080", into sorted ranges that do not touch. `bad_input` says which part
/// is wrong.
Result<std::vector<PortRange>> parse_ranges(std::string_view text);

/// "1-1024,8080"
std::string ranges_text(const std::vector<PortRange>& ranges);

}  // namespace assay::probes::ports
