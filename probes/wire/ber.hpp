#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// The little of BER (X.690) that SNMP is written in: definite lengths of at most two bytes, small integers.
namespace assay::wire::ber {

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kOctets = 0x04;
constexpr std::uint8_t kNull = 0x05;
constexpr std::uint8_t kOid = 0x06;
constexpr std::uint8_t kSequence = 0x30;

/// One element; `body` has less than 64 KiB.
std::string tlv(std::uint8_t tag, std::string_view body);

/// An INTEGER of 31 bits in its shortest form.
std::string integer(std::uint32_t value);

/// Contents of the next element when it has the tag; fails the reader otherwise.
std::string_view element(Reader& reader, std::uint8_t tag);

/// The same whatever its tag, which is given back; 0 when there is none.
std::uint8_t any_element(Reader& reader, std::string_view& body);

/// An INTEGER of at most five bytes; the lower 32 bits.
std::uint32_t integer_of(Reader& reader);

}  // namespace assay::wire::ber
