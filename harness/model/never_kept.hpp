#pragma once

#include <string_view>

namespace assay {

/// The name under which a probe conceals what is kept in no form, not for the laboratory and not when secrets are
/// revealed: memory that a device gave away may hold anybody's secrets.
inline constexpr std::string_view kDeviceMemory = "memory of the device";

}  // namespace assay
