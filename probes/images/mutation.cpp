#include "probes/images/mutation.hpp"

#include <algorithm>
#include <optional>

#include "probes/images/format.hpp"

namespace assay::images {

namespace {

constexpr std::uint64_t kBlock = 4096;
/// Nothing of the maker's stands beside the content here: with older content such an image is the older one.
constexpr std::string_view kContentAlone[] = {"raw", "gzip", "xz", "ihex", "uf2"};

std::string place(const Region& region) {
  return region.name + " (" + enum_name(region.kind) + ")";
}

/// Bytes that repeat: what is appended or put in the place of content.
class PatternSource final : public ByteSource {
 public:
  explicit PatternSource(std::uint64_t size) : size_(size) {}

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
    if (offset >= size_) {
      return std::size_t{0};
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
    for (std::size_t i = 0; i < count; ++i) {
      into[i] = static_cast<std::byte>(0xA5U ^ ((offset + i) & 0x1FU));
    }
    return count;
  }

 private:
  std::uint64_t size_;
};

Result<Change> flip_at(const Source& image, std::uint64_t offset, const std::string& where) {
  auto byte = read_text(*image, offset, 1);
  if (!byte) {
    return byte.error();
  }
  if (byte->empty()) {
    return Error{ErrorKind::unsupported, "the image is empty", {}};
  }
  (*byte)[0] = static_cast<char>(static_cast<unsigned char>((*byte)[0]) ^ 1U);
  return Change{{edit_text(offset, 1, *byte)}, "bit 0 of byte " + std::to_string(offset) + " is flipped, in " + where};
}

std::optional<RegionKind> region_kind(Where where) {
  switch (where) {
    case Where::header:
      return RegionKind::header;
    case Where::manifest:
      return RegionKind::manifest;
    case Where::signature:
      return RegionKind::signature;
    case Where::payload:
      return RegionKind::payload;
    case Where::tenth:
      break;
  }
  return std::nullopt;
}

/// The middle of a tenth of the image, or of the largest part of a kind.
Result<Change> flip(const MutationSpec& spec, const Opened& genuine) {
  const auto kind = region_kind(spec.where);
  if (!kind) {
    const auto size = genuine.image->size();
    const auto offset = size / 10 * static_cast<std::uint64_t>(spec.tenth - 1) + size / 20;
    return flip_at(genuine.image, std::min(offset, size == 0 ? 0 : size - 1),
                   "tenth " + std::to_string(spec.tenth) + " of the image");
  }
  const auto* region = largest_of(genuine.map, *kind);
  if (region == nullptr) {
    return not_for(genuine.map.format, "the image has no " + enum_name(*kind) + " that could be told apart");
  }
  return flip_at(genuine.image, region->offset + region->length / 2, place(*region));
}

Result<Change> truncate(const MutationSpec& spec, const Opened& genuine) {
  const auto size = genuine.image->size();
  const auto percent = static_cast<std::uint64_t>(spec.at);
  const auto keep = size / 100 * percent + size % 100 * percent / 100;
  return Change{{Edit{keep, size - keep, nullptr}},
                "cut after " + std::to_string(keep) + " of " + std::to_string(size) + " bytes"};
}

Result<Change> append(const MutationSpec& spec, const Opened& genuine) {
  return Change{{Edit{genuine.image->size(), 0, std::make_shared<PatternSource>(spec.bytes)}},
                std::to_string(spec.bytes) + " bytes of a pattern are appended"};
}

/// A block in the middle of the largest payload gives way to a pattern.
Result<Change> swap_block(const Opened& genuine) {
  const auto* region = largest_of(genuine.map, RegionKind::payload);
  if (region == nullptr) {
    return not_for(genuine.map.format, "the image has no payload that could be told apart");
  }
  const auto count = std::min(region->length, kBlock);
  const auto offset = region->offset + (region->length - count) / 2;
  return Change{{Edit{offset, count, std::make_shared<PatternSource>(count)}},
                std::to_string(count) + " bytes from byte " + std::to_string(offset) + " on are other content, in " +
                    place(*region)};
}

/// Made without the format where that has no change of its own.
bool is_blind(MutationKind kind) {
  return kind == MutationKind::flip_bit || kind == MutationKind::swap_content || kind == MutationKind::mix_older;
}

/// The payload of that name in another image, else its largest.
const Region* counterpart(const ImageMap& map, const Region& genuine) {
  const auto found = std::find_if(map.regions.begin(), map.regions.end(), [&](const Region& one) {
    return one.kind == RegionKind::payload && one.name == genuine.name;
  });
  return found == map.regions.end() ? largest_of(map, RegionKind::payload) : &*found;
}

/// The older image's payload in the place of the genuine one, so that everything else stays where it is.
Result<Change> mix_older(const Materials& materials, const Opened& genuine) {
  const auto& format = genuine.map.format;
  if (std::find(std::begin(kContentAlone), std::end(kContentAlone), format) != std::end(kContentAlone)) {
    return not_for(format,
                   "nothing of the maker's stands beside the content, so the mixed image would be the older one");
  }
  const auto map = map_image(*materials.older);
  if (!map) {
    return map.error();
  }
  if (map->format != format) {
    return not_for(format, "the maker's older image is of another format (" + map->format + ")");
  }
  const auto* region = largest_of(genuine.map, RegionKind::payload);
  const auto* older = region == nullptr ? nullptr : counterpart(*map, *region);
  if (older == nullptr) {
    return not_for(format, "one of the two images has no payload that could be told apart");
  }
  auto content = fitted(std::make_shared<SliceSource>(materials.older, older->offset, older->length), region->length);
  if (!content) {
    return content.error();
  }
  const auto* fit = older->length > region->length   ? ", cut to its length"
                    : older->length < region->length ? ", filled with zeros to its length"
                                                     : "";
  return Change{{Edit{region->offset, region->length, std::move(*content)}},
                place(*region) + " is that of the maker's older image" + fit};
}

Result<Change> change_of(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto* format = format_named(genuine.map.format);
  if (spec.kind == MutationKind::truncate) {
    return truncate(spec, genuine);
  }
  if (spec.kind == MutationKind::append) {
    return append(spec, genuine);
  }
  if (format != nullptr && format->change != nullptr) {
    auto made = format->change(spec, materials, genuine);
    if (made || !is_blind(spec.kind) || made.error().kind != ErrorKind::unsupported) {
      return made;
    }
  }
  if (spec.kind == MutationKind::flip_bit) {
    return flip(spec, genuine);
  }
  if (spec.kind == MutationKind::swap_content) {
    return swap_block(genuine);
  }
  if (spec.kind == MutationKind::mix_older) {
    return mix_older(materials, genuine);
  }
  return not_for(genuine.map.format, "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
}

/// Makes checks of the format right again; the sentence says whether something was.
Result<> repair(const Opened& genuine, Mutation& mutation) {
  const auto* format = format_named(genuine.map.format);
  if (format == nullptr || format->repair == nullptr) {
    return not_for(genuine.map.format, "the format has no checksum that could be made right again");
  }
  auto edits = format->repair(genuine, mutation.image);
  if (!edits) {
    return edits.error();
  }
  mutation.what += edits->empty() ? "; no checksum had to be made right again" : "; its checksums are made right again";
  auto repaired = EditedSource::make(mutation.image, std::move(*edits));
  if (!repaired) {
    return repaired.error();
  }
  mutation.image = *repaired;
  return {};
}

/// What depends on other images or on what this one says may come out as the genuine image, which is no attack.
Result<> differs(const MutationSpec& spec, const Source& genuine, const Source& made) {
  if (spec.kind != MutationKind::mix_older && spec.kind != MutationKind::swap_content &&
      spec.kind != MutationKind::lie_date) {
    return {};
  }
  const auto was = sha256_of(*genuine);
  const auto is = was ? sha256_of(*made) : was;
  if (!is) {
    return is.error();
  }
  return *was == *is ? Result<>{Error{ErrorKind::unsupported, "what is put in is the same as in the genuine image", {}}}
                     : Result<>{};
}

Result<Mutation> given(const MutationSpec& spec, const Source& image, const std::string& what) {
  if (!image) {
    return Error{ErrorKind::unsupported, "the maker gave no " + what, {}};
  }
  return Mutation{name_of(spec), "the maker's " + what + ", unchanged", image};
}

}  // namespace

Result<Mutation> mutate(const MutationSpec& spec, const Materials& materials, const ImageMap& map) {
  switch (spec.kind) {
    case MutationKind::same:
      return given(spec, materials.genuine, "genuine image");
    case MutationKind::older:
      return given(spec, materials.older, "older image");
    case MutationKind::other_model:
      return given(spec, materials.other_model, "image for another model");
    case MutationKind::other_component:
      return given(spec, materials.other_component, "image for another component");
    case MutationKind::mix_older:
      if (!materials.older) {
        return given(spec, materials.older, "older image");
      }
      break;
    default:
      break;
  }
  const Opened genuine{materials.genuine, map};
  auto change = change_of(spec, materials, genuine);
  if (!change) {
    return change.error();
  }
  auto edited = EditedSource::make(materials.genuine, std::move(change->edits));
  if (!edited) {
    return edited.error();
  }
  if (const auto other = differs(spec, materials.genuine, *edited); !other) {
    return other.error();
  }
  Mutation out{name_of(spec), std::move(change->what), *edited};
  if (spec.repair) {
    if (const auto repaired = repair(genuine, out); !repaired) {
      return repaired.error();
    }
  }
  return out;
}

}  // namespace assay::images
