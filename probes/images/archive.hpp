#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/images/format.hpp"

/// cpio (newc and crc) and tar, as far as the places of their entries: nothing is ever unpacked.
namespace assay::images {

struct Entry {
  std::string name;           // as in the archive, at most 4096 bytes
  std::uint64_t begin = 0;    // of everything that belongs to the entry, headers of a long name too
  std::uint64_t header = 0;   // of the header that holds the size
  std::uint64_t content = 0;  // where the content begins
  std::uint64_t length = 0;   // of the content
  std::uint64_t end = 0;      // behind the padding
};

struct Archive {
  std::vector<Entry> entries;
  std::uint64_t end = 0;  // where the mark of the end stands: here further entries are put in
  std::vector<std::string> doubts;

  const Entry* named(std::string_view name) const;
};

/// What the two kinds have in common for those who change an archive.
struct ArchiveKind {
  std::string_view name;
  /// Stops at the first thing that is no entry, and doubts it. At most 4096 entries.
  Result<Archive> (*read)(const ByteSource& image);
  /// A header, with the name and padding, for a new file of `length` bytes like the header of `like`.
  std::string (*header)(const std::string& like, std::string_view name, std::string_view content);
  /// The header bytes of an entry with another size, and nothing else changed that the size does not ask for.
  std::string (*resized)(std::string header, std::uint64_t length);
  /// The header bytes of an entry for other content, with its sum where the kind has one.
  Result<std::string> (*refilled)(std::string header, const ByteSource& content);
  std::uint64_t block = 4;  // content is padded to this
  std::uint64_t header_length = 0;
};

const ArchiveKind& cpio_kind();
const ArchiveKind& tar_kind();

/// Other content, or another name, in the place of an entry's.
Result<std::vector<Edit>> replace_content(const ArchiveKind& kind, const ByteSource& image, const Entry& entry,
                                          const Source& content);

/// An entry more, before the mark of the end.
Result<Edit> added_entry(const ArchiveKind& kind, const ByteSource& image, const Archive& archive,
                         std::string_view name, const std::string& content);

/// The size in the header of `entry`, and nothing else, becomes another.
Result<Edit> lied_size(const ArchiveKind& kind, const ByteSource& image, const Entry& entry, std::uint64_t length);

/// Checksums of the archive itself that do not fit any more: of cpio's crc form over the content, of tar over the
/// header.
Result<std::vector<Edit>> repaired_checksums(const ArchiveKind& kind, const ByteSource& image);

/// The names that a bomb and a traversal have inside an archive.
inline constexpr std::string_view kTraversalName = "../../../../../../tmp/assay-traversal";

/// Mutations of any archive: traversal, bomb, lie_size, swap_content (content of the entry of that name in the older or
/// the other image), mix_older. `payload` is the entry they hit.
Result<Change> change_archive(const ArchiveKind& kind, const MutationSpec& spec, const Materials& materials,
                              const Source& image, const Archive& archive, const Entry& payload);

/// Regions of an archive: `role` tells what the content of an entry is.
void add_entries(ImageMap& map, const ByteSource& image, const Archive& archive, RegionKind (*role)(std::string_view));

extern const Format kCpio;
extern const Format kTar;

}  // namespace assay::images
