#include <algorithm>

#include <fmt/format.h>

#include "probes/images/boards.hpp"
#include "probes/images/scan.hpp"

/// UF2: blocks of 512 bytes, each with its own header; neither checksum nor signature.
namespace assay::images {

namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::size_t kHeader = 32;
constexpr std::size_t kMostContent = 476;
constexpr std::uint32_t kFirst = 0x0A324655;
constexpr std::uint32_t kSecond = 0x9E5D5157;
constexpr std::uint32_t kLast = 0x0AB16F30;
constexpr std::uint32_t kNotMainFlash = 1;
constexpr std::uint32_t kHasFamily = 0x2000;
constexpr std::uint32_t kHasMd5 = 0x4000;
constexpr std::uint64_t kMaximumBlocks = 65536;

bool is_block(std::string_view block) {
  return block.size() >= kBlock && little_u32(block, 0) == kFirst && little_u32(block, 4) == kSecond &&
         little_u32(block, kBlock - 4) == kLast;
}

bool recognises(std::string_view head, const ByteSource&) {
  return is_block(head);
}

Result<> map_uf2(const ByteSource& image, ImageMap& map) {
  const auto head = read_text(image, 0, kBlock);
  if (!head) {
    return head.error();
  }
  const auto blocks = image.size() / kBlock;
  std::uint64_t other = 0;
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < std::min(blocks, kMaximumBlocks); ++i) {
    const auto block = read_text(image, i * kBlock, kBlock);
    if (!block) {
      return block.error();
    }
    other += is_block(*block) && little_u32(*block, 20) == i ? 0 : 1;
    bytes += little_u32(*block, 16);
    // Each header and content a region of its own, as far as a map holds them.
    const auto length = std::min<std::uint64_t>(little_u32(*block, 16), kMostContent);
    const auto name = fmt::format("block {}", i);
    add_region(map, image, name + " header", RegionKind::header, i * kBlock, kHeader);
    add_region(map, image, name, RegionKind::payload, i * kBlock + kHeader, length);
    add_region(map, image, "end of " + name, RegionKind::trailer, i * kBlock + kHeader + length,
               kBlock - kHeader - length);
  }
  const auto flags = little_u32(*head, 8);
  map.facts["size_said"] = bytes;
  map.facts["blocks"] = little_u32(*head, 24);
  map.facts["address"] = fmt::format("0x{:x}", little_u32(*head, 12));
  map.facts["digests"] = (flags & kHasMd5) != 0 ? json::array{json::string{"md5"}} : json::array{};
  map.facts["signature"] = json::object{{"present", false}};
  if ((flags & kHasFamily) != 0) {
    map.facts["compatible"] = json::array{json::string{fmt::format("0x{:08x}", little_u32(*head, 28))}};
  }
  if (other > 0 || image.size() % kBlock != 0 || little_u32(*head, 24) != blocks || (flags & kNotMainFlash) != 0) {
    map.doubts.push_back(fmt::format("{} blocks are out of order or no blocks, {} are said and {} are there", other,
                                     little_u32(*head, 24), blocks));
  }
  return {};
}

Result<Change> change_uf2(const MutationSpec& spec, const Materials&, const Opened& genuine) {
  const auto blocks = genuine.image->size() / kBlock;
  if (spec.kind != MutationKind::lie_size) {
    return not_for("uf2", "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
  }
  if (blocks > kMaximumBlocks) {
    return not_for("uf2", "the image has more blocks than are changed");
  }
  const auto said = std::min<std::uint64_t>(blocks * static_cast<std::uint64_t>(spec.factor), 0xFFFFFFFFU);
  Change out{{}, fmt::format("each block says {} blocks instead of {}", said, blocks)};
  for (std::uint64_t i = 0; i < blocks; ++i) {
    out.edits.push_back(edit_text(i * kBlock + 24, 4, little_bytes(said, 4)));
  }
  return out;
}

}  // namespace

const Format kUf2{"uf2", recognises, map_uf2, change_uf2, nullptr};

}  // namespace assay::images
