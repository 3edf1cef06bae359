#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/images/format.hpp"

/// Compressed streams: gzip (RFC 1952) through zlib, xz through liblzma.
namespace assay::images {

enum class Packing : std::uint8_t { none, gzip, xz };

Packing packing_of(std::string_view head);

/// A stream that unpacks to that many zero bytes: a thousandth of them or less. At most 64 GiB.
Result<std::string> make_bomb(Packing packing, std::uint64_t bytes);

/// What `length` bytes at `offset` unpack to; a part that is not packed is what it is. `unsupported` above `limit`
/// bytes, `protocol` when the stream is broken.
Result<std::string> unpack(const ByteSource& image, std::uint64_t offset, std::uint64_t length, std::uint64_t limit);

/// The same for streams of any size: what comes out lies in a temporary file without a name. At most 4 GiB.
Result<Source> unpacked_file(const Source& packed);
Result<Source> packed_file(Packing packing, const Source& content);

/// As one gzip member without a name and without a time.
std::string pack_gzip(std::string_view text);
Result<std::string> pack(Packing packing, std::string_view text);

/// The CRC-32 (IEEE 802.3) of bytes, continued from `before`.
std::uint32_t crc32_of(std::string_view bytes, std::uint32_t before = 0);
Result<std::uint32_t> crc32_of(const ByteSource& image, std::uint64_t offset, std::uint64_t length);

/// A raw deflate stream of a bomb, without header and trailer; and the CRC-32 of what it unpacks to.
std::string deflated_zeros(std::uint64_t bytes, std::uint32_t& crc);

/// Checksum and length of what a raw deflate stream (RFC 1951) unpacks to, in constant memory. At most `limit` bytes;
/// `protocol` when the stream is broken.
struct Unpacked {
  std::uint32_t crc = 0;
  std::uint64_t length = 0;
};

Result<Unpacked> measure_deflated(const ByteSource& image, std::uint64_t offset, std::uint64_t length,
                                  std::uint64_t limit = std::uint64_t{1} << 32U);

extern const Format kGzip;
extern const Format kXz;

}  // namespace assay::images
