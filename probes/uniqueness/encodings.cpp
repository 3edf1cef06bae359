#include "probes/uniqueness/encodings.hpp"

#include <vector>

namespace assay::probes::uniqueness {

namespace {

constexpr Letters kLetters[] = {
    {"0-9", "0123456789"},
    {"0-9a-f", "0123456789abcdef"},
    {"a-z", "abcdefghijklmnopqrstuvwxyz"},
    {"A-Za-z", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"},
    {"a-z0-9", "abcdefghijklmnopqrstuvwxyz0123456789"},
    {"0-9a-z", "0123456789abcdefghijklmnopqrstuvwxyz"},
    {"A-Za-z0-9", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789"},
    {"0-9A-Za-z", "0123456789abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"},
    {"A-Za-z0-9+/", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789+/"},
    {"A-Z2-9 without I, O", "abcdefghjklmnpqrstuvwxyz23456789"},
    {"2-9A-Z without I, O", "23456789abcdefghjklmnpqrstuvwxyz"},
    {"a-z2-9 without i, l, o", "abcdefghjkmnpqrstuvwxyz23456789"},
    {"2-9a-z without i, l, o", "23456789abcdefghjkmnpqrstuvwxyz"},
    {"0-9A-Z without I, L, O, U", "0123456789abcdefghjkmnpqrstvwxyz"},
    {"1-9A-Za-z without I, O, l", "123456789abcdefghjklmnpqrstuvwxyzabcdefghijkmnopqrstuvwxyz"},
    {"2-9A-Za-z without I, O, l", "23456789abcdefghjklmnpqrstuvwxyzabcdefghijkmnopqrstuvwxyz"},
    {"A-Za-z2-9 without I, O, l", "abcdefghjklmnpqrstuvwxyzabcdefghijkmnopqrstuvwxyz23456789"},
    {"A-Za-z2-9 without I, O, i, l, o", "abcdefghjklmnpqrstuvwxyzabcdefghjkmnpqrstuvwxyz23456789"},
    {"a-zA-Z2-9 without i, l, o, I, O", "abcdefghjkmnpqrstuvwxyzabcdefghjklmnpqrstuvwxyz23456789"},
};

}  // namespace

std::span<const Letters> usual_letters() {
  return kLetters;
}

std::uint32_t crc32(std::string_view data) {
  constexpr std::uint32_t kReversed = 0xEDB88320U;
  std::uint32_t out = ~0U;
  for (const char c : data) {
    out ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      out = (out >> 1U) ^ ((out & 1U) != 0 ? kReversed : 0U);
    }
  }
  return ~out;
}

std::string number_end(std::string_view bytes, unsigned base, std::size_t digits) {
  constexpr std::string_view kNumerals = "0123456789abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
  std::vector<unsigned> places(digits);  // the lowest first
  while (!bytes.empty()) {
    const auto taken = bytes.substr(0, 4);
    bytes.remove_prefix(taken.size());
    std::uint64_t carry = 0;
    for (const char c : taken) {
      carry = (carry << 8U) | static_cast<unsigned char>(c);
    }
    for (auto& place : places) {
      carry += std::uint64_t{place} << (8 * taken.size());
      place = static_cast<unsigned>(carry % base);
      carry /= base;
    }
  }
  std::string out;
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    out += kNumerals[*place];
  }
  return out;
}

}  // namespace assay::probes::uniqueness
