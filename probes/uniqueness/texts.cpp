#include "probes/uniqueness/texts.hpp"

#include <algorithm>
#include <span>

#include "probes/sessions/digests.hpp"
#include "probes/uniqueness/wps_pin.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::uniqueness {

namespace {

using sessions::digest;
using sessions::Hash;
using sessions::hmac;

constexpr std::size_t kOuiDigits = 6;
constexpr std::size_t kMacDigits = 12;
constexpr std::size_t kFewestDigits = 3;    // that are hashed by themselves
constexpr std::size_t kDecimalDigits = 18;  // of a hash as a number

constexpr std::pair<const char*, Hash> kHashes[] = {
    {"MD5", Hash::md5}, {"SHA-1", Hash::sha1}, {"SHA-256", Hash::sha256}, {"SHA-512", Hash::sha512}};
constexpr std::span kUsualHashes{kHashes, 3};

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
  for (const auto& [way, pin] : wps_pins(number)) {
    add(out, way, pin);
  }
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

/// The checksum of Ethernet, zip and many firmwares (ISO 3309).
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

/// RFC 4648, without padding.
std::string base32(std::string_view bytes) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out;
  std::uint32_t rest = 0;
  int bits = 0;
  for (const char c : bytes) {
    rest = (rest << 8U) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) {
      out += kLetters[(rest >> static_cast<unsigned>(bits - 5)) & 31U];
    }
  }
  if (bits > 0) {
    out += kLetters[(rest << static_cast<unsigned>(5 - bits)) & 31U];
  }
  return out;
}

/// The last `digits` decimal digits of bytes that are one number, the first the highest: the remainder by any smaller
/// power of ten is its end.
std::string decimal_end(std::string_view bytes, std::size_t digits) {
  std::string out(digits, '0');
  for (const char c : bytes) {
    unsigned carry = static_cast<unsigned char>(c);
    for (auto at = out.rbegin(); at != out.rend(); ++at) {
      carry += static_cast<unsigned>(*at - '0') * 256U;
      *at = static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
  }
  return out;
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
  std::string digits;
  std::copy_if(plain.begin(), plain.end(), std::back_inserter(digits), [](char c) { return c >= '0' && c <= '9'; });
  if (digits != plain && digits.size() >= kFewestDigits) {
    out.emplace("digits of the " + one.kind, digits);
  }
  if (one.kind == "mac" && plain.size() == kMacDigits && is_hex(folded(plain))) {
    std::string bytes;
    for (std::size_t i = 0; i < kMacDigits; i += 2) {
      bytes += static_cast<char>(std::stoi(plain.substr(i, 2), nullptr, 16));
    }
    out.emplace("mac as bytes", bytes);
    out.emplace("mac without the maker's part, as bytes", bytes.substr(kOuiDigits / 2));
    out.emplace("mac without the maker's part, in lower case", folded(plain.substr(kOuiDigits)));
    out.emplace("mac without the maker's part, in upper case", upper(plain.substr(kOuiDigits)));
    auto dashes = one.text;
    std::replace(dashes.begin(), dashes.end(), ':', '-');
    out.emplace("mac with dashes, in upper case", upper(dashes));
    out.emplace("mac with dashes, in lower case", folded(dashes));
  }
  return out;
}

/// What is looked through is the beginning of long texts: no generator makes more of one hash.
void add_start(Texts& out, const std::string& way, const std::string& text) {
  constexpr std::size_t kHashStart = 64;
  add(out, way, text.substr(0, kHashStart));
}

void add_hashes(Texts& out, const std::string& of, const std::string& data) {
  for (const auto& [name, hash] : kUsualHashes) {
    const auto bytes = digest(hash, data);
    add_start(out, std::string{name} + " of the " + of + ", in hexadecimal", wire::hex(bytes));
    add_start(out, std::string{name} + " of the " + of + ", in base64", wire::base64(bytes));
  }
}

/// Of one identifier, what is rarer too.
void add_more_hashes(Texts& out, const std::string& of, const std::string& data) {
  add_hashes(out, of, data);
  for (const auto& [name, hash] : kHashes) {
    const auto bytes = digest(hash, data);
    const auto way = std::string{name} + " of the " + of;
    add_start(out, way + ", in base32", base32(bytes));
    add(out, way + ", as a decimal number", decimal_end(bytes, kDecimalDigits));
    // Programs that have no longer numbers take the first four octets.
    add(out, way + ", its first 4 octets as a decimal number", decimal_end(std::string_view{bytes}.substr(0, 4), 10));
  }
  for (const auto& [name, hash] : kUsualHashes) {  // as scripts do that call md5sum twice
    const auto twice = digest(hash, wire::hex(digest(hash, data)));
    add_start(out, std::string{name} + " of the " + name + " in hexadecimal of the " + of + ", in hexadecimal",
              wire::hex(twice));
  }
  const auto longest = digest(Hash::sha512, data);
  add_start(out, "SHA-512 of the " + of + ", in hexadecimal", wire::hex(longest));
  add_start(out, "SHA-512 of the " + of + ", in base64", wire::base64(longest));
  const auto sum = crc32(data);
  add(out, "CRC-32 of the " + of + ", in hexadecimal", to_hex(sum, 8));
  add(out, "CRC-32 of the " + of + ", as a decimal number", std::to_string(sum));
}

bool on_every_label(const Identifier& one) {
  return one.kind == "serial" || one.kind == "mac" || one.kind == "model";
}

/// Two of a label, put together in more ways, and one hashed under the other as the key.
void add_label_hashes(Texts& out, const Identifier& first, const Identifier& second) {
  const auto both = first.kind + " and " + second.kind;
  add_hashes(out, both + " without separators, in upper case",
             upper(alphanumeric(first.text) + alphanumeric(second.text)));
  for (const auto& [name, hash] : kUsualHashes) {
    for (const char between : {':', '-', '_'}) {
      add_start(out, std::string{name} + " of the " + both + " with " + between + " between, in hexadecimal",
                wire::hex(digest(hash, first.text + between + second.text)));
    }
    const auto way = "HMAC-" + std::string{name} + " of the " + second.kind + " with the " + first.kind + " as the key";
    add_start(out, way + ", in hexadecimal", wire::hex(hmac(hash, first.text, second.text)));
    add_start(out, way + ", both without separators in lower case, in hexadecimal",
              wire::hex(hmac(hash, folded(alphanumeric(first.text)), folded(alphanumeric(second.text)))));
  }
}

void add_pair_hashes(Texts& out, const Identifier& first, const Identifier& second) {
  const auto both = first.kind + " and " + second.kind;
  add_hashes(out, both, first.text + second.text);
  add_hashes(out, both + " without separators", folded(alphanumeric(first.text) + alphanumeric(second.text)));
  if (on_every_label(first) && on_every_label(second)) {
    add_label_hashes(out, first, second);
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
      add_more_hashes(out, spelling, text);
    }
    add(out, "the " + one.kind + " in base64", wire::base64(one.text));
    add(out, "the characters of the " + one.kind + " in hexadecimal", wire::hex(one.text));
  }
  for (const auto& first : value.identifiers) {
    for (const auto& second : value.identifiers) {
      const bool telling =
          first.kind == "serial" || first.kind == "mac" || second.kind == "serial" || second.kind == "mac";
      if (first.kind != second.kind && telling) {
        add_pair_hashes(out, first, second);
      }
    }
  }
  return out;
}

}  // namespace assay::probes::uniqueness
