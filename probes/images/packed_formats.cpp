#include <algorithm>
#include <lzma.h>
#include <optional>

#include "probes/images/packed.hpp"
#include "probes/images/scan.hpp"

/// gzip and xz as formats of whole images.
namespace assay::images {

namespace {

constexpr std::size_t kGzipHeader = 10;
constexpr std::size_t kGzipTrailer = 8;
constexpr std::size_t kXzHeader = 12;
constexpr unsigned int kHasHeaderCrc = 2;
constexpr unsigned int kHasExtra = 4;
constexpr unsigned int kHasName = 8;
constexpr unsigned int kHasComment = 16;

/// Length of gzip's header, with its optional parts (RFC 1952 section 2.3); nothing when it does not end in time.
std::optional<std::size_t> gzip_header_length(std::string_view head, std::string_view& name) {
  if (head.size() < kGzipHeader) {
    return std::nullopt;
  }
  const auto flags = static_cast<unsigned char>(head[3]);
  std::size_t at = kGzipHeader;
  if ((flags & kHasExtra) != 0) {
    at += 2 + little_u16(head, at);
  }
  for (const auto flag : {kHasName, kHasComment}) {
    if ((flags & flag) == 0) {
      continue;
    }
    const auto end = at < head.size() ? head.find('\0', at) : head.npos;
    if (end == head.npos) {
      return std::nullopt;
    }
    if (flag == kHasName) {
      name = head.substr(at, end - at);
    }
    at = end + 1;
  }
  at += (flags & kHasHeaderCrc) != 0 ? 2 : 0;
  return at;
}

bool recognises_gzip(std::string_view head, const ByteSource&) {
  return packing_of(head) == Packing::gzip;
}

Result<> map_gzip(const ByteSource& image, ImageMap& map) {
  const auto head = read_text(image, 0, kHead);
  if (!head) {
    return head.error();
  }
  std::string_view name;
  const auto length = gzip_header_length(*head, name);
  if (!length || image.size() < *length + kGzipTrailer) {
    map.doubts.emplace_back("the gzip stream ends within its header or trailer");
    add_region(map, image, "gzip header", RegionKind::header, 0, image.size());
    return {};
  }
  const auto tail = read_text(image, image.size() - kGzipTrailer, kGzipTrailer);
  if (!tail) {
    return tail.error();
  }
  add_region(map, image, "gzip header", RegionKind::header, 0, *length);
  add_region(map, image, "deflate stream", RegionKind::payload, *length, image.size() - *length - kGzipTrailer);
  add_region(map, image, "CRC-32 and length", RegionKind::trailer, image.size() - kGzipTrailer, kGzipTrailer);
  map.facts["size_said"] = little_u32(*tail, 4);
  map.facts["digests"] = json::array{json::string{"crc32"}};
  if (!name.empty()) {
    map.facts["name"] = shown(name);
  }
  return {};
}

Result<Change> change_gzip(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto size = genuine.image->size();
  if (spec.kind == MutationKind::bomb) {
    auto bomb = make_bomb(Packing::gzip, materials.bomb_bytes);
    if (!bomb) {
      return bomb.error();
    }
    const auto what = "the whole is " + std::to_string(bomb->size()) + " bytes of gzip that unpack to " +
                      std::to_string(materials.bomb_bytes);
    return Change{{edit_text(0, size, std::move(*bomb))}, what};
  }
  if (spec.kind == MutationKind::lie_size && size >= kGzipHeader + kGzipTrailer) {
    const auto tail = read_text(*genuine.image, size - 4, 4);
    if (!tail) {
      return tail.error();
    }
    const auto said = little_u32(*tail, 0) * static_cast<std::uint64_t>(spec.factor);
    return Change{{edit_text(size - 4, 4, little_bytes(said, 4))},
                  "the trailer says " + std::to_string(said & 0xFFFFFFFFU) + " bytes instead of " +
                      std::to_string(little_u32(*tail, 0))};
  }
  return not_for("gzip", "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
}

/// CRC and length of what the changed stream unpacks to. `unsupported` when it does not any more: then no checksum
/// helps.
Result<std::vector<Edit>> repair_gzip(const Opened&, const Source& edited) {
  const auto head = read_text(*edited, 0, kHead);
  if (!head) {
    return head.error();
  }
  std::string_view name;
  const auto length = packing_of(*head) == Packing::gzip ? gzip_header_length(*head, name) : std::nullopt;
  if (!length || edited->size() < *length + kGzipTrailer) {
    return not_for("gzip", "the changed image is no gzip stream any more");
  }
  const auto trailer = edited->size() - kGzipTrailer;
  const auto unpacked = measure_deflated(*edited, *length, trailer - *length);
  if (!unpacked) {
    return unpacked.error().kind == ErrorKind::io ? unpacked.error()
                                                  : not_for("gzip", "the changed stream cannot be unpacked any more");
  }
  return std::vector<Edit>{
      edit_text(trailer, kGzipTrailer, little_bytes(unpacked->crc, 4) + little_bytes(unpacked->length, 4))};
}

bool recognises_xz(std::string_view head, const ByteSource&) {
  return packing_of(head) == Packing::xz;
}

/// Stream header, blocks, index and footer of the last stream (the .xz file format, section 2.1).
Result<> map_xz(const ByteSource& image, ImageMap& map) {
  const auto size = image.size();
  const auto head = read_text(image, 0, kXzHeader);
  const auto tail = read_text(image, size < 2 * kXzHeader ? 0 : size - kXzHeader, kXzHeader);
  if (!head || !tail) {
    return head ? tail.error() : head.error();
  }
  lzma_stream_flags flags{};
  lzma_stream_flags end{};
  const auto as_bytes = [](const std::string& text) { return reinterpret_cast<const std::uint8_t*>(text.data()); };
  const bool begins = head->size() == kXzHeader && lzma_stream_header_decode(&flags, as_bytes(*head)) == LZMA_OK;
  const bool ends = begins && size >= 2 * kXzHeader && lzma_stream_footer_decode(&end, as_bytes(*tail)) == LZMA_OK &&
                    end.backward_size <= size - 2 * kXzHeader;
  if (begins) {
    const char* check = flags.check == LZMA_CHECK_CRC32    ? "crc32"
                        : flags.check == LZMA_CHECK_CRC64  ? "crc64"
                        : flags.check == LZMA_CHECK_SHA256 ? "sha256"
                                                           : "none";
    map.facts["digests"] = json::array{json::string{check}};
  }
  if (!ends) {
    map.doubts.emplace_back("header or footer of the xz stream cannot be read");
  }
  const auto index = ends ? size - kXzHeader - end.backward_size : size;
  add_region(map, image, "stream header", RegionKind::header, 0, std::min<std::uint64_t>(kXzHeader, size));
  add_region(map, image, "blocks", RegionKind::payload, kXzHeader, index > kXzHeader ? index - kXzHeader : 0);
  if (ends) {
    add_region(map, image, "index", RegionKind::index, index, end.backward_size);
    add_region(map, image, "stream footer", RegionKind::trailer, size - kXzHeader, kXzHeader);
  }
  return {};
}

Result<Change> change_xz(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  if (spec.kind != MutationKind::bomb) {
    return not_for(
        "xz", "sizes and checks lie within the packed blocks, \"" + enum_name(spec.kind) + "\" would only break them");
  }
  auto bomb = make_bomb(Packing::xz, materials.bomb_bytes);
  if (!bomb) {
    return bomb.error();
  }
  const auto what = "the whole is " + std::to_string(bomb->size()) + " bytes of xz that unpack to " +
                    std::to_string(materials.bomb_bytes);
  return Change{{edit_text(0, genuine.image->size(), std::move(*bomb))}, what};
}

}  // namespace

const Format kGzip{"gzip", recognises_gzip, map_gzip, change_gzip, repair_gzip};
const Format kXz{"xz", recognises_xz, map_xz, change_xz, nullptr};

}  // namespace assay::images
