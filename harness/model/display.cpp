#include "harness/model/display.hpp"

#include <array>
#include <cstdint>

namespace assay {

namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  // bytes; 0: the first byte starts no valid sequence
};

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const auto first = byte(0);
  if (first < 0x80) {
    return {first, 1};
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) {
    return {};
  }
  auto value = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return {};
    }
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value < kSmallest[length] || value > 0x10FFFF || surrogate ? CodePoint{} : CodePoint{value, length};
}

struct Range {
  std::uint32_t first, last;
};

/// What changes how other text is read without being seen itself.
constexpr std::array<Range, 16> kHidden = {{
    {0x80, 0x9F},        // C1 controls
    {0xAD, 0xAD},        // soft hyphen
    {0x61C, 0x61C},      // Arabic letter mark
    {0x115F, 0x1160},    // Hangul fillers
    {0x180E, 0x180E},    // Mongolian vowel separator
    {0x200B, 0x200F},    // zero width, left-to-right and right-to-left marks
    {0x2028, 0x202E},    // line and paragraph separators, directional embeddings and overrides
    {0x2060, 0x206F},    // word joiner, directional isolates, deprecated controls
    {0x3164, 0x3164},    // Hangul filler
    {0xFE00, 0xFE0F},    // variation selectors
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFF0, 0xFFFB},    // unassigned, interlinear annotation
    {0xFFFE, 0xFFFF},    // noncharacters
    {0x1D173, 0x1D17A},  // musical format controls
    {0xE0000, 0xE0FFF},  // tags, variation selectors supplement
    {0xF0000, 0x10FFFF}  // private use planes: no agreed look
}};

bool hidden(std::uint32_t value) {
  for (const auto& range : kHidden) {
    if (value >= range.first && value <= range.last) {
      return true;
    }
  }
  return false;
}

void append_hex(std::uint32_t value, int digits, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (int shift = (value > 0xFFFFF ? 5 : value > 0xFFFF ? 4 : digits - 1) * 4; shift >= 0; shift -= 4) {
    out += kDigits[(value >> static_cast<unsigned>(shift)) & 0xFU];
  }
}

/// The names of ASCII: control pictures (U+2400 …) are missing from too many fonts.
void append_control(std::uint32_t control, std::string& out) {
  constexpr std::array<std::string_view, 32> kNames = {
      "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS",  "TAB", "LF",  "VT",  "FF", "CR", "SO", "SI",
      "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM",  "SUB", "ESC", "FS", "GS", "RS", "US"};
  out += "⟨";
  out += control < kNames.size() ? kNames[control] : "DEL";
  out += "⟩";
}

std::string make_visible(std::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto point = decode(text);
    const bool keep = lines && (text.front() == '\n' || text.front() == '\t');
    const bool newline = lines && text.starts_with("\r\n");
    if (point.length == 0) {
      out += "⟨0x";
      append_hex(static_cast<unsigned char>(text.front()), 2, out);
      out += "⟩";
    } else if (newline) {
      // the LF that follows stands for both
    } else if (!keep && (point.value < 0x20 || point.value == 0x7F)) {
      append_control(point.value, out);
    } else if (hidden(point.value)) {
      out += "⟨U+";
      append_hex(point.value, 4, out);
      out += "⟩";
    } else {
      out += text.substr(0, point.length);
    }
    text.remove_prefix(point.length == 0 ? 1 : point.length);
  }
  return out;
}

bool starts_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

}  // namespace

std::string displayable(std::string_view utf8) {
  return make_visible(utf8, false);
}

std::string displayable_text(std::string_view utf8) {
  return make_visible(utf8, true);
}

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  for (const char byte : utf8) {
    width += starts_code_point(byte) ? 1 : 0;
  }
  return width;
}

std::string shortened(std::string_view utf8, std::size_t limit) {
  if (display_width(utf8) <= limit) {
    return std::string{utf8};
  }
  std::size_t points = 0;
  std::size_t end = 0;
  for (std::size_t i = 0; i < utf8.size() && points < limit; ++i) {
    if (starts_code_point(utf8[i])) {
      end = i;
      ++points;
    }
  }
  return std::string{utf8.substr(0, end)} + "…";
}

}  // namespace assay
