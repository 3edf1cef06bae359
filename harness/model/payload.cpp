#include "harness/model/payload.hpp"

#include <algorithm>

namespace assay {

namespace {

constexpr int kBitsOfNibble = 4;
constexpr unsigned kWholeNibble = 0xF;

std::optional<unsigned> nibble(char digit) {
  if (digit >= '0' && digit <= '9') {
    return static_cast<unsigned>(digit - '0');
  }
  const char lower = static_cast<char>(digit | 0x20);
  if (lower >= 'a' && lower <= 'f') {
    return static_cast<unsigned>(lower - 'a') + 10;
  }
  return std::nullopt;
}

}  // namespace

bool BytePattern::matches(std::string_view datagram) const {
  if (datagram.size() < bytes.size() || mask.size() != bytes.size()) {
    return false;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto difference = static_cast<unsigned char>(datagram[at]) ^ static_cast<unsigned char>(bytes[at]);
    if ((difference & static_cast<unsigned char>(mask[at])) != 0) {
      return false;
    }
  }
  return true;
}

std::optional<BytePattern> parse_pattern(std::string_view text) {
  BytePattern out;
  bool half = false;
  for (const char letter : text) {
    if (letter == ' ') {
      if (half) {
        return std::nullopt;
      }
      continue;
    }
    const auto value = nibble(letter);
    if (!value && letter != '.') {
      return std::nullopt;
    }
    const unsigned mask = value ? kWholeNibble : 0U;
    if (half) {
      out.bytes.back() = static_cast<char>(static_cast<unsigned char>(out.bytes.back()) | value.value_or(0));
      out.mask.back() = static_cast<char>(static_cast<unsigned char>(out.mask.back()) | mask);
    } else {
      out.bytes.push_back(static_cast<char>(value.value_or(0) << kBitsOfNibble));
      out.mask.push_back(static_cast<char>(mask << kBitsOfNibble));
    }
    half = !half;
  }
  if (half || out.bytes.empty()) {
    return std::nullopt;
  }
  return out;
}

bool Payload::recognises(std::string_view datagram) const {
  return std::any_of(answers.begin(), answers.end(), [&](const auto& one) { return one.matches(datagram); });
}

}  // namespace assay
