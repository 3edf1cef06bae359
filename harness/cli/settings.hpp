#pragma once

#include <string>
#include <vector>

#include "harness/model/probe_info.hpp"

namespace assay {

/// "udp.ports=all" makes "all" the default of that parameter, so that what a case sets itself stays. `bad_input` for
/// another form, an unknown probe or parameter, or a value of the wrong kind.
Result<> apply_settings(const std::vector<std::string>& settings, ProbeCatalogue& probes);

}  // namespace assay
