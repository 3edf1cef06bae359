#pragma once

#include <map>
#include <string>

#include "probes/uniqueness/values.hpp"

/// What a generator could have made of a device's identifiers.
namespace assay::probes::uniqueness {

/// By the way it is made, such as "MD5 of the mac without separators, in hexadecimal", in lower case.
using Texts = std::map<std::string, std::string>;

/// The identifiers themselves: without separators, reversed, their ends, in other bases, neighbours of the address and
/// the default PINs of Wi-Fi Protected Setup that are made of it.
Texts direct_texts(const Value& value);

/// Base64, hexadecimal and hashes of them, alone and two together; hashes of hashes, and of one with another as the
/// key.
Texts derived_texts(const Value& value);

}  // namespace assay::probes::uniqueness
