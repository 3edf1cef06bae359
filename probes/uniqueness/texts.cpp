#include "probes/uniqueness/texts.hpp"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "probes/wire/bytes.hpp"

namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kOuiDigits = 6;
constexpr std::size_t kMacDigits = 12;

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

std::string digest(const EVP_MD* algorithm, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  if (EVP_Digest(data.data(), data.size(), out.data(), &size, algorithm, nullptr) != 1) {
    return {};
  }
  return {reinterpret_cast<const char*>(out.data()), size};
}

void add(Texts& out, const std::string& way, const std::string& text) {
  if (text.size() >= 2) {
    out.emplace(way, folded(text));
  }
}

void add_mac(Texts& out, const std::string& kind, const std::string& plain) {
  if (plain.size() != kMacDigits || !is_hex(plain)) {
    return;
  }
  const auto number = std::stoull(plain, nullptr, 16);
  const auto tail = plain.substr(kOuiDigits);
  for (const int step : {-2, -1, 1, 2}) {
    const auto neighbour = to_hex(number + static_cast<std::uint64_t>(static_cast<std::int64_t>(step)), kMacDigits);
    add(out, "the " + kind + (step < 0 ? " less " : " plus ") + std::to_string(std::abs(step)), neighbour);
  }
  add(out, "the " + kind + " in decimal", std::to_string(number));
  add(out, "the " + kind + " without the maker's part, in decimal", std::to_string(std::stoull(tail, nullptr, 16)));
  std::string octets;
  for (std::size_t i = kMacDigits; i >= 2; i -= 2) {
    octets += plain.substr(i - 2, 2);
  }
  add(out, "the octets of the " + kind + " in reverse", octets);
}

void add_numbers(Texts& out, const std::string& kind, const std::string& plain) {
  std::string digits;
  std::copy_if(plain.begin(), plain.end(), std::back_inserter(digits), [](char c) { return c >= '0' && c <= '9'; });
  if (digits != plain) {
    add(out, "the digits of the " + kind, digits);
  }
  if (!digits.empty() && digits.size() <= 18) {
    const auto number = std::stoull(digits);
    auto hex = to_hex(number, 16);
    hex.erase(0, std::min(hex.find_first_not_of('0'), hex.size()));
    add(out, "the digits of the " + kind + " in hexadecimal", hex);
  }
  if (kind != "mac" && is_hex(plain) && digits != plain) {
    add(out, "the " + kind + " read as hexadecimal, in decimal", std::to_string(std::stoull(plain, nullptr, 16)));
  }
}

/// Ways in which programs write an identifier before they hash it.
std::map<std::string, std::string> spellings(const Identifier& one) {
  std::map<std::string, std::string> out;
  const auto plain = alphanumeric(one.text);
  out.emplace(one.kind + " as it is", one.text);
  out.emplace(one.kind + " in lower case", folded(one.text));
  out.emplace(one.kind + " in upper case", upper(one.text));
  out.emplace(one.kind + " without separators, in lower case", folded(plain));
  out.emplace(one.kind + " without separators, in upper case", upper(plain));
  out.emplace(one.kind + " with a line feed", one.text + "\n");
  if (one.kind == "mac" && plain.size() == kMacDigits && is_hex(folded(plain))) {
    std::string bytes;
    for (std::size_t i = 0; i < kMacDigits; i += 2) {
      bytes += static_cast<char>(std::stoi(plain.substr(i, 2), nullptr, 16));
    }
    out.emplace("mac as bytes", bytes);
    out.emplace("mac without the maker's part, in lower case", folded(plain.substr(kOuiDigits)));
    out.emplace("mac without the maker's part, in upper case", upper(plain.substr(kOuiDigits)));
    auto dashes = one.text;
    std::replace(dashes.begin(), dashes.end(), ':', '-');
    out.emplace("mac with dashes, in upper case", upper(dashes));
  }
  return out;
}

void add_hashes(Texts& out, const std::string& of, const std::string& data) {
  const std::pair<const char*, const EVP_MD*> algorithms[] = {
      {"MD5", EVP_md5()}, {"SHA-1", EVP_sha1()}, {"SHA-256", EVP_sha256()}};
  for (const auto& [name, algorithm] : algorithms) {
    const auto bytes = digest(algorithm, data);
    add(out, std::string{name} + " of the " + of + ", in hexadecimal", wire::hex(bytes));
    add(out, std::string{name} + " of the " + of + ", in base64", wire::base64(bytes));
  }
}

}  // namespace

Texts direct_texts(const Value& value) {
  Texts out;
  for (const auto& one : value.identifiers) {
    const auto plain = folded(alphanumeric(one.text));
    add(out, "the " + one.kind, plain);
    add(out, "the " + one.kind + " reversed", reversed(plain));
    if (one.kind == "mac") {
      add_mac(out, one.kind, plain);
    }
    add_numbers(out, one.kind, plain);
  }
  return out;
}

Texts derived_texts(const Value& value) {
  Texts out;
  for (const auto& one : value.identifiers) {
    if (one.kind == "vendor" || one.kind == "username") {
      continue;
    }
    for (const auto& [spelling, text] : spellings(one)) {
      add_hashes(out, spelling, text);
    }
    add(out, "the " + one.kind + " in base64", wire::base64(one.text));
    add(out, "the characters of the " + one.kind + " in hexadecimal", wire::hex(one.text));
  }
  for (const auto& first : value.identifiers) {
    for (const auto& second : value.identifiers) {
      const bool telling =
          first.kind == "serial" || first.kind == "mac" || second.kind == "serial" || second.kind == "mac";
      if (first.kind != second.kind && telling) {
        add_hashes(out, first.kind + " and " + second.kind, first.text + second.text);
        add_hashes(out, first.kind + " and " + second.kind + " without separators",
                   folded(alphanumeric(first.text) + alphanumeric(second.text)));
      }
    }
  }
  return out;
}

}  // namespace assay::probes::uniqueness
