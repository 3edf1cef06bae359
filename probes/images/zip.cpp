#include "probes/images/zip.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "probes/images/archive.hpp"
#include "probes/images/packed.hpp"
#include "probes/images/scan.hpp"

namespace assay::images {

namespace {

constexpr std::uint32_t kLocalMagic = 0x04034B50;
constexpr std::uint32_t kCentralMagic = 0x02014B50;
constexpr std::uint32_t kEndMagic = 0x06054B50;
constexpr std::size_t kLocal = 30;
constexpr std::size_t kCentral = 46;
constexpr std::size_t kEnd = 22;
constexpr std::uint64_t kTail = 65535 + kEnd;
constexpr std::uint64_t kMaximumDirectory = std::uint64_t{4} << 20U;
constexpr std::size_t kMaximumEntries = 4096;
constexpr std::uint64_t kMaximumUnpacked = std::uint64_t{4} << 30U;
constexpr unsigned int kStored = 0;
constexpr unsigned int kDeflated = 8;
constexpr unsigned int kEncrypted = 1;
constexpr unsigned int kSizesBehind = 8;

struct Member {
  std::string name;
  unsigned int flags = 0;
  unsigned int method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;
  std::uint64_t size = 0;
  std::uint64_t local = 0;    // its own header
  std::uint64_t content = 0;  // behind it
  std::uint64_t central = 0;  // its line of the directory
};

struct Zip {
  std::vector<Member> members;
  std::uint64_t directory = 0;
  std::uint64_t directory_length = 0;
  std::uint64_t end = 0;  // of the record that ends the archive
  std::string end_record;
  std::vector<std::string> doubts;
};

bool recognises(std::string_view head, const ByteSource&) {
  return head.size() >= kLocal && little_u32(head, 0) == kLocalMagic;
}

/// The record at the end, behind which only a comment stands. False when there is none.
Result<bool> find_end(const ByteSource& image, Zip& out) {
  const auto length = std::min(kTail, image.size());
  const auto tail = read_text(image, image.size() - length, length);
  if (!tail) {
    return tail.error();
  }
  const auto at = tail->rfind(little_bytes(kEndMagic, 4));
  if (at == std::string::npos || tail->size() - at < kEnd) {
    return false;
  }
  out.end = image.size() - length + at;
  out.end_record = tail->substr(at, kEnd);
  out.directory_length = little_u32(out.end_record, 12);
  out.directory = little_u32(out.end_record, 16);
  return out.directory + out.directory_length <= out.end && out.directory_length <= kMaximumDirectory;
}

Result<bool> add_member(const ByteSource& image, std::string_view line, std::uint64_t at, Zip& out) {
  Member one{std::string{line.substr(kCentral, little_u16(line, 28))},
             little_u16(line, 8),
             little_u16(line, 10),
             little_u32(line, 16),
             little_u32(line, 20),
             little_u32(line, 24),
             little_u32(line, 42),
             0,
             at};
  const auto header = read_text(image, one.local, kLocal);
  if (!header) {
    return header.error();
  }
  if (header->size() < kLocal || little_u32(*header, 0) != kLocalMagic) {
    return false;
  }
  one.content = one.local + kLocal + little_u16(*header, 26) + little_u16(*header, 28);
  if (one.content + one.packed > out.directory) {
    return false;
  }
  out.members.push_back(std::move(one));
  return true;
}

Result<Zip> read_zip(const ByteSource& image) {
  Zip out;
  const auto found = find_end(image, out);
  if (!found) {
    return found.error();
  }
  if (!*found) {
    out.doubts.emplace_back("the zip archive has no directory");
    return out;
  }
  const auto directory = read_text(image, out.directory, out.directory_length);
  if (!directory) {
    return directory.error();
  }
  for (std::size_t at = 0; at + kCentral <= directory->size() && out.members.size() < kMaximumEntries;) {
    const auto line = std::string_view{*directory}.substr(at);
    const std::size_t length = kCentral + little_u16(line, 28) + little_u16(line, 30) + little_u16(line, 32);
    if (little_u32(line, 0) != kCentralMagic || length > line.size()) {
      out.doubts.emplace_back("the directory of the zip archive is broken");
      break;
    }
    const auto added = add_member(image, line, out.directory + at, out);
    if (!added) {
      return added.error();
    }
    if (!*added) {
      out.doubts.emplace_back("an entry of the directory points to nothing");
    }
    at += length;
  }
  return out;
}

Result<> map_zip(const ByteSource& image, ImageMap& map) {
  const auto zip = read_zip(image);
  if (!zip) {
    return zip.error();
  }
  json::array entries;
  bool encrypted = false;
  for (const auto& one : zip->members) {
    add_region(map, image, one.name + " header", RegionKind::header, one.local, one.content - one.local);
    add_region(map, image, one.name, RegionKind::payload, one.content, one.packed);
    encrypted = encrypted || (one.flags & kEncrypted) != 0;
    if (entries.size() < 64) {
      entries.push_back(shown(one.name));
    }
  }
  add_region(map, image, "directory", RegionKind::index, zip->directory, zip->directory_length);
  if (!zip->end_record.empty()) {
    add_region(map, image, "end of archive", RegionKind::trailer, zip->end, image.size() - zip->end);
  }
  map.facts["entries"] = std::move(entries);
  map.facts["encrypted"] = encrypted;
  map.facts["digests"] = json::array{json::string{"crc32"}};
  map.doubts.insert(map.doubts.end(), zip->doubts.begin(), zip->doubts.end());
  return {};
}

std::string local_header(std::string_view name, std::string_view content) {
  return little_bytes(kLocalMagic, 4) + little_bytes(20, 2) + little_bytes(0, 2) + little_bytes(kStored, 2) +
         little_bytes(0, 2) + little_bytes(0x21, 2) + little_bytes(crc32_of(content), 4) +
         little_bytes(content.size(), 4) + little_bytes(content.size(), 4) + little_bytes(name.size(), 2) +
         little_bytes(0, 2) + std::string{name};
}

std::string central_header(std::string_view name, std::string_view content, std::uint64_t local) {
  constexpr std::uint32_t kRegularFile = 0100644;
  return little_bytes(kCentralMagic, 4) + little_bytes(0x0314, 2) + little_bytes(20, 2) + little_bytes(0, 2) +
         little_bytes(kStored, 2) + little_bytes(0, 2) + little_bytes(0x21, 2) + little_bytes(crc32_of(content), 4) +
         little_bytes(content.size(), 4) + little_bytes(content.size(), 4) + little_bytes(name.size(), 2) +
         std::string(8, '\0') + little_bytes(std::uint64_t{kRegularFile} << 16U, 4) + little_bytes(local, 4) +
         std::string{name};
}

/// The record that ends the archive with other numbers.
Edit other_end(const Zip& zip, std::uint64_t count, std::uint64_t length, std::uint64_t directory) {
  auto text = zip.end_record;
  text.replace(8, 4, little_bytes(count, 2) + little_bytes(count, 2));
  text.replace(12, 8, little_bytes(length, 4) + little_bytes(directory, 4));
  return edit_text(zip.end, kEnd, text);
}

Change with_entry(const Zip& zip, std::string_view name, std::string_view content) {
  const auto local = local_header(name, content) + std::string{content};
  const auto central = central_header(name, content, zip.directory);
  const auto count = std::uint64_t{little_u16(zip.end_record, 10)} + 1;
  return Change{{edit_text(zip.directory, 0, local), edit_text(zip.directory + zip.directory_length, 0, central),
                 other_end(zip, count, zip.directory_length + central.size(), zip.directory + local.size())},
                "an entry more, named " + std::string{name}};
}

const Member* largest(const Zip& zip) {
  const auto found = std::max_element(zip.members.begin(), zip.members.end(),
                                      [](const Member& a, const Member& b) { return a.packed < b.packed; });
  return found == zip.members.end() ? nullptr : &*found;
}

/// CRC, packed and unpacked size in both headers of an entry (where the first one holds them).
std::vector<Edit> other_sizes(const Member& one, std::uint32_t crc, std::uint64_t packed, std::uint64_t size) {
  const auto text = little_bytes(crc, 4) + little_bytes(packed, 4) + little_bytes(size, 4);
  std::vector<Edit> out{edit_text(one.central + 16, 12, text)};
  if ((one.flags & kSizesBehind) == 0) {
    out.push_back(edit_text(one.local + 14, 12, text));
  }
  return out;
}

/// The bomb takes the beginning of an entry's place; the rest of the place is left as nobody's.
Result<Change> bombed(const Materials& materials, const Member& one) {
  std::uint32_t crc = 0;
  const auto bomb = deflated_zeros(materials.bomb_bytes, crc);
  if (one.method != kDeflated || bomb.size() > one.packed || materials.bomb_bytes > 0xFFFFFFFFU) {
    return not_for("zip", fmt::format("a bomb of {} bytes has no room in the largest packed entry", bomb.size()));
  }
  Change out{other_sizes(one, crc, bomb.size(), materials.bomb_bytes),
             fmt::format("entry {} unpacks to {} bytes", std::string{shown(one.name)}, materials.bomb_bytes)};
  out.edits.push_back(edit_text(one.content, bomb.size(), bomb));
  return out;
}

Result<Change> change_zip(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto zip = read_zip(*genuine.image);
  if (!zip) {
    return zip.error();
  }
  const auto* one = largest(*zip);
  if (one == nullptr) {
    return not_for("zip", "the archive is empty");
  }
  switch (spec.kind) {
    case MutationKind::traversal:
      return with_entry(*zip, kTraversalName, "assay\n");
    case MutationKind::bomb:
      return bombed(materials, *one);
    case MutationKind::lie_size: {
      const auto said = std::min<std::uint64_t>(one->size * static_cast<std::uint64_t>(spec.factor), 0xFFFFFFFEU);
      return Change{
          other_sizes(*one, one->crc, one->packed, said),
          fmt::format("the archive says {} bytes for entry {} of {}", said, std::string{shown(one->name)}, one->size)};
    }
    default:
      return not_for("zip", "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
  }
}

/// The CRC of every entry's content; `unsupported` when a changed entry cannot be unpacked any more.
Result<std::vector<Edit>> repair_zip(const Opened&, const Source& edited) {
  const auto zip = read_zip(*edited);
  if (!zip) {
    return zip.error();
  }
  std::vector<Edit> out;
  std::uint64_t left = kMaximumUnpacked;  // entries may claim the same bytes, so each costs
  for (const auto& one : zip->members) {
    if ((one.flags & kEncrypted) != 0 || (one.method != kStored && one.method != kDeflated)) {
      continue;
    }
    if (one.packed > left) {
      return not_for("zip", "the archive unpacks to more than is looked at");
    }
    Unpacked is{0, one.packed};
    if (one.method == kStored) {
      const auto crc = crc32_of(*edited, one.content, one.packed);
      if (!crc) {
        return crc.error();
      }
      is.crc = *crc;
    } else if (const auto unpacked = measure_deflated(*edited, one.content, one.packed, left)) {
      is = *unpacked;
    } else {
      return unpacked.error().kind == ErrorKind::io
                 ? unpacked.error()
                 : not_for("zip", "the changed entry cannot be unpacked any more, or to too much");
    }
    left -= std::min(left, std::max(is.length, one.packed));
    if (is.crc != one.crc) {
      for (auto& edit : other_sizes(one, is.crc, one.packed, is.length)) {
        out.push_back(std::move(edit));
      }
    }
  }
  return out;
}

}  // namespace

const Format kZip{"zip", recognises, map_zip, change_zip, repair_zip};

}  // namespace assay::images
