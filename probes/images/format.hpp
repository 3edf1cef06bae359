#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/images/image_map.hpp"
#include "probes/images/mutation.hpp"
#include "probes/images/verify.hpp"

/// What each format of this folder gives to the two functions that the world sees.
namespace assay::images {

/// Edits of the genuine image, and the sentence that says what they do.
struct Change {
  std::vector<Edit> edits;
  std::string what;
};

/// An image that is looked at or changed: its bytes and what lies where.
struct Opened {
  Source image;
  const ImageMap& map;
};

/// What `lie_date` says: 2037-12-31, near the end of what 32 bits of seconds hold.
inline constexpr std::uint32_t kOtherDate = 2145830400;

struct Format {
  std::string_view name;

  /// By the first bytes (at most `kHead`) and, where they do not tell, by others.
  bool (*recognises)(std::string_view head, const ByteSource& image);

  /// Fills regions, facts and doubts. What is broken inside is a doubt.
  Result<> (*map)(const ByteSource& image, ImageMap& map);

  /// The mutations that need to know the format: those that `mutate` cannot make blindly. Null: there are none.
  Result<Change> (*change)(const MutationSpec& spec, const Materials& materials, const Opened& genuine);

  /// Edits of `edited` that make checksums and unsigned digests right again. `edited` is laid out as the genuine image
  /// is, unless `change` moved things. Null: the format has none.
  Result<std::vector<Edit>> (*repair)(const Opened& genuine, const Source& edited);

  /// Whether a key verifies the image. Null: the format shows no signature.
  Result<Verified> (*verify)(const Source& image, const ImageMap& map, const Trusted& trusted) = nullptr;
};

inline constexpr std::size_t kHead = 4096;

/// Sorted so that a format which is also another (a .swu is a cpio archive) comes before it.
std::span<const Format* const> formats();

/// Null for "raw".
const Format* format_named(std::string_view name);

/// "FORMAT: what" as `unsupported`.
Error not_for(std::string_view format, std::string_view what);

/// Adds a region whose name comes from the image; empty ones are left out, and what reaches behind the end is cut and
/// doubted.
void add_region(ImageMap& map, const ByteSource& image, std::string_view name, RegionKind kind, std::uint64_t offset,
                std::uint64_t length);

/// Text of an image for a fact: escaped, at most 256 bytes.
json::string shown(std::string_view bytes);

}  // namespace assay::images
