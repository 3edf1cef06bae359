#include "probes/wire/bytes.hpp"

#include <algorithm>
#include <cctype>

#include "harness/model/base_encodings.hpp"

namespace assay::wire {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

/// Of ASCII, without a call: every answer to a login is searched for dozens of words.
char lower_char(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string printable(std::string_view bytes, std::size_t limit) {
  std::string out;
  for (const char c : bytes.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  if (bytes.size() > limit) {
    out += "[cut]";
  }
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

std::string base64(std::string_view bytes) {
  return assay::base64(bytes);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower_char(x) == lower_char(y); });
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  if (part.empty()) {
    return true;
  }
  const char first = lower_char(part.front());
  for (std::size_t at = 0; text.size() - at >= part.size(); ++at) {
    if (lower_char(text[at]) == first && equal_ignoring_case(text.substr(at, part.size()), part)) {
      return true;
    }
  }
  return false;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), lower_char);
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace{" \t\r\n\v\f\0", 7};
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

int text_share(std::string_view bytes) {
  if (bytes.empty()) {
    return 100;
  }
  const auto good = std::count_if(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte < 0x7f) || c == '\r' || c == '\n' || c == '\t' || byte == 0x1b;
  });
  return static_cast<int>(good * 100 / static_cast<std::ptrdiff_t>(bytes.size()));
}

std::string_view Reader::take(std::size_t count) {
  if (failed_ || rest_.size() < count) {
    failed_ = true;
    return {};
  }
  const auto taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

namespace {

std::uint32_t number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) {
    value = value << 8U | static_cast<unsigned char>(c);
  }
  return value;
}

}  // namespace

std::uint8_t Reader::u8() {
  return static_cast<std::uint8_t>(number(take(1)));
}

std::uint16_t Reader::u16() {
  return static_cast<std::uint16_t>(number(take(2)));
}

std::uint32_t Reader::u24() {
  return number(take(3));
}

std::uint32_t Reader::u32() {
  return number(take(4));
}

void put_u8(std::string& out, std::uint32_t value) {
  out += static_cast<char>(static_cast<unsigned char>(value & 0xffU));
}

void put_u16(std::string& out, std::uint32_t value) {
  put_u8(out, value >> 8U);
  put_u8(out, value);
}

void put_u24(std::string& out, std::uint32_t value) {
  put_u8(out, value >> 16U);
  put_u16(out, value);
}

void put_u32(std::string& out, std::uint32_t value) {
  put_u16(out, value >> 16U);
  put_u16(out, value);
}

}  // namespace assay::wire
