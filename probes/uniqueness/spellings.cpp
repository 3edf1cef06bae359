#include "probes/uniqueness/spellings.hpp"

#include <algorithm>

namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kFewestDigits = 3;  // that are hashed by themselves

std::string with_separator(const std::string& plain, char separator) {
  std::string out;
  for (std::size_t i = 0; i < plain.size(); i += 2) {
    out += (i == 0 ? "" : std::string(1, separator)) + plain.substr(i, 2);
  }
  return out;
}

void add_mac_spellings(Spellings& out, const std::string& plain) {
  std::string bytes;
  for (std::size_t i = 0; i < kMacDigits; i += 2) {
    bytes += static_cast<char>(std::stoi(plain.substr(i, 2), nullptr, 16));
  }
  out.emplace("mac as bytes", bytes);
  out.emplace("mac without the maker's part, as bytes", bytes.substr(kOuiDigits / 2));
  out.emplace("mac without the maker's part, in lower case", folded(plain.substr(kOuiDigits)));
  out.emplace("mac without the maker's part, in upper case", upper(plain.substr(kOuiDigits)));
  for (const auto& [name, separator] : {std::pair{"colons", ':'}, std::pair{"dashes", '-'}}) {
    const auto separated = with_separator(plain, separator);
    out.emplace(std::string{"mac with "} + name + ", in upper case", upper(separated));
    out.emplace(std::string{"mac with "} + name + ", in lower case", folded(separated));
  }
}

}  // namespace

std::string reversed(std::string text) {
  std::reverse(text.begin(), text.end());
  return text;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

bool is_hex(std::string_view text) {
  return !text.empty() && text.size() <= 15 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string to_hex(std::uint64_t number, std::size_t digits) {
  std::string out;
  for (std::size_t i = 0; i < digits; ++i, number >>= 4U) {
    out += "0123456789abcdef"[number & 15U];
  }
  return reversed(out);
}

std::string digits_alone(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c >= '0' && c <= '9'; });
  return out;
}

Spellings spellings(const Identifier& one) {
  Spellings out;
  const auto plain = alphanumeric(one.text);
  out.emplace(one.kind + " as it is", one.text);
  out.emplace(one.kind + " in lower case", folded(one.text));
  out.emplace(one.kind + " in upper case", upper(one.text));
  out.emplace(one.kind + " without separators, in lower case", folded(plain));
  out.emplace(one.kind + " without separators, in upper case", upper(plain));
  out.emplace(one.kind + " with a line feed", one.text + "\n");
  if (const auto digits = digits_alone(plain); digits != plain && digits.size() >= kFewestDigits) {
    out.emplace("digits of the " + one.kind, digits);
  }
  if (one.kind == "mac" && plain.size() == kMacDigits && is_hex(folded(plain))) {
    add_mac_spellings(out, plain);
  }
  return out;
}

}  // namespace assay::probes::uniqueness
