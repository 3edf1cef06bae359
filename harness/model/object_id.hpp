#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace assay {

/// The arcs of an OBJECT IDENTIFIER in dotted form ("1.3.6.1.2.1.1.1.0"; X.660): 2 to 64 of 32 bits, the first two such
/// that they share one number (X.690, 8.19.4).
std::optional<std::vector<std::uint32_t>> parse_object_id(std::string_view text);

}  // namespace assay
