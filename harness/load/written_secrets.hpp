#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "harness/load/load.hpp"

namespace assay {

/// What stands in a bundle for a secret that the DUT file writes out: "masked:" and its name.
inline constexpr std::string_view kMaskedSecret = "masked:";

/// The DUT file as it goes into a bundle: each secret that is written out in it, and not named by env: or file:, is
/// replaced by "masked:" and what `shown` makes of it; everything else, comments too, stays as it is. An error has the
/// place of a secret whose spelling is not understood.
Result<std::string> without_written_secrets(const SourceText& dut,
                                            const std::function<std::string(std::string_view secret)>& shown);

}  // namespace assay
