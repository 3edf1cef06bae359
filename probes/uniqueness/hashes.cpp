#include <algorithm>
#include <cmath>
#include <span>

#include "harness/model/base_encodings.hpp"
#include "probes/sessions/digests.hpp"
#include "probes/uniqueness/encodings.hpp"
#include "probes/uniqueness/spellings.hpp"
#include "probes/uniqueness/texts.hpp"
#include "probes/wire/bytes.hpp"

/// Hashes of identifiers, alone and two together.
namespace assay::probes::uniqueness {

namespace {

using sessions::digest;
using sessions::Hash;
using sessions::hmac;

constexpr std::size_t kDecimalDigits = 18;  // of a hash as a number

constexpr std::pair<const char*, Hash> kHashes[] = {
    {"MD5", Hash::md5}, {"SHA-1", Hash::sha1}, {"SHA-256", Hash::sha256}, {"SHA-512", Hash::sha512}};
constexpr std::span kUsualHashes{kHashes, 3};
constexpr std::pair<const char*, Hash> kRareHashes[] = {{"SHA-224", Hash::sha224}, {"SHA-384", Hash::sha384}};

void add_encoded(Texts& out, const std::string& way, const std::string& bytes) {
  add(out, way + ", in hexadecimal", wire::hex(bytes));
  add(out, way + ", in base64", wire::base64(bytes));
}

void add_hashes(Texts& out, const std::string& of, const std::string& data) {
  for (const auto& [name, hash] : kUsualHashes) {
    add_encoded(out, std::string{name} + " of the " + of, digest(hash, data));
  }
}

/// Of one identifier, what is rarer too.
void add_more_hashes(Texts& out, const std::string& of, const std::string& data) {
  for (const auto& [name, hash] : kHashes) {
    const auto bytes = digest(hash, data);
    const auto way = std::string{name} + " of the " + of;
    add_encoded(out, way, bytes);
    add(out, way + ", in hexadecimal, reversed", reversed(wire::hex(bytes)));
    add(out, way + ", in base32", base32(bytes));
    add(out, way + ", as a decimal number", number_end(bytes, 10, kDecimalDigits));
    // Programs that have no longer numbers take the first four octets.
    add(out, way + ", its first 4 octets as a decimal number",
        number_end(std::string_view{bytes}.substr(0, 4), 10, 10));
  }
  for (const auto& [name, hash] : kRareHashes) {
    add_encoded(out, std::string{name} + " of the " + of, digest(hash, data));
  }
  for (const auto& [name, hash] : kUsualHashes) {  // as scripts do that call md5sum twice
    const auto twice = digest(hash, wire::hex(digest(hash, data)));
    add(out, std::string{name} + " of the " + name + " in hexadecimal of the " + of + ", in hexadecimal",
        wire::hex(twice));
  }
  const auto sum = crc32(data);
  add(out, "CRC-32 of the " + of + ", in hexadecimal", to_hex(sum, 8));
  add(out, "CRC-32 of the " + of + ", as a decimal number", std::to_string(sum));
}

bool on_every_label(const Identifier& one) {
  return one.kind == "serial" || one.kind == "mac" || one.kind == "model";
}

bool is_of_one_device(const Identifier& one) {
  return one.kind == "serial" || one.kind == "mac";
}

/// As labels, databases and programs have them.
Spellings usual_spellings(const Identifier& one) {
  const auto plain = alphanumeric(one.text);
  return {{one.kind + " as it is", one.text},
          {one.kind + " without separators, in lower case", folded(plain)},
          {one.kind + " without separators, in upper case", upper(plain)}};
}

/// Each spelling of one with each of the other. Where both are spelt alike other ways make some of the same texts,
/// which count once.
void add_mixed_hashes(Texts& out, const Identifier& first, const Identifier& second) {
  for (const auto& [one, front] : usual_spellings(first)) {
    for (const auto& [other, back] : usual_spellings(second)) {
      for (const std::string between : {"", ":", "-", "_"}) {
        for (const auto& [name, hash] : kUsualHashes) {
          add(out,
              std::string{name} + " of the " + one + ", and the " + other +
                  (between.empty() ? std::string{} : ", with " + between + " between") + ", in hexadecimal",
              wire::hex(digest(hash, front + between + back)));
        }
      }
    }
  }
}

/// Two of a label, put together in more ways, and one hashed under the other as the key.
void add_label_hashes(Texts& out, const Identifier& first, const Identifier& second) {
  const auto both = first.kind + " and " + second.kind;
  add_hashes(out, both + " without separators, in upper case",
             upper(alphanumeric(first.text) + alphanumeric(second.text)));
  for (const auto& [name, hash] : kUsualHashes) {
    for (const char between : {':', '-', '_'}) {
      add(out, std::string{name} + " of the " + both + " with " + between + " between, in hexadecimal",
          wire::hex(digest(hash, first.text + between + second.text)));
    }
    const auto way = "HMAC-" + std::string{name} + " of the " + second.kind + " with the " + first.kind + " as the key";
    add(out, way + ", in hexadecimal", wire::hex(hmac(hash, first.text, second.text)));
    add(out, way + ", both without separators in lower case, in hexadecimal",
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
  if (is_of_one_device(first) && is_of_one_device(second)) {
    add_mixed_hashes(out, first, second);
  }
}

/// An octet picks the character that its remainder counts to.
std::string picked(std::string_view bytes, std::string_view letters) {
  std::string out;
  for (const char c : bytes) {
    out += letters[static_cast<unsigned char>(c) % letters.size()];
  }
  return out;
}

void add_lettered(Texts& out, const std::string& of, const std::string& data, std::size_t length) {
  for (const auto& [name, hash] : kHashes) {
    const auto bytes = digest(hash, data);
    const auto way = std::string{name} + " of the " + of;
    for (const auto& letters : usual_letters()) {
      add(out, way + ", its octets modulo " + std::to_string(letters.all.size()) + " in " + std::string{letters.name},
          picked(std::string_view{bytes}.substr(0, length), letters.all));
    }
    if (hash != Hash::sha512) {
      for (const unsigned base : {36U, 62U}) {
        const auto digits =
            static_cast<std::size_t>(std::ceil(static_cast<double>(bytes.size()) * 8 / std::log2(base)));
        const auto number = number_end(bytes, base, digits);
        add(out, way + ", as a number of base " + std::to_string(base),
            number.substr(std::min(number.find_first_not_of('0'), number.size())));
      }
    }
  }
}

}  // namespace

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
      if (first.kind != second.kind && (is_of_one_device(first) || is_of_one_device(second))) {
        add_pair_hashes(out, first, second);
      }
    }
  }
  return out;
}

Texts lettered_texts(const Value& value) {
  Texts out;
  const auto length = value.text.size();  // what is longer would be copied for nothing
  for (const auto& one : value.identifiers) {
    if (!is_of_one_device(one) && one.kind != "ssid") {
      continue;
    }
    for (const auto& [spelling, text] : spellings(one)) {
      add_lettered(out, spelling, text, length);
    }
    for (const auto& other : value.identifiers) {
      if (one.kind != other.kind && is_of_one_device(one) && is_of_one_device(other)) {
        add_lettered(out, one.kind + " and " + other.kind, one.text + other.text, length);
        add_lettered(out, one.kind + " and " + other.kind + " without separators, in lower case",
                     folded(alphanumeric(one.text) + alphanumeric(other.text)), length);
        add_lettered(out, one.kind + " and " + other.kind + " without separators, in upper case",
                     upper(alphanumeric(one.text) + alphanumeric(other.text)), length);
      }
    }
  }
  return out;
}

}  // namespace assay::probes::uniqueness
