#include "probes/images/image_map.hpp"

#include <algorithm>
#include <limits>

#include "probes/images/format.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::images {

namespace {

constexpr std::size_t kMaximumRegions = 4096;
constexpr std::size_t kMaximumName = 128;
constexpr std::size_t kMaximumDoubts = 64;
constexpr std::size_t kMaximumFact = 256;

/// Sorts, and cuts what overlaps: two parts of a hostile image may claim the same bytes.
void tidy(ImageMap& map) {
  auto& regions = map.regions;
  std::stable_sort(regions.begin(), regions.end(),
                   [](const Region& a, const Region& b) { return a.offset < b.offset; });
  std::uint64_t end = 0;
  std::vector<Region> kept;
  bool overlapped = false;
  for (auto& region : regions) {
    const auto cut = region.offset < end ? std::min(end - region.offset, region.length) : 0;
    overlapped = overlapped || cut > 0;
    region.offset += cut;
    region.length -= cut;
    if (region.length > 0) {
      end = region.offset + region.length;
      kept.push_back(std::move(region));
    }
  }
  regions = std::move(kept);
  if (overlapped) {
    map.doubts.emplace_back("two parts of the image lie over each other");
  }
  if (map.doubts.size() > kMaximumDoubts) {
    map.doubts.resize(kMaximumDoubts);
    map.doubts.emplace_back("and more");
  }
}

}  // namespace

Error not_for(std::string_view format, std::string_view what) {
  return {ErrorKind::unsupported, std::string{format} + ": " + std::string{what}, {}};
}

const Format* format_named(std::string_view name) {
  const auto all = formats();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Format* one) { return one->name == name; });
  return found == all.end() ? nullptr : *found;
}

void add_region(ImageMap& map, const ByteSource& image, std::string_view name, RegionKind kind, std::uint64_t offset,
                std::uint64_t length) {
  const auto size = image.size();
  const auto left = offset < size ? size - offset : 0;
  if (length > left) {
    map.doubts.push_back(wire::printable(name, kMaximumName) + " reaches behind the end of the image");
    length = left;
  }
  if (length > 0 && map.regions.size() < kMaximumRegions) {
    map.regions.push_back({wire::printable(name, kMaximumName), kind, offset, length});
  }
}

json::string shown(std::string_view bytes) {
  return json::string{wire::printable(bytes, kMaximumFact)};
}

namespace {

/// What an older image is told by. Counters are kept by the device's boot loader or in its fuses; of versions only the
/// updater's own rule says what is older. A FIT's version stands outside of what its configurations sign.
void note_rollback(ImageMap& map) {
  auto& facts = map.facts;
  json::object out{{"by", nullptr}, {"value", nullptr}, {"signed", nullptr}};
  const auto* by = facts.contains("sequence_number") ? "sequence_number"
                   : facts.contains("version")       ? "version"
                                                     : nullptr;
  if (by != nullptr) {
    out["by"] = map.format == "esp" && by == std::string_view{"sequence_number"} ? "secure_version" : by;
    out["value"] = facts.at(by);
    const auto* signature = facts.if_contains("signature");
    const auto* present =
        signature != nullptr && signature->is_object() ? signature->get_object().if_contains("present") : nullptr;
    if (present != nullptr && present->is_bool() && map.format != "fit") {
      out["signed"] = present->get_bool();
    }
  }
  facts["rollback"] = std::move(out);
}

}  // namespace

Result<ImageMap> map_image(const ByteSource& image) {
  const auto head = read_text(image, 0, kHead);
  if (!head) {
    return head.error();
  }
  ImageMap map;
  const auto all = formats();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Format* one) { return one->recognises(*head, image); });
  map.format = found == all.end() ? "raw" : std::string{(*found)->name};
  if (found == all.end()) {
    add_region(map, image, "content", RegionKind::payload, 0, image.size());
    return map;
  }
  if (const auto mapped = (*found)->map(image, map); !mapped) {
    return mapped.error();
  }
  tidy(map);
  note_rollback(map);
  return map;
}

const Region* first_of(const ImageMap& map, RegionKind kind) {
  const auto found = std::find_if(map.regions.begin(), map.regions.end(),
                                  [kind](const Region& region) { return region.kind == kind; });
  return found == map.regions.end() ? nullptr : &*found;
}

const Region* largest_of(const ImageMap& map, RegionKind kind) {
  const Region* best = nullptr;
  for (const auto& region : map.regions) {
    if (region.kind == kind && (best == nullptr || region.length > best->length)) {
      best = &region;
    }
  }
  return best;
}

}  // namespace assay::images
