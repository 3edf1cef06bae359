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
constexpr std::uint32_t kWideEndMagic = 0x06064B50;
constexpr std::uint32_t kWideLocatorMagic = 0x07064B50;
constexpr std::uint32_t kElsewhere = 0xFFFFFFFF;  // in the place of a number that has 64 bits
constexpr unsigned int kWideExtra = 1;
constexpr std::size_t kWideEnd = 56;
constexpr std::size_t kWideLocator = 20;
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

/// A number of a header: 32 bits there, or 64 bits in the extra field behind it.
struct Number {
  std::uint64_t value = 0;
  std::uint64_t at = 0;
  std::size_t bytes = 4;
};

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
  std::vector<Number> sizes;  // unpacked and packed, in the line of the directory and in its own header
};

struct Zip {
  std::vector<Member> members;
  std::uint64_t directory = 0;
  std::uint64_t directory_length = 0;
  std::uint64_t end = 0;  // of the record that ends the archive
  std::string end_record;
  std::uint64_t wide_end = 0;  // of the record that has its numbers in 64 bits
  std::string wide_record;     // empty: there is none
  std::vector<std::string> doubts;
};

bool recognises(std::string_view head, const ByteSource&) {
  return head.size() >= kLocal && little_u32(head, 0) == kLocalMagic;
}

/// Where the record at the end has numbers of 64 bits, a locator before it says where those are.
Result<> read_wide_end(const ByteSource& image, Zip& out) {
  if (out.end < kWideLocator + kWideEnd) {
    return {};
  }
  const auto locator = read_text(image, out.end - kWideLocator, kWideLocator);
  if (!locator) {
    return locator.error();
  }
  const auto at = little_u64(*locator, 8);
  if (little_u32(*locator, 0) != kWideLocatorMagic || at > out.end - kWideLocator - kWideEnd) {
    return {};
  }
  auto record = read_text(image, at, kWideEnd);
  if (!record) {
    return record.error();
  }
  if (little_u32(*record, 0) == kWideEndMagic) {
    out.wide_end = at;
    out.wide_record = std::move(*record);
    out.directory_length = little_u64(out.wide_record, 40);
    out.directory = little_u64(out.wide_record, 48);
  }
  return {};
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
  if (const auto read = read_wide_end(image, out); !read) {
    return read.error();
  }
  return out.directory <= out.end && out.directory_length <= out.end - out.directory &&
         out.directory_length <= kMaximumDirectory;
}

/// A number that the record of 64 bits, if one is there, has in its place.
Number number_of(std::string_view header, std::size_t offset, std::uint64_t at, std::string_view& wide,
                 std::uint64_t& wide_at) {
  Number out{little_u32(header, offset), at + offset};
  if (out.value == kElsewhere && wide.size() >= 8) {
    out = {little_u64(wide, 0), wide_at, 8};
    wide.remove_prefix(8);
    wide_at += 8;
  }
  return out;
}

/// The record of 64 bits among those of an extra field, and where it lies; empty: there is none.
std::string_view wide_record_of(std::string_view extra, std::uint64_t& at) {
  while (extra.size() >= 4) {
    const std::size_t length = little_u16(extra, 2);
    if (length > extra.size() - 4) {
      break;
    }
    if (little_u16(extra, 0) == kWideExtra) {
      at += 4;
      return extra.substr(4, length);
    }
    extra.remove_prefix(4 + length);
    at += 4 + length;
  }
  return {};
}

Result<bool> add_member(const ByteSource& image, std::string_view line, std::uint64_t at, Zip& out) {
  const std::size_t name = little_u16(line, 28);
  auto wide_at = at + kCentral + name;
  auto wide = wide_record_of(line.substr(kCentral + name, little_u16(line, 30)), wide_at);
  Member one;
  one.name = line.substr(kCentral, name);
  one.flags = little_u16(line, 8);
  one.method = little_u16(line, 10);
  one.crc = little_u32(line, 16);
  one.central = at;
  one.sizes.push_back(number_of(line, 24, at, wide, wide_at));
  one.sizes.push_back(number_of(line, 20, at, wide, wide_at));
  one.size = one.sizes[0].value;
  one.packed = one.sizes[1].value;
  one.local = number_of(line, 42, at, wide, wide_at).value;
  if (one.local >= out.directory) {
    return false;
  }
  const auto header = read_text(image, one.local, kLocal);
  if (!header) {
    return header.error();
  }
  if (header->size() < kLocal || little_u32(*header, 0) != kLocalMagic) {
    return false;
  }
  auto extra_at = one.local + kLocal + little_u16(*header, 26);
  const std::size_t length = little_u16(*header, 28);
  one.content = extra_at + length;
  if (one.content > out.directory || one.packed > out.directory - one.content) {
    return false;
  }
  const auto extra = read_text(image, extra_at, length);
  if (!extra) {
    return extra.error();
  }
  auto behind = wide_record_of(*extra, extra_at);
  one.sizes.push_back(number_of(*header, 22, one.local, behind, extra_at));
  one.sizes.push_back(number_of(*header, 18, one.local, behind, extra_at));
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
  if (!zip->wide_record.empty()) {
    add_region(map, image, "end of archive, in 64 bits", RegionKind::trailer, zip->wide_end, zip->end - zip->wide_end);
  }
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

/// The records that end the archive with other numbers: one entry more, in `directory` and before it.
std::vector<Edit> other_end(const Zip& zip, std::uint64_t length, std::uint64_t directory) {
  const auto count = std::uint64_t{little_u16(zip.end_record, 10)} + 1;
  if (zip.wide_record.empty()) {
    auto text = zip.end_record;
    text.replace(8, 4, little_bytes(count, 2) + little_bytes(count, 2));
    text.replace(12, 8, little_bytes(length, 4) + little_bytes(directory, 4));
    return {edit_text(zip.end, kEnd, text)};
  }
  const auto grown = length - zip.directory_length + directory - zip.directory;
  const auto wide = little_u64(zip.wide_record, 32) + 1;
  std::vector<Edit> out{
      edit_text(zip.wide_end + 24, 32,
                little_bytes(wide, 8) + little_bytes(wide, 8) + little_bytes(length, 8) + little_bytes(directory, 8)),
      edit_text(zip.end - kWideLocator + 8, 8, little_bytes(zip.wide_end + grown, 8))};
  auto text = zip.end_record;
  const auto unless_elsewhere = [&](std::size_t at, std::size_t bytes, std::uint64_t value) {
    if (text.compare(at, bytes, std::string(bytes, '\xFF')) != 0) {
      text.replace(at, bytes, little_bytes(value, bytes));
    }
  };
  unless_elsewhere(8, 2, count);
  unless_elsewhere(10, 2, count);
  unless_elsewhere(12, 4, length);
  unless_elsewhere(16, 4, directory);
  out.push_back(edit_text(zip.end, kEnd, text));
  return out;
}

Change with_entry(const Zip& zip, std::string_view name, std::string_view content) {
  const auto local = local_header(name, content) + std::string{content};
  const auto central = central_header(name, content, zip.directory);
  Change out{{edit_text(zip.directory, 0, local), edit_text(zip.directory + zip.directory_length, 0, central)},
             "an entry more, named " + std::string{name}};
  for (auto& edit : other_end(zip, zip.directory_length + central.size(), zip.directory + local.size())) {
    out.edits.push_back(std::move(edit));
  }
  return out;
}

const Member* largest(const Zip& zip) {
  const auto found = std::max_element(zip.members.begin(), zip.members.end(),
                                      [](const Member& a, const Member& b) { return a.packed < b.packed; });
  return found == zip.members.end() ? nullptr : &*found;
}

/// CRC, packed and unpacked size in both headers of an entry (where the first one holds them).
std::vector<Edit> other_sizes(const Member& one, std::uint32_t crc, std::uint64_t packed, std::uint64_t size) {
  std::vector<Edit> out;
  const auto say = [&](std::uint64_t crc_at, const Number& unpacked, const Number& inside) {
    out.push_back(edit_text(crc_at, 4, little_bytes(crc, 4)));
    out.push_back(edit_text(unpacked.at, unpacked.bytes, little_bytes(size, unpacked.bytes)));
    out.push_back(edit_text(inside.at, inside.bytes, little_bytes(packed, inside.bytes)));
  };
  say(one.central + 16, one.sizes[0], one.sizes[1]);
  if ((one.flags & kSizesBehind) == 0) {
    say(one.local + 14, one.sizes[2], one.sizes[3]);
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
