#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/images/byte_source.hpp"

/// Numbers and words in the bytes of an image. Behind the end of the text every number is 0.
namespace assay::images {

std::uint16_t little_u16(std::string_view bytes, std::size_t at);
std::uint32_t little_u32(std::string_view bytes, std::size_t at);
std::uint64_t little_u64(std::string_view bytes, std::size_t at);
std::uint32_t big_u32(std::string_view bytes, std::size_t at);
std::uint64_t big_u64(std::string_view bytes, std::size_t at);

/// The lowest `count` bytes of a number.
std::string little_bytes(std::uint64_t value, std::size_t count);
std::string big_bytes(std::uint64_t value, std::size_t count);

/// Up to the first NUL.
std::string_view until_nul(std::string_view bytes);

/// Where a value in quotes stands in a text of a configuration: offset and length without the quotes.
struct Place {
  std::size_t at = 0;
  std::size_t length = 0;
};

/// The first value in quotes behind `key`, behind "=" or ":" and white space (libconfig, JSON); comments are not known.
std::optional<Place> quoted_value(std::string_view text, std::string_view key);

/// All values in quotes of the list behind `key`, at most 64.
std::vector<std::string> quoted_list(std::string_view text, std::string_view key);

/// The value of "key=value" on a line of its own, below "[section]" (an INI file).
std::optional<Place> ini_value(std::string_view text, std::string_view section, std::string_view key);

/// Each place of `old_text` gets `new_text` of the same length: edits of a source in which `text` stands at `offset`.
std::vector<Edit> replace_all(std::string_view text, std::uint64_t offset, std::string_view old_text,
                              std::string_view new_text);

/// Bytes from their hex text; what is no pair of digits ends it.
std::string from_hex(std::string_view text);

}  // namespace assay::images
