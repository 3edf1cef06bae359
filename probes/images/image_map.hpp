#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/json.hpp"
#include "harness/model/result.hpp"
#include "probes/images/byte_source.hpp"

/// What lies where in a firmware image, and what it says of itself.
namespace assay::images {

enum class RegionKind : std::uint8_t {
  header,     // what the container says of its parts
  manifest,   // what the maker says of the update: versions, devices, digests
  signature,  // over manifest or content
  payload,    // what is installed
  index,      // a directory of the container behind its content
  padding,
  trailer,  // checksums, lengths and the like behind the content
};
BOOST_DESCRIBE_ENUM(RegionKind, header, manifest, signature, payload, index, padding, trailer)

struct Region {
  std::string name;  // escaped, at most 128 characters
  RegionKind kind = RegionKind::payload;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  bool operator==(const Region&) const = default;
};
BOOST_DESCRIBE_STRUCT(Region, (), (name, kind, offset, length))

struct ImageMap {
  std::string format;           // "raw" when no format was recognised
  std::vector<Region> regions;  // sorted by offset, none overlaps another, none is empty, all within the image
  /// What the format shows; a key that is not there was not shown. version, name, compatible [], signature {present,
  /// scheme, digest, key_bits, signer}, encrypted, sequence_number (what a downgrade is held against), size_said,
  /// digests [] (algorithms that protect the content), created, entries []; rollback {by, value, signed}: what tells a
  /// newer image from an older one (a counter: secure_version, sequence_number; or the version alone; null: nothing),
  /// and whether the signature covers it (null: not known).
  json::object facts;
  std::vector<std::string> doubts;  // what does not fit within the image itself
};
BOOST_DESCRIBE_STRUCT(ImageMap, (), (format, regions, facts, doubts))

/// Looks at headers, manifests and signatures only. What is broken inside a recognised format is a doubt; nothing that
/// an image holds is an error: `io` when it cannot be read.
Result<ImageMap> map_image(const ByteSource& image);

/// The first and the largest region of a kind; null when there is none.
const Region* first_of(const ImageMap& map, RegionKind kind);
const Region* largest_of(const ImageMap& map, RegionKind kind);

}  // namespace assay::images
