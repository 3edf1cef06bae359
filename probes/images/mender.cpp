#include "probes/images/mender.hpp"

#include <algorithm>
#include <optional>

#include <openssl/evp.h>

#include "probes/images/archive.hpp"
#include "probes/images/packed.hpp"
#include "probes/images/scan.hpp"
#include "probes/images/signature.hpp"
#include "probes/images/verify.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::images {

namespace {

constexpr std::string_view kVersion = "version";
constexpr std::string_view kManifest = "manifest";
constexpr std::string_view kSignature = "manifest.sig";
constexpr std::string_view kHeaderInfo = "header-info";
constexpr std::string_view kPayloads = "data/";
constexpr std::uint64_t kMaximumManifest = std::uint64_t{1} << 20U;
constexpr std::uint64_t kMaximumHeader = std::uint64_t{4} << 20U;

bool is_packed_header(std::string_view name) {
  return name == "header.tar" || name.starts_with("header.tar.");
}

RegionKind role_of(std::string_view name) {
  if (name == kSignature) {
    return RegionKind::signature;
  }
  if (name == kManifest || is_packed_header(name)) {
    return RegionKind::manifest;
  }
  return name.starts_with(kPayloads) ? RegionKind::payload : RegionKind::header;
}

bool recognises(std::string_view head, const ByteSource& image) {
  if (until_nul(head.substr(0, 100)) != kVersion || !kTar.recognises(head, image)) {
    return false;
  }
  const auto version = read_text(image, 512, 256);
  return version && version->find("\"mender\"") != std::string::npos;
}

Result<std::string> text_of(const ByteSource& image, const Archive& archive, std::string_view name) {
  const auto* entry = archive.named(name);
  return entry == nullptr ? Result<std::string>{std::string{}}
                          : read_text(image, entry->content, entry->length, kMaximumManifest);
}

const Entry* packed_header(const Archive& archive) {
  const auto found = std::find_if(archive.entries.begin(), archive.entries.end(),
                                  [](const Entry& entry) { return is_packed_header(entry.name); });
  return found == archive.entries.end() ? nullptr : &*found;
}

const Entry* payload_of(const Archive& archive) {
  const Entry* best = nullptr;
  for (const auto& entry : archive.entries) {
    if (entry.name.starts_with(kPayloads) && (best == nullptr || entry.length > best->length)) {
      best = &entry;
    }
  }
  return best;
}

/// What a manifest says of a file: 64 hex digits, or empty.
std::string digest_in(const std::string& manifest, std::string_view name) {
  for (std::size_t at = 0; at < manifest.size();) {
    const auto end = std::min(manifest.find('\n', at), manifest.size());
    const auto line = std::string_view{manifest}.substr(at, end - at);
    const auto blank = line.find(' ');
    if (blank == 64 && wire::trim(line.substr(blank)) == name) {
      return std::string{line.substr(0, blank)};
    }
    at = end + 1;
  }
  return {};
}

std::string from_base64(std::string_view text) {
  const auto trimmed = wire::trim(text);
  std::string out(trimmed.size() / 4 * 3 + 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(trimmed.data()), static_cast<int>(trimmed.size()));
  const auto padding = static_cast<int>(trimmed.size() - std::min(trimmed.find('='), trimmed.size()));
  out.resize(size > padding ? static_cast<std::size_t>(size - padding) : 0);
  return out;
}

json::object signature_facts(const std::string& text) {
  if (text.empty()) {
    return {{"present", false}};
  }
  const auto signature = from_base64(text);
  json::object out{{"present", true}, {"digest", "sha256"}};
  // The artifact names no algorithm: an elliptic signature is r and s of 32 bytes, an RSA signature as long as its key.
  const bool curve = signature.size() == 64;
  out["scheme"] = curve ? "ecdsa_raw" : "rsa";
  out["key"] = curve ? "ec" : "rsa";
  out["key_bits"] = curve ? 256 : signature.size() * 8;
  return out;
}

/// The archive header.tar.* unpacked; nothing when there is none or it cannot be unpacked, with a doubt.
Result<std::optional<std::string>> unpacked_header(const ByteSource& image, const Archive& archive) {
  const auto* entry = packed_header(archive);
  if (entry == nullptr) {
    return std::optional<std::string>{};
  }
  auto text = unpack(image, entry->content, entry->length, kMaximumHeader);
  if (!text) {
    return text.error().kind == ErrorKind::io ? Result<std::optional<std::string>>{text.error()}
                                              : Result<std::optional<std::string>>{std::optional<std::string>{}};
  }
  return std::optional{std::move(*text)};
}

Result<> add_header_facts(const ByteSource& image, const Archive& archive, ImageMap& map) {
  const auto header = unpacked_header(image, archive);
  if (!header) {
    return header.error();
  }
  if (!*header) {
    map.doubts.emplace_back("the packed header cannot be read");
    return {};
  }
  const MemorySource source{**header};
  const auto inner = tar_kind().read(source);
  const auto info = inner ? text_of(source, *inner, kHeaderInfo) : Result<std::string>{inner.error()};
  if (!info) {
    map.doubts.emplace_back("the packed header holds no header-info");
    return {};
  }
  if (const auto place = quoted_value(*info, "artifact_name")) {
    map.facts["version"] = shown(std::string_view{*info}.substr(place->at, place->length));
  }
  json::array compatible;
  for (const auto& key : {"device_type", "device_types_compatible"}) {
    for (const auto& one : quoted_list(*info, key)) {
      compatible.push_back(shown(one));
    }
  }
  map.facts["compatible"] = std::move(compatible);
  return {};
}

Result<> map_mender(const ByteSource& image, ImageMap& map) {
  const auto archive = tar_kind().read(image);
  if (!archive) {
    return archive.error();
  }
  add_entries(map, image, *archive, role_of);
  const auto signature = text_of(image, *archive, kSignature);
  if (!signature && signature.error().kind == ErrorKind::io) {
    return signature.error();
  }
  map.facts["signature"] = signature_facts(signature ? *signature : std::string{});
  map.facts["digests"] = json::array{json::string{"sha256"}};
  map.facts["encrypted"] = false;
  return add_header_facts(image, *archive, map);
}

Result<Change> without_signature(const ByteSource& image, const Archive& archive) {
  const auto* entry = archive.named(kSignature);
  if (entry == nullptr) {
    return not_for("mender", "the artifact has no signature");
  }
  return Change{{Edit{entry->begin, std::min(entry->end, image.size()) - entry->begin, nullptr}},
                "the entry manifest.sig is taken out"};
}

Result<Change> resigned(const MutationSpec& spec, const Materials& materials, const ByteSource& image,
                        const Archive& archive) {
  const auto* entry = archive.named(kSignature);
  const auto manifest = text_of(image, archive, kManifest);
  const auto text = text_of(image, archive, kSignature);
  if (entry == nullptr || !manifest || !text) {
    return not_for("mender", "the artifact has no signature");
  }
  const auto size = from_base64(*text).size();
  const bool curve = size == 64;
  const auto signer = signer_for(spec, materials,
                                 curve        ? "ec-p256"
                                 : size > 384 ? "rsa-4096"
                                 : size > 256 ? "rsa-3072"
                                              : "rsa-2048",
                                 nullptr);
  if (!signer) {
    return signer.error();
  }
  const auto made = plain_sign(MemorySource{*manifest}, (*signer)->key(), curve ? Plain::ecdsa_raw : Plain::rsa_pkcs1);
  if (!made) {
    return made.error();
  }
  auto edits = replace_content(tar_kind(), image, *entry, text_source(wire::base64(*made)));
  return edits ? Result<Change>{Change{std::move(*edits), "the manifest is signed " + signed_words(spec)}}
               : Result<Change>{edits.error()};
}

/// header-info with another artifact_name, packed anew.
Result<Change> other_version(const MutationSpec& spec, const ByteSource& image, const Archive& archive) {
  const auto header = unpacked_header(image, archive);
  if (!header || !*header) {
    return header ? not_for("mender", "the packed header cannot be read") : header.error();
  }
  const Source source = text_source(**header);
  const auto inner = tar_kind().read(*source);
  const auto info = inner ? text_of(*source, *inner, kHeaderInfo) : Result<std::string>{inner.error()};
  const auto place = quoted_value(info ? *info : std::string{}, "artifact_name");
  if (!place) {
    return not_for("mender", "the packed header names no artifact");
  }
  auto changed = *info;
  changed.replace(place->at, place->length, spec.version);
  auto edits = replace_content(tar_kind(), *source, *inner->named(kHeaderInfo), text_source(std::move(changed)));
  const auto whole =
      edits ? EditedSource::make(source, std::move(*edits)) : Result<std::shared_ptr<EditedSource>>{edits.error()};
  const auto text = whole ? read_text(**whole, 0, (*whole)->size()) : Result<std::string>{whole.error()};
  if (!text) {
    return text.error();
  }
  const auto* entry = packed_header(archive);
  const auto head = read_text(image, entry->content, 6);
  auto packed = head ? pack(packing_of(*head), *text) : Result<std::string>{head.error()};
  if (!packed) {
    return packed.error();
  }
  auto outer = replace_content(tar_kind(), image, *entry, text_source(std::move(*packed)));
  return outer ? Result<Change>{Change{std::move(*outer), "the packed header names artifact " + spec.version}}
               : Result<Change>{outer.error()};
}

/// A bit of the file within the packed payload, which is packed anew: what is changed is what would be installed.
Result<Change> flipped_inside(const ByteSource& image, const Source& source, const Archive& archive) {
  const auto* entry = payload_of(archive);
  if (entry == nullptr) {
    return not_for("mender", "the artifact has no payload");
  }
  const auto head = read_text(image, entry->content, 6);
  const auto inner = unpacked_file(std::make_shared<SliceSource>(source, entry->content, entry->length));
  if (!head || !inner) {
    return head ? inner.error() : head.error();
  }
  const auto files = tar_kind().read(**inner);
  if (!files || files->entries.empty()) {
    return not_for("mender", "the payload holds no file");
  }
  const auto& file = *std::max_element(files->entries.begin(), files->entries.end(),
                                       [](const Entry& a, const Entry& b) { return a.length < b.length; });
  const auto at = file.content + file.length / 2;
  auto byte = read_text(**inner, at, 1);
  if (!byte || byte->empty() || file.length == 0) {
    return not_for("mender", "the payload's file is empty");
  }
  (*byte)[0] = static_cast<char>(static_cast<unsigned char>((*byte)[0]) ^ 1U);
  const auto changed = EditedSource::make(*inner, {edit_text(at, 1, *byte)});
  const auto packed = changed ? packed_file(packing_of(*head), *changed) : Result<Source>{changed.error()};
  if (!packed) {
    return packed.error();
  }
  auto edits = replace_content(tar_kind(), image, *entry, *packed);
  return edits ? Result<Change>{Change{std::move(*edits), "bit 0 of byte " + std::to_string(file.length / 2) + " of " +
                                                              wire::printable(file.name, 128) + " is flipped, within " +
                                                              wire::printable(entry->name, 128) +
                                                              ", which is packed anew"}}
               : Result<Change>{edits.error()};
}

Result<Change> change_mender(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto& image = *genuine.image;
  const auto archive = tar_kind().read(image);
  if (!archive) {
    return archive.error();
  }
  switch (spec.kind) {
    case MutationKind::remove_signature:
      return without_signature(image, *archive);
    case MutationKind::resign:
      return resigned(spec, materials, image, *archive);
    case MutationKind::lie_version:
      return other_version(spec, image, *archive);
    case MutationKind::flip_bit:
      return spec.where == Where::payload && spec.repair ? flipped_inside(image, genuine.image, *archive)
                                                         : Result<Change>{not_for("mender", "flipped where it lies")};
    default: {
      const auto* payload = payload_of(*archive);
      return payload == nullptr ? Result<Change>{not_for("mender", "the artifact has no payload")}
                                : change_archive(tar_kind(), spec, materials, genuine.image, *archive, *payload);
    }
  }
}

/// Digests by the names of the manifest: of each entry, and of each file within a packed payload. What cannot be
/// unpacked has none.
Result<std::vector<std::pair<std::string, std::string>>> digests_of(const Source& image, const Archive& archive) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& entry : archive.entries) {
    if (entry.name == kVersion || is_packed_header(entry.name)) {
      const auto digest = digest_of(*image, entry.content, entry.length);
      if (!digest) {
        return digest.error();
      }
      out.emplace_back(entry.name, *digest);
    }
    if (!entry.name.starts_with(kPayloads)) {
      continue;
    }
    const auto inner = unpacked_file(std::make_shared<SliceSource>(image, entry.content, entry.length));
    const auto files = inner ? tar_kind().read(**inner) : Result<Archive>{inner.error()};
    if (!files) {
      continue;
    }
    const auto folder = entry.name.substr(0, entry.name.find('.')) + "/";
    for (const auto& file : files->entries) {
      const auto digest = digest_of(**inner, file.content, file.length);
      if (!digest) {
        return digest.error();
      }
      out.emplace_back(folder + file.name, *digest);
    }
  }
  return out;
}

/// The digests of the manifest.
Result<std::vector<Edit>> repair_mender(const Opened&, const Source& edited) {
  const auto archive = tar_kind().read(*edited);
  if (!archive) {
    return archive.error();
  }
  const auto manifest = text_of(*edited, *archive, kManifest);
  const auto* entry = archive->named(kManifest);
  const auto digests = digests_of(edited, *archive);
  if (!manifest || entry == nullptr || !digests) {
    return not_for("mender", "the changed artifact has no manifest that could be made right");
  }
  std::vector<Edit> edits;
  for (const auto& [name, digest] : *digests) {
    const auto said = digest_in(*manifest, name);
    if (!said.empty()) {
      const auto found = replace_all(*manifest, entry->content, said, digest);
      edits.insert(edits.end(), found.begin(), found.end());
    }
  }
  const auto sums = repaired_checksums(tar_kind(), *edited);
  if (!sums) {
    return sums.error();
  }
  edits.insert(edits.end(), sums->begin(), sums->end());
  return edits;
}

Result<Verified> verify_mender(const Source& image, const ImageMap&, const Trusted& trusted) {
  const auto archive = tar_kind().read(*image);
  if (!archive) {
    return archive.error();
  }
  const auto manifest = text_of(*image, *archive, kManifest);
  const auto signature = text_of(*image, *archive, kSignature);
  if (!manifest || !signature || signature->empty()) {
    return not_for("mender", "the artifact has no signature");
  }
  auto out = verified_text(*manifest, from_base64(*signature), trusted);
  const auto digests = digests_of(image, *archive);
  if (!digests) {
    return digests.error();
  }
  std::size_t payloads = 0;
  for (const auto& [name, digest] : *digests) {
    payloads += name.starts_with(kPayloads) ? 1 : 0;
    if (digest_in(*manifest, name) != digest) {
      out.uncovered.push_back(wire::printable(name, 128));
    }
  }
  if (payloads == 0) {
    out.uncovered.emplace_back("the payload, which cannot be unpacked");
  }
  return out;
}

}  // namespace

const Format kMender{"mender", recognises, map_mender, change_mender, repair_mender, verify_mender};

}  // namespace assay::images
