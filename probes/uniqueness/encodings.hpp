#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// Bytes as what people type.
namespace assay::probes::uniqueness {

/// The checksum of Ethernet, zip and many firmwares (ISO 3309).
std::uint32_t crc32(std::string_view data);

/// The last `digits` digits, in a base up to 62, of bytes that are one number, the first the highest: the remainder by
/// any smaller power of the base is its end. In lower case, so that both orders of upper and lower case are one.
std::string number_end(std::string_view bytes, unsigned base, std::size_t digits);

/// An alphabet that passwords are drawn from, in its order and in lower case: those that differ in which case comes
/// first are one.
struct Letters {
  std::string_view name;
  std::string_view all;
};

/// Those that are usual, also without characters that look alike.
std::span<const Letters> usual_letters();

}  // namespace assay::probes::uniqueness
