#pragma once

#include <cstddef>

namespace assay {

/// Limits that keep a slip of the pen from becoming a scan of a whole network.
inline constexpr std::size_t kMaxScopeRanges = 64;
inline constexpr std::size_t kWidestPrefixV4 = 16;
inline constexpr std::size_t kWidestPrefixV6 = 64;

}  // namespace assay
