#include "reports/json/ascii.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace assay::reports {

namespace {

/// One UTF-16 code unit as \uXXXX.
void write_unit(std::uint32_t unit, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) {
    out += kHex[(unit >> shift) & 0xFU];
  }
}

/// The code point that begins at `at`, which is moved behind it. JSON values of a bundle are valid UTF-8.
std::uint32_t next_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  const std::size_t more = first < 0x80U ? 0 : first < 0xE0U ? 1 : first < 0xF0U ? 2 : 3;
  constexpr std::array<unsigned, 4> kMask = {0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t point = first & kMask[more];
  for (std::size_t i = 0; i < more && at < text.size(); ++i) {
    point = (point << 6U) | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  }
  return point;
}

void write_text(std::string_view text, std::string& out) {
  // The library escapes quotes, backslashes and C0 controls; the rest is left for us.
  const auto quoted = json::serialize(json::string(text));
  for (std::size_t at = 0; at < quoted.size();) {
    const auto point = next_point(quoted, at);
    if (point < 0x7F) {
      out += static_cast<char>(point);
    } else if (point < 0x10000) {
      write_unit(point, out);
    } else {
      write_unit(0xD800U + ((point - 0x10000U) >> 10U), out);
      write_unit(0xDC00U + ((point - 0x10000U) & 0x3FFU), out);
    }
  }
}

void write_value(const json::value& value, const std::string& indent, std::string& out) {
  const auto deeper = indent + "  ";
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    std::string_view separator = "{\n";
    for (const auto& item : *object) {
      out += separator;
      out += deeper;
      write_text(item.key(), out);
      out += ": ";
      write_value(item.value(), deeper, out);
      separator = ",\n";
    }
    out += "\n" + indent + "}";
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    std::string_view separator = "[\n";
    for (const auto& item : *array) {
      out += separator;
      out += deeper;
      write_value(item, deeper, out);
      separator = ",\n";
    }
    out += "\n" + indent + "]";
  } else if (const auto* text = value.if_string()) {
    write_text(*text, out);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string ascii_json(const json::value& value) {
  std::string out;
  write_value(value, "", out);
  return out + "\n";
}

}  // namespace assay::reports
