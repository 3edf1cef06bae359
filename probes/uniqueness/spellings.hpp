#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "probes/uniqueness/values.hpp"

/// Ways of writing identifiers and numbers that makers of passwords use.
namespace assay::probes::uniqueness {

inline constexpr std::size_t kOuiDigits = 6;
inline constexpr std::size_t kMacDigits = 12;

std::string reversed(std::string text);
std::string upper(std::string text);
std::string digits_alone(std::string_view text);

/// Lower case, and short enough for a number of 64 bits.
bool is_hex(std::string_view text);

/// The last `digits` of a number, in lower case.
std::string to_hex(std::uint64_t number, std::size_t digits);

/// What is hashed, by its name: "mac without separators, in lower case".
using Spellings = std::map<std::string, std::string>;

/// Ways in which programs write an identifier before they hash it.
Spellings spellings(const Identifier& one);

}  // namespace assay::probes::uniqueness
