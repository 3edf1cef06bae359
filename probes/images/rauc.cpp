#include "probes/images/rauc.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "probes/images/scan.hpp"
#include "probes/images/signature.hpp"
#include "probes/images/verify.hpp"
#include "probes/images/verity.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::images {

namespace {

constexpr std::uint64_t kLength = 8;
constexpr std::uint64_t kMaximumSignature = std::uint64_t{1} << 20U;
constexpr std::size_t kSuperblock = 96;
constexpr std::size_t kUsedAt = 40;
constexpr std::string_view kSquashfs = "hsqs";

/// RAUC pads its squashfs to whole blocks before it makes the tree.
std::uint64_t whole_blocks(std::uint64_t bytes) {
  constexpr std::uint64_t kBlock = 4096;
  return bytes / kBlock * kBlock + (bytes % kBlock == 0 ? 0 : kBlock);
}

/// The parts of a bundle.
struct Bundle {
  std::uint64_t used = 0;       // of the squashfs, as its superblock says
  std::uint64_t signature = 0;  // where the message begins: so long is what is signed or hashed
  std::string message;          // DER
  Cms cms = nullptr;
  std::string manifest;  // that the message holds; empty for "plain"

  std::uint64_t end() const { return signature + message.size(); }
};

/// Nothing when this is no bundle.
Result<std::optional<Bundle>> read_bundle(const ByteSource& image) {
  const auto size = image.size();
  const auto head = read_text(image, 0, kSuperblock);
  const auto tail = size > kSuperblock + kLength ? read_text(image, size - kLength, kLength) : head;
  if (!head || !tail) {
    return head ? tail.error() : head.error();
  }
  const auto length = big_u64(*tail, 0);
  if (!head->starts_with(kSquashfs) || size <= kSuperblock + kLength || length == 0 || length > kMaximumSignature ||
      length > size - kSuperblock - kLength) {
    return std::optional<Bundle>{};
  }
  Bundle out;
  out.used = little_u64(*head, kUsedAt);
  out.signature = size - kLength - length;
  auto message = read_text(image, out.signature, length);
  if (!message) {
    return message.error();
  }
  out.message = std::move(*message);
  out.cms = read_cms(out.message);
  if (!out.cms) {
    return std::optional<Bundle>{};
  }
  out.manifest = cms_content(out.cms.get());
  return std::optional{std::move(out)};
}

bool recognises(std::string_view head, const ByteSource& image) {
  if (!head.starts_with(kSquashfs)) {
    return false;
  }
  const auto bundle = read_bundle(image);
  return bundle && *bundle;
}

/// A value of the manifest, as it is.
std::string_view value_of(const std::string& manifest, std::string_view section, std::string_view key) {
  const auto place = ini_value(manifest, section, key);
  return place ? std::string_view{manifest}.substr(place->at, place->length) : std::string_view{};
}

/// The last day of 2037 in the place of the date that a text begins with (20260131, 2026-01-31); nothing without one.
std::optional<std::string> other_date_in(std::string_view text) {
  for (const std::string_view form : {"20371231", "2037-12-31"}) {
    const bool alike = text.size() >= form.size() &&
                       std::equal(form.begin(), form.end(), text.begin(),
                                  [](char a, char b) { return a == '-' ? b == '-' : b >= '0' && b <= '9'; });
    if (alike) {
      return std::string{form} + std::string{text.substr(form.size())};
    }
  }
  return std::nullopt;
}

void add_facts(const Bundle& bundle, ImageMap& map) {
  map.facts["signature"] = cms_facts(bundle.cms.get());
  map.facts["size_said"] = bundle.used;
  const auto format = value_of(bundle.manifest, "bundle", "format");
  map.facts["bundle_format"] = bundle.manifest.empty() ? json::string{"plain"} : shown(format);
  if (bundle.manifest.empty()) {
    return;  // the manifest lies packed in the squashfs
  }
  map.facts["encrypted"] = format == "crypt";
  map.facts["digests"] = json::array{json::string{"dm-verity"}};
  if (const auto version = value_of(bundle.manifest, "update", "version"); !version.empty()) {
    map.facts["version"] = shown(version);
  }
  if (const auto build = value_of(bundle.manifest, "update", "build"); other_date_in(build)) {
    map.facts["created"] = shown(build);
  }
  if (const auto compatible = value_of(bundle.manifest, "update", "compatible"); !compatible.empty()) {
    map.facts["compatible"] = json::array{shown(compatible)};
  }
}

Result<> map_rauc(const ByteSource& image, ImageMap& map) {
  const auto read = read_bundle(image);
  if (!read || !*read) {
    return read ? Result<>{} : Result<>{read.error()};
  }
  const auto& bundle = **read;
  const auto used = std::min(std::max<std::uint64_t>(bundle.used, kSuperblock), bundle.signature);
  add_region(map, image, "squashfs superblock", RegionKind::header, 0, kSuperblock);
  add_region(map, image, "squashfs", RegionKind::payload, kSuperblock, used - kSuperblock);
  const auto tree = bundle.manifest.empty() ? bundle.signature : std::min(whole_blocks(used), bundle.signature);
  add_region(map, image, "padding", RegionKind::padding, used, tree - used);
  add_region(map, image, "hash tree", RegionKind::index, tree, bundle.signature - tree);
  const auto at = bundle.manifest.empty() ? std::string::npos : bundle.message.find(bundle.manifest);
  if (at == std::string::npos) {
    add_region(map, image, "CMS signature", RegionKind::signature, bundle.signature, bundle.message.size());
  } else {
    const auto begin = bundle.signature + at;
    const auto end = begin + bundle.manifest.size();
    add_region(map, image, "CMS message, begin", RegionKind::header, bundle.signature, at);
    add_region(map, image, "manifest", RegionKind::manifest, begin, bundle.manifest.size());
    add_region(map, image, "CMS certificates and signature", RegionKind::signature, end, bundle.end() - end);
  }
  add_region(map, image, "length of the signature", RegionKind::trailer, bundle.end(), kLength);
  if (bundle.used > bundle.signature) {
    map.doubts.emplace_back("the squashfs says that it is longer than what is before the signature");
  }
  add_facts(bundle, map);
  return {};
}

/// Another message in the place of the bundle's, with its length.
std::vector<Edit> with_message(const Bundle& bundle, std::string message) {
  const auto length = big_bytes(message.size(), kLength);
  return {edit_text(bundle.signature, bundle.message.size() + kLength, std::move(message) + length)};
}

Result<Change> resigned(const MutationSpec& spec, const Materials& materials, const Source& image,
                        const Bundle& bundle) {
  const auto* like = signer_of(bundle.cms.get());
  const auto signer =
      signer_for(spec, materials, like == nullptr ? "rsa-2048" : signer_kind(X509_get0_pubkey(like)), like);
  if (!signer) {
    return signer.error();
  }
  const bool attached = !bundle.manifest.empty();
  const Source content =
      attached ? text_source(bundle.manifest) : Source{std::make_shared<SliceSource>(image, 0, bundle.signature)};
  auto message = cms_sign(content, **signer, attached);
  return message ? Result<Change>{Change{with_message(bundle, std::move(*message)),
                                         "the bundle is signed " + signed_words(spec)}}
                 : Result<Change>{message.error()};
}

/// The message with another manifest below the genuine signature.
Result<std::string> with_manifest(const Bundle& bundle, const std::string& manifest) {
  const auto copy = read_cms(bundle.message);
  auto** content = copy ? CMS_get0_content(copy.get()) : nullptr;
  if (content == nullptr || *content == nullptr ||
      ASN1_STRING_set(*content, manifest.data(), static_cast<int>(manifest.size())) != 1) {
    return not_for("rauc", "the manifest of this bundle cannot be changed");
  }
  unsigned char* der = nullptr;
  const int size = i2d_CMS_ContentInfo(copy.get(), &der);
  std::string out{reinterpret_cast<char*>(der), static_cast<std::size_t>(std::max(size, 0))};
  OPENSSL_free(der);
  return out.empty() ? Result<std::string>{not_for("rauc", "the manifest of this bundle cannot be changed")}
                     : Result<std::string>{std::move(out)};
}

Result<Change> other_manifest(const Bundle& bundle, Place place, const std::string& value, std::string what) {
  auto text = bundle.manifest;
  text.replace(place.at, place.length, value);
  auto message = with_manifest(bundle, text);
  return message ? Result<Change>{Change{with_message(bundle, std::move(*message)), std::move(what)}}
                 : Result<Change>{message.error()};
}

/// The size of the first image that the manifest names; of a plain bundle, of the squashfs.
Result<Change> other_size(const MutationSpec& spec, const Bundle& bundle) {
  const auto factor = static_cast<std::uint64_t>(spec.factor);
  if (bundle.manifest.empty()) {
    return Change{{edit_text(kUsedAt, 8, little_bytes(bundle.used * factor, 8))},
                  "the squashfs says " + std::to_string(bundle.used * factor) + " bytes instead of " +
                      std::to_string(bundle.used)};
  }
  const auto section = bundle.manifest.find("[image.");
  const auto close = bundle.manifest.find(']', section);
  if (section == std::string::npos || close == std::string::npos) {
    return not_for("rauc", "the manifest names no image");
  }
  const auto place = ini_value(bundle.manifest, bundle.manifest.substr(section + 1, close - section - 1), "size");
  std::uint64_t size = 0;
  const char* text = bundle.manifest.data() + (place ? place->at : 0);
  if (!place || std::from_chars(text, text + place->length, size).ec != std::errc{}) {
    return not_for("rauc", "the manifest names no size");
  }
  return other_manifest(
      bundle, *place, std::to_string(size * factor),
      "the manifest says " + std::to_string(size * factor) + " bytes instead of " + std::to_string(size));
}

/// What the maker's other bundle holds, below the genuine signature.
Result<Change> other_content(const Materials& materials, const Bundle& bundle) {
  const auto other = materials.older ? materials.older : materials.other_model;
  if (!other) {
    return not_for("rauc", "the maker gave no other image whose content could be taken");
  }
  const auto read = read_bundle(*other);
  if (!read || !*read) {
    return read ? not_for("rauc", "the maker's other image is no bundle") : read.error();
  }
  return Change{{Edit{0, bundle.signature, std::make_shared<SliceSource>(other, 0, (*read)->signature)}},
                "the squashfs is that of the maker's other image"};
}

/// The older bundle's squashfs where the genuine one lies; the hash tree behind it keeps its place.
Result<Change> older_content(const Materials& materials, const Bundle& bundle) {
  const auto read = read_bundle(*materials.older);
  if (!read || !*read) {
    return read ? not_for("rauc", "the maker's older image is no bundle") : read.error();
  }
  const auto room = bundle.manifest.empty() ? bundle.signature : std::min(whole_blocks(bundle.used), bundle.signature);
  const auto used = std::min((*read)->used, (*read)->signature);
  auto content = fitted(std::make_shared<SliceSource>(materials.older, 0, used), room);
  return content ? Result<Change>{Change{{Edit{0, room, std::move(*content)}},
                                         std::string{"the squashfs is that of the maker's older image"} +
                                             (used > room ? ", cut to the genuine one's length" : "")}}
                 : Result<Change>{content.error()};
}

Result<Change> other_date(const Bundle& bundle) {
  const auto place = ini_value(bundle.manifest, "update", "build");
  const auto said = place ? other_date_in(std::string_view{bundle.manifest}.substr(place->at, place->length))
                          : std::optional<std::string>{};
  return said ? other_manifest(bundle, *place, *said, "the manifest says build " + wire::printable(*said, 64))
              : Result<Change>{not_for("rauc", "no manifest outside the squashfs shows a date")};
}

Result<Change> change_rauc(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto read = read_bundle(*genuine.image);
  if (!read || !*read) {
    return read ? not_for("rauc", "the image is no bundle") : read.error();
  }
  const auto& bundle = **read;
  switch (spec.kind) {
    case MutationKind::remove_signature:
      return Change{{Edit{bundle.signature, bundle.message.size() + kLength, nullptr}},
                    "the signature and its length are taken off"};
    case MutationKind::resign:
      return resigned(spec, materials, genuine.image, bundle);
    case MutationKind::lie_version: {
      const auto place = ini_value(bundle.manifest, "update", "version");
      return place ? other_manifest(bundle, *place, spec.version, "the manifest says version " + spec.version)
                   : Result<Change>{not_for("rauc", "no manifest outside the squashfs names a version")};
    }
    case MutationKind::lie_size:
      return other_size(spec, bundle);
    case MutationKind::swap_content:
      return other_content(materials, bundle);
    case MutationKind::mix_older:
      return older_content(materials, bundle);
    case MutationKind::lie_date:
      return other_date(bundle);
    default:
      return not_for("rauc", "a squashfs would have to be packed anew for \"" + enum_name(spec.kind) + "\"");
  }
}

/// The hash tree over the changed squashfs, and its root in the manifest: only the signature over that is wrong then.
Result<std::vector<Edit>> repair_rauc(const Opened& genuine, const Source& edited) {
  const auto before = read_bundle(*genuine.image);
  const auto after = read_bundle(*edited);
  if (!before || !after || !*before || !*after || (*after)->manifest.empty() ||
      (*before)->signature != (*after)->signature) {
    return not_for("rauc", "only a bundle with a hash tree, changed in place, has a checksum outside its signature");
  }
  const auto& bundle = **after;
  const auto root = value_of(bundle.manifest, "bundle", "verity-hash");
  const auto salt = from_hex(value_of(bundle.manifest, "bundle", "verity-salt"));
  const auto tree = verity_tree(*edited, whole_blocks((*before)->used), salt);
  if (!tree) {
    return tree.error();
  }
  const auto data = bundle.signature - tree->blocks.size();
  if (tree->blocks.size() > bundle.signature || root.size() != 64) {
    return not_for("rauc", "the hash tree of this bundle is of another kind");
  }
  auto edits = replace_all(bundle.message, bundle.signature, root, wire::hex(tree->root));
  if (!edits.empty()) {
    edits.push_back(edit_text(data, tree->blocks.size(), tree->blocks));
  }
  return edits;
}

Result<Verified> verify_rauc(const Source& image, const ImageMap&, const Trusted& trusted) {
  const auto read = read_bundle(*image);
  if (!read || !*read) {
    return read ? not_for("rauc", "the image is no bundle") : read.error();
  }
  const auto& bundle = **read;
  Verified out;
  out.scheme = "cms";
  const auto covered = std::make_shared<SliceSource>(image, 0, bundle.signature);
  out.reason = cms_refusal(bundle.cms.get(), bundle.manifest.empty() ? Source{covered} : nullptr, trusted);
  out.verified = out.reason.empty();
  if (bundle.manifest.empty()) {
    return out;
  }
  const auto salt = from_hex(value_of(bundle.manifest, "bundle", "verity-salt"));
  const auto tree = verity_tree(*image, whole_blocks(bundle.used), salt);
  if (!tree && tree.error().kind == ErrorKind::io) {
    return tree.error();
  }
  if (!tree || value_of(bundle.manifest, "bundle", "verity-hash") != wire::hex(tree->root)) {
    out.uncovered.emplace_back("squashfs");
  }
  return out;
}

}  // namespace

const Format kRauc{"rauc", recognises, map_rauc, change_rauc, repair_rauc, verify_rauc};

}  // namespace assay::images
