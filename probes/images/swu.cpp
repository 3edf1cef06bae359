#include "probes/images/swu.hpp"

#include <algorithm>

#include "probes/images/archive.hpp"
#include "probes/images/scan.hpp"
#include "probes/images/signature.hpp"
#include "probes/images/verify.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::images {

namespace {

constexpr std::string_view kManifest = "sw-description";
constexpr std::string_view kSignature = "sw-description.sig";
constexpr std::uint64_t kMaximumManifest = std::uint64_t{1} << 20U;
constexpr std::size_t kFirstName = 110;  // cpio's header is that long

RegionKind role_of(std::string_view name) {
  return name == kManifest ? RegionKind::manifest : name == kSignature ? RegionKind::signature : RegionKind::payload;
}

bool recognises(std::string_view head, const ByteSource&) {
  return (head.starts_with("070701") || head.starts_with("070702")) && head.size() > kFirstName &&
         until_nul(head.substr(kFirstName)) == kManifest;
}

Result<std::string> text_of(const ByteSource& image, const Archive& archive, std::string_view name) {
  const auto* entry = archive.named(name);
  return entry == nullptr ? Result<std::string>{std::string{}}
                          : read_text(image, entry->content, entry->length, kMaximumManifest);
}

/// What is installed: the largest entry that is neither manifest nor signature.
const Entry* payload_of(const Archive& archive) {
  const Entry* best = nullptr;
  for (const auto& entry : archive.entries) {
    if (role_of(entry.name) == RegionKind::payload && (best == nullptr || entry.length > best->length)) {
      best = &entry;
    }
  }
  return best;
}

json::object signature_facts(const std::string& signature) {
  if (signature.empty()) {
    return {{"present", false}};
  }
  if (const auto cms = read_cms(signature)) {
    return cms_facts(cms.get());
  }
  // A plain signature is as long as its key; which padding it has shows only under the key.
  return {{"present", true}, {"scheme", "rsa"}, {"key", "rsa"}, {"key_bits", signature.size() * 8}};
}

void add_manifest_facts(const std::string& manifest, ImageMap& map) {
  const auto shown_value = [&](std::string_view key, std::string_view fact) {
    if (const auto place = quoted_value(manifest, key)) {
      map.facts[fact] = shown(std::string_view{manifest}.substr(place->at, place->length));
    }
  };
  shown_value("version", "version");
  shown_value("description", "name");
  json::array compatible;
  for (const auto& one : quoted_list(manifest, "hardware-compatibility")) {
    compatible.push_back(shown(one));
  }
  if (!compatible.empty()) {
    map.facts["compatible"] = std::move(compatible);
  }
  map.facts["digests"] = manifest.find("sha256") == manifest.npos ? json::array{} : json::array{json::string{"sha256"}};
  const auto encrypted = manifest.find("encrypted");
  map.facts["encrypted"] =
      encrypted != manifest.npos && manifest.find("true", encrypted) < manifest.find(';', encrypted);
}

Result<> map_swu(const ByteSource& image, ImageMap& map) {
  const auto archive = cpio_kind().read(image);
  if (!archive) {
    return archive.error();
  }
  add_entries(map, image, *archive, role_of);
  const auto manifest = text_of(image, *archive, kManifest);
  const auto signature = text_of(image, *archive, kSignature);
  for (const auto* text : {&manifest, &signature}) {
    if (!*text && text->error().kind == ErrorKind::unsupported) {
      map.doubts.push_back(text->error().what);
    } else if (!*text) {
      return text->error();
    }
  }
  add_manifest_facts(manifest ? *manifest : std::string{}, map);
  map.facts["signature"] = signature_facts(signature ? *signature : std::string{});
  return {};
}

Result<Change> without_signature(const ByteSource& image, const Archive& archive) {
  const auto* entry = archive.named(kSignature);
  if (entry == nullptr) {
    return not_for("swu", "the image has no signature");
  }
  const auto end = std::min(entry->end, image.size());
  return Change{{Edit{entry->begin, end - entry->begin, nullptr}}, "the entry sw-description.sig is taken out"};
}

Result<std::string> signed_again(const MutationSpec& spec, const Materials& materials, const std::string& manifest,
                                 const std::string& genuine) {
  const auto cms = read_cms(genuine);
  const auto* like = cms ? signer_of(cms.get()) : nullptr;
  const auto bits = genuine.size() * 8;
  const auto kind = like != nullptr ? signer_kind(X509_get0_pubkey(like))
                    : cms           ? "rsa-2048"
                    : bits > 3072   ? "rsa-4096"
                    : bits > 2048   ? "rsa-3072"
                                    : "rsa-2048";
  const auto signer = signer_for(spec, materials, kind, like);
  if (!signer) {
    return signer.error();
  }
  return cms ? cms_sign(text_source(manifest), **signer, false)
             : plain_sign(MemorySource{manifest}, (*signer)->key(), Plain::rsa_pkcs1);
}

Result<Change> resigned(const MutationSpec& spec, const Materials& materials, const ByteSource& image,
                        const Archive& archive) {
  const auto* entry = archive.named(kSignature);
  if (entry == nullptr) {
    return not_for("swu", "the image has no signature");
  }
  const auto manifest = text_of(image, archive, kManifest);
  const auto genuine = text_of(image, archive, kSignature);
  if (!manifest || !genuine) {
    return manifest ? genuine.error() : manifest.error();
  }
  auto signature = signed_again(spec, materials, *manifest, *genuine);
  if (!signature) {
    return signature.error();
  }
  auto edits = replace_content(cpio_kind(), image, *entry, text_source(std::move(*signature)));
  return edits ? Result<Change>{Change{std::move(*edits), "sw-description is signed " + signed_words(spec)}}
               : Result<Change>{edits.error()};
}

Result<Change> other_version(const MutationSpec& spec, const ByteSource& image, const Archive& archive) {
  const auto manifest = text_of(image, archive, kManifest);
  const auto place = quoted_value(manifest ? *manifest : std::string{}, "version");
  const auto* entry = archive.named(kManifest);
  if (!place || entry == nullptr) {
    return not_for("swu", "sw-description names no version");
  }
  auto text = *manifest;
  text.replace(place->at, place->length, spec.version);
  auto edits = replace_content(cpio_kind(), image, *entry, text_source(std::move(text)));
  return edits ? Result<Change>{Change{std::move(*edits), "sw-description says version " + spec.version}}
               : Result<Change>{edits.error()};
}

Result<Change> change_swu(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto archive = cpio_kind().read(*genuine.image);
  if (!archive) {
    return archive.error();
  }
  switch (spec.kind) {
    case MutationKind::remove_signature:
      return without_signature(*genuine.image, *archive);
    case MutationKind::resign:
      return resigned(spec, materials, *genuine.image, *archive);
    case MutationKind::lie_version:
      return other_version(spec, *genuine.image, *archive);
    default: {
      const auto* payload = payload_of(*archive);
      return payload == nullptr ? Result<Change>{not_for("swu", "the image installs nothing")}
                                : change_archive(cpio_kind(), spec, materials, genuine.image, *archive, *payload);
    }
  }
}

/// The digests of changed entries within sw-description, then the sums of the archive.
Result<std::vector<Edit>> repair_swu(const Opened& genuine, const Source& edited) {
  const auto before = cpio_kind().read(*genuine.image);
  const auto after = cpio_kind().read(*edited);
  if (!before || !after) {
    return before ? after.error() : before.error();
  }
  const auto manifest = text_of(*edited, *after, kManifest);
  const auto* manifest_entry = after->named(kManifest);
  if (!manifest || manifest_entry == nullptr) {
    return not_for("swu", "the changed image has no sw-description that could be made right");
  }
  std::vector<Edit> edits;
  for (const auto& entry : after->entries) {
    const auto* old_entry = before->named(entry.name);
    if (role_of(entry.name) != RegionKind::payload || old_entry == nullptr) {
      continue;
    }
    const auto was = digest_of(*genuine.image, old_entry->content, old_entry->length);
    const auto is = digest_of(*edited, entry.content, entry.length);
    if (!was || !is) {
      return was ? is.error() : was.error();
    }
    const auto found = replace_all(*manifest, manifest_entry->content, *was, *is);
    edits.insert(edits.end(), found.begin(), found.end());
  }
  const auto repaired = EditedSource::make(edited, edits);
  auto sums = repaired ? repaired_checksums(cpio_kind(), **repaired) : Result<std::vector<Edit>>{repaired.error()};
  if (!sums) {
    return sums.error();
  }
  edits.insert(edits.end(), sums->begin(), sums->end());
  return edits;
}

Result<Verified> verify_swu(const Source& image, const ImageMap&, const Trusted& trusted) {
  const auto archive = cpio_kind().read(*image);
  if (!archive) {
    return archive.error();
  }
  const auto manifest = text_of(*image, *archive, kManifest);
  const auto signature = text_of(*image, *archive, kSignature);
  if (!manifest || !signature) {
    return manifest ? signature.error() : manifest.error();
  }
  if (signature->empty()) {
    return not_for("swu", "the image has no signature");
  }
  Verified out = verified_text(*manifest, *signature, trusted);
  for (const auto& entry : archive->entries) {
    if (role_of(entry.name) != RegionKind::payload) {
      continue;
    }
    const auto digest = digest_of(*image, entry.content, entry.length);
    if (!digest) {
      return digest.error();
    }
    if (manifest->find(*digest) == manifest->npos) {
      out.uncovered.push_back(wire::printable(entry.name, 128));
    }
  }
  return out;
}

}  // namespace

const Format kSwu{"swu", recognises, map_swu, change_swu, repair_swu, verify_swu};

}  // namespace assay::images
