#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/model/result.hpp"
#include "harness/probe/network.hpp"

namespace assay::sessions {

/// "all", or ports and ranges as in "1-1024,8080", into sorted ranges that do not touch. `bad_input` says which part
/// of which parameter is wrong ("\"tcp\" of probe ports").
Result<std::vector<PortRange>> parse_ranges(std::string_view text, std::string_view parameter);

/// "1-1024,8080"
std::string ranges_text(const std::vector<PortRange>& ranges);

}  // namespace assay::sessions
