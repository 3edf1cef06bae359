#include <algorithm>

#include "probes/images/boards.hpp"
#include "probes/images/fdt.hpp"
#include "probes/images/fit_signature.hpp"
#include "probes/images/packed.hpp"
#include "probes/images/scan.hpp"
#include "probes/images/signature.hpp"
#include "probes/wire/bytes.hpp"

/// U-Boot's flattened image tree: a device tree whose nodes hold images, their digests and signatures. The content lies
/// within ("data") or behind the tree ("data-offset", "data-position").
namespace assay::images {

namespace {

constexpr std::uint32_t kMagic = 0xD00DFEED;
constexpr std::size_t kHeader = 40;
constexpr std::size_t kTotalAt = 4;
constexpr std::size_t kMaximumDigests = 64;  // several may stand over the same content, so each costs

bool recognises(std::string_view head, const ByteSource& image) {
  if (head.size() < kHeader || big_u32(head, 0) != kMagic) {
    return false;
  }
  const auto tree = read_fdt(image);
  return tree && tree->node("/images") != nullptr;
}

void add_content_regions(const ByteSource& image, const Fdt& tree, ImageMap& map) {
  for (const auto& node : tree.nodes) {
    const auto name = node.path.substr(1);
    if (const auto content = fit_content(tree, &node)) {
      add_region(map, image, name, RegionKind::payload, content.offset, content.length);
    }
    const auto* value = node.property("value");
    if (is_fit_signature(node) && value != nullptr) {
      add_region(map, image, name, RegionKind::signature, value->value, value->length);
    }
  }
}

/// What no content and no signature covers within the structure is what the maker says: the manifest.
void add_manifest_regions(const ByteSource& image, const Fdt& tree, ImageMap& map) {
  auto inside = map.regions;
  std::sort(inside.begin(), inside.end(), [](const Region& a, const Region& b) { return a.offset < b.offset; });
  auto at = tree.structure;
  for (const auto& region : inside) {
    if (region.offset >= tree.structure_end) {
      break;
    }
    if (region.offset > at) {
      add_region(map, image, "tree", RegionKind::manifest, at, region.offset - at);
    }
    at = std::max(at, region.offset + region.length);
  }
  if (at < tree.structure_end) {
    add_region(map, image, "tree", RegionKind::manifest, at, tree.structure_end - at);
  }
  add_region(map, image, "tree header", RegionKind::header, 0, kHeader);
  add_region(map, image, "names", RegionKind::index, tree.strings, tree.strings_size);
}

void add_texts(const Fdt& tree, ImageMap& map) {
  json::array entries;
  json::array digests;
  json::array compatible;
  bool encrypted = false;
  for (const auto& node : tree.nodes) {
    if (node.parent() == "/images" && entries.size() < 64) {
      entries.push_back(shown(node.name()));
    }
    encrypted = encrypted || node.name() == "cipher";
    const auto* algorithm = node.property("algo");
    if (is_fit_hash(node) && algorithm != nullptr && digests.size() < 64) {
      const auto word = shown(algorithm->text());
      if (std::find(digests.begin(), digests.end(), json::value(word)) == digests.end()) {
        digests.push_back(word);
      }
    }
    const auto* models = node.property("compatible");
    if (models != nullptr && node.parent() == "/configurations" && compatible.size() < 64) {
      compatible.push_back(shown(models->text()));
    }
  }
  map.facts["entries"] = std::move(entries);
  map.facts["digests"] = std::move(digests);
  map.facts["encrypted"] = encrypted;
  if (!compatible.empty()) {
    map.facts["compatible"] = std::move(compatible);
  }
}

void add_facts(const Fdt& tree, ImageMap& map) {
  add_texts(tree, map);
  const auto& root = tree.nodes.front();
  if (const auto* description = root.property("description")) {
    map.facts["name"] = shown(description->text());
  }
  if (const auto* created = root.property("timestamp")) {
    map.facts["created"] = created->cell();
  }
  for (const auto* key : {"version", "fw-version"}) {
    if (const auto* version = root.property(key)) {
      map.facts["version"] = shown(version->text());
    }
  }
  map.facts["size_said"] = tree.total;
  map.facts["signature"] = fit_signature_facts(tree);
}

Result<> map_fit(const ByteSource& image, ImageMap& map) {
  const auto tree = read_fdt(image);
  if (!tree) {
    return tree.error();
  }
  map.doubts.insert(map.doubts.end(), tree->doubts.begin(), tree->doubts.end());
  if (tree->nodes.empty()) {
    return {};
  }
  add_content_regions(image, *tree, map);
  add_manifest_regions(image, *tree, map);
  add_facts(*tree, map);
  return {};
}

/// Tokens of nothing in the place of every signature node: a tree like one that was never signed.
Result<Change> without_signature(const Fdt& tree) {
  Change out;
  for (const auto& node : tree.nodes) {
    if (is_fit_signature(node) && node.end > node.begin) {
      std::string nothing;
      for (auto at = node.begin; at < node.end; at += 4) {
        nothing += big_bytes(4, 4);
      }
      const auto length = nothing.size();
      out.edits.push_back(edit_text(node.begin, length, std::move(nothing)));
    }
  }
  out.what = std::to_string(out.edits.size()) + " signature nodes are blotted out";
  return out.edits.empty() ? Result<Change>{not_for("fit", "the tree has no signature")}
                           : Result<Change>{std::move(out)};
}

const FdtNode* largest_image(const Fdt& tree) {
  const FdtNode* best = nullptr;
  std::uint64_t length = 0;
  for (const auto& node : tree.nodes) {
    const auto content = fit_content(tree, &node);
    if (content.length > length) {
      best = &node;
      length = content.length;
    }
  }
  return best;
}

Result<Change> other_size(const MutationSpec& spec, const Fdt& tree) {
  const auto* node = largest_image(tree);
  const auto* size = node == nullptr ? nullptr : node->property("data-size");
  const auto was = size == nullptr ? tree.total : size->cell();
  const auto said = std::min<std::uint64_t>(was * static_cast<std::uint64_t>(spec.factor), 0xFFFFFFFFU);
  return Change{{edit_text(size == nullptr ? kTotalAt : size->value, 4, big_bytes(said, 4))},
                std::string{size == nullptr ? "the tree" : "data-size"} + " says " + std::to_string(said) +
                    " bytes instead of " + std::to_string(was)};
}

/// The bomb takes the beginning of the content's place and zeros the rest, so that the tree stays as it is.
Result<Change> bombed(const Materials& materials, const Fdt& tree) {
  const auto* node = largest_image(tree);
  const auto content = fit_content(tree, node);
  auto bomb = make_bomb(Packing::gzip, materials.bomb_bytes);
  if (!content || !bomb) {
    return content ? bomb.error() : not_for("fit", "the tree holds no content");
  }
  const auto size = bomb->size();
  if (size > content.length) {
    return not_for("fit", "a bomb of " + std::to_string(size) + " bytes has no room in a content of " +
                              std::to_string(content.length));
  }
  return Change{
      {edit_text(content.offset, size, std::move(*bomb)),
       Edit{content.offset + size, content.length - size, std::make_shared<ZeroSource>(content.length - size)}},
      "the content of " + node->path + " is " + std::to_string(size) + " bytes of gzip that unpack to " +
          std::to_string(materials.bomb_bytes)};
}

Result<Change> other_version(const MutationSpec& spec, const Fdt& tree) {
  for (const auto* key : {"version", "fw-version"}) {
    const auto* version = tree.nodes.front().property(key);
    if (version != nullptr && version->length > spec.version.size()) {
      auto text = spec.version;
      text.resize(version->length, '\0');
      return Change{{edit_text(version->value, version->length, text)}, "the tree says version " + spec.version};
    }
  }
  return not_for("fit", "the tree names no version, or has no room for another");
}

Result<Change> other_date(const Fdt& tree) {
  const auto* created = tree.nodes.front().property("timestamp");
  if (created == nullptr || created->length != 4) {
    return not_for("fit", "the tree shows no date");
  }
  return Change{{edit_text(created->value, 4, big_bytes(kOtherDate, 4))}, "the tree's timestamp is 2037-12-31"};
}

Result<Change> change_fit(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto tree = read_fdt(*genuine.image);
  if (!tree) {
    return tree.error();
  }
  if (tree->nodes.empty()) {
    return not_for("fit", "the tree is broken");
  }
  switch (spec.kind) {
    case MutationKind::remove_signature:
      return without_signature(*tree);
    case MutationKind::resign:
      return fit_resigned(spec, materials, genuine.image, *tree);
    case MutationKind::lie_version:
      return other_version(spec, *tree);
    case MutationKind::lie_date:
      return other_date(*tree);
    case MutationKind::lie_size:
      return other_size(spec, *tree);
    case MutationKind::bomb:
      return bombed(materials, *tree);
    default:
      return not_for("fit", "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
  }
}

/// OpenSSL's name for a digest of the tree; empty for another kind.
std::string digest_name(const std::string& algorithm) {
  return algorithm == "md5"      ? "MD5"
         : algorithm == "sha1"   ? "SHA1"
         : algorithm == "sha256" ? "SHA256"
         : algorithm == "sha384" ? "SHA384"
         : algorithm == "sha512" ? "SHA512"
                                 : "";
}

/// The digest of each content in its hash nodes.
Result<std::vector<Edit>> repair_fit(const Opened&, const Source& edited) {
  const auto tree = read_fdt(*edited);
  if (!tree) {
    return tree.error();
  }
  std::vector<Edit> out;
  std::size_t left = kMaximumDigests;
  for (const auto& node : tree->nodes) {
    const auto* algorithm = node.property("algo");
    const auto* value = node.property("value");
    const auto content = fit_content(*tree, tree->node(node.parent()));
    if (!is_fit_hash(node) || algorithm == nullptr || value == nullptr || !content) {
      continue;
    }
    if (left-- == 0) {
      return not_for("fit", "the tree has more digests than are looked at");
    }
    const auto name = digest_name(algorithm->text());
    std::string right;
    if (algorithm->text() == "crc32") {
      const auto crc = crc32_of(*edited, content.offset, content.length);
      right = crc ? big_bytes(*crc, 4) : std::string{};
    } else if (!name.empty()) {
      const auto digest = digest_of(*edited, content.offset, content.length, name);
      right = digest ? from_hex(*digest) : std::string{};
    }
    if (right.size() == value->length && right != value->bytes) {
      out.push_back(edit_text(value->value, value->length, right));
    }
  }
  return out;
}

/// A configuration's signature covers digests; whether the content is that of the digests is looked at beside it.
Result<Verified> verify_fit(const Source& image, const ImageMap& map, const Trusted& trusted) {
  auto out = fit_verified(image, map, trusted);
  const auto wrong = out ? repair_fit({image, map}, image) : Result<std::vector<Edit>>{out.error()};
  if (!wrong) {
    return wrong.error();
  }
  if (!wrong->empty()) {
    out->uncovered.push_back(std::to_string(wrong->size()) + " contents whose digest is another");
  }
  return out;
}

}  // namespace

const Format kFit{"fit", recognises, map_fit, change_fit, repair_fit, verify_fit};

}  // namespace assay::images
