#include "harness/model/base_encodings.hpp"

#include <cstdint>

namespace assay {

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto part = bytes.substr(at, 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8U) | (i < part.size() ? static_cast<unsigned char>(part[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= part.size() ? kDigits[(group >> (18 - 6 * i)) & 63U] : '=';
    }
  }
  return out;
}

std::string base32(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  std::uint32_t rest = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    rest = (rest << 8U) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) {
      out += kDigits[(rest >> (bits - 5)) & 31U];
    }
  }
  if (bits > 0) {
    out += kDigits[(rest << (5 - bits)) & 31U];
  }
  return out;
}

}  // namespace assay
