#include <algorithm>

#include "probes/images/boards.hpp"
#include "probes/images/packed.hpp"
#include "probes/images/scan.hpp"

/// U-Boot's legacy image: a header of 64 bytes with two CRC-32, no signature.
namespace assay::images {

namespace {

constexpr std::size_t kHeader = 64;
constexpr std::uint32_t kMagic = 0x27051956;
constexpr std::size_t kHeaderCrcAt = 4;
constexpr std::size_t kTimeAt = 8;
constexpr std::size_t kSizeAt = 12;
constexpr std::size_t kDataCrcAt = 24;
constexpr std::size_t kNameAt = 32;
constexpr std::size_t kNameLength = 32;

bool recognises(std::string_view head, const ByteSource&) {
  return head.size() >= kHeader && big_u32(head, 0) == kMagic;
}

std::uint64_t content_length(std::string_view header, std::uint64_t size) {
  return std::min<std::uint64_t>(big_u32(header, kSizeAt), size - kHeader);
}

std::uint32_t header_crc(std::string header) {
  header.replace(kHeaderCrcAt, 4, 4, '\0');
  return crc32_of(header);
}

Result<> map_uimage(const ByteSource& image, ImageMap& map) {
  const auto header = read_text(image, 0, kHeader);
  if (!header) {
    return header.error();
  }
  const auto length = content_length(*header, image.size());
  const auto crc = crc32_of(image, kHeader, length);
  if (!crc) {
    return crc.error();
  }
  add_region(map, image, "uImage header", RegionKind::header, 0, kHeader);
  add_region(map, image, "content", RegionKind::payload, kHeader, length);
  add_region(map, image, "behind the content", RegionKind::trailer, kHeader + length, image.size() - kHeader - length);
  map.facts["name"] = shown(until_nul(std::string_view{*header}.substr(kNameAt, kNameLength)));
  map.facts["size_said"] = big_u32(*header, kSizeAt);
  map.facts["created"] = big_u32(*header, kTimeAt);
  map.facts["digests"] = json::array{json::string{"crc32"}};
  map.facts["signature"] = json::object{{"present", false}};
  if (header_crc(*header) != big_u32(*header, kHeaderCrcAt)) {
    map.doubts.emplace_back("the checksum of the header is wrong");
  }
  if (*crc != big_u32(*header, kDataCrcAt) || length != big_u32(*header, kSizeAt)) {
    map.doubts.emplace_back("length or checksum of the content is wrong");
  }
  return {};
}

Result<Change> change_uimage(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto header = read_text(*genuine.image, 0, kHeader);
  if (!header) {
    return header.error();
  }
  const auto length = content_length(*header, genuine.image->size());
  switch (spec.kind) {
    case MutationKind::lie_size: {
      const auto said = std::uint64_t{big_u32(*header, kSizeAt)} * static_cast<std::uint64_t>(spec.factor);
      return Change{{edit_text(kSizeAt, 4, big_bytes(std::min<std::uint64_t>(said, 0xFFFFFFFFU), 4))},
                    "the header says " + std::to_string(said) + " bytes instead of " + std::to_string(length)};
    }
    case MutationKind::lie_version: {
      auto name = spec.version.substr(0, kNameLength - 1);
      name.resize(kNameLength, '\0');
      return Change{{edit_text(kNameAt, kNameLength, name)}, "the header's name is " + spec.version};
    }
    case MutationKind::lie_date:
      return Change{{edit_text(kTimeAt, 4, big_bytes(kOtherDate, 4))}, "the header's date is 2037-12-31"};
    case MutationKind::bomb: {
      auto bomb = make_bomb(Packing::gzip, materials.bomb_bytes);
      if (!bomb) {
        return bomb.error();
      }
      const auto size = bomb->size();
      return Change{{edit_text(kSizeAt, 4, big_bytes(size, 4)), edit_text(kHeader, length, std::move(*bomb))},
                    "the content is " + std::to_string(size) + " bytes of gzip that unpack to " +
                        std::to_string(materials.bomb_bytes)};
    }
    default:
      return not_for("uimage", "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
  }
}

Result<std::vector<Edit>> repair_uimage(const Opened&, const Source& edited) {
  auto header = read_text(*edited, 0, kHeader);
  if (!header) {
    return header.error();
  }
  if (!recognises(*header, *edited)) {
    return not_for("uimage", "the changed image has no header any more");
  }
  const auto crc = crc32_of(*edited, kHeader, content_length(*header, edited->size()));
  if (!crc) {
    return crc.error();
  }
  header->replace(kDataCrcAt, 4, big_bytes(*crc, 4));
  return std::vector<Edit>{edit_text(kHeaderCrcAt, 4, big_bytes(header_crc(*header), 4)),
                           edit_text(kDataCrcAt, 4, big_bytes(*crc, 4))};
}

}  // namespace

const Format kUimage{"uimage", recognises, map_uimage, change_uimage, repair_uimage};

}  // namespace assay::images
