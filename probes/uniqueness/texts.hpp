#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "probes/uniqueness/values.hpp"

/// What a generator could have made of a device's identifiers.
namespace assay::probes::uniqueness {

/// By the way it is made, such as "MD5 of the mac without separators, in hexadecimal", in lower case.
using Texts = std::unordered_map<std::string, std::string>;

/// In lower case; a text of one character says nothing.
void add(Texts& out, std::string way, std::string_view text);

/// The identifiers themselves: without separators, reversed, their ends, in other bases, neighbours of the address and
/// the default PINs of Wi-Fi Protected Setup that are made of it.
Texts direct_texts(const Value& value);

/// Base64, hexadecimal and hashes of them, alone and two together; hashes of hashes, and of one with another as the
/// key.
Texts derived_texts(const Value& value);

/// Characters that the octets of a hash pick from an alphabet, and hashes as numbers of base 36 and 62.
Texts lettered_texts(const Value& value);

/// What well-known generators of random numbers give, when an identifier is their seed: numbers, and characters that
/// they pick from an alphabet.
Texts seeded_texts(const Value& value);

}  // namespace assay::probes::uniqueness
