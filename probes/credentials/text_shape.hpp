#pragma once

#include <string>
#include <string_view>

namespace assay::probes::credentials {

/// A text with its numbers, and the name where it stands as a word, taken out: attempts are counted, times pass, and
/// "Password for root:" asks everybody the same.
std::string shape_of(std::string_view text, std::string_view name = {});

}  // namespace assay::probes::credentials
