#include "probes/images/suit.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "probes/images/scan.hpp"
#include "probes/images/signature.hpp"
#include "probes/images/suit_envelope.hpp"
#include "probes/images/verify.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::images {

namespace {

using Kind = CborItem::Kind;

constexpr std::int64_t kManifestSequence = 2;
constexpr std::int64_t kVendor = 1;
constexpr std::int64_t kClass = 2;
constexpr std::int64_t kImageSize = 14;

bool recognises(std::string_view head, const ByteSource& image) {
  const bool tagged = head.starts_with("\xd8\x6b");
  const bool map = !head.empty() && (static_cast<unsigned char>(head[0]) & 0xE0U) == 0xA0;
  if (!tagged && !map) {
    return false;
  }
  const auto envelope = read_envelope(image);
  return envelope && *envelope;
}

std::string_view algorithm_name(std::int64_t algorithm) {
  return algorithm == -7    ? "ES256"
         : algorithm == -35 ? "ES384"
         : algorithm == -8  ? "EdDSA"
         : algorithm == 5   ? "HMAC 256/256"
                            : "other";
}

void add_facts(const SuitEnvelope& envelope, ImageMap& map) {
  const auto* sequence = envelope.body ? envelope.body->at(kManifestSequence) : nullptr;
  if (sequence != nullptr && sequence->kind == Kind::unsigned_integer) {
    map.facts["sequence_number"] = sequence->value;
  }
  json::array compatible;
  for (const auto key : {kVendor, kClass}) {
    for (const auto& value : suit_parameters(envelope.sequence, key)) {
      if (value.kind == Kind::bytes && compatible.size() < 64) {
        compatible.push_back(
            shown((key == kVendor ? "vendor " : "class ") + wire::hex(value.content_of(envelope.sequence))));
      }
    }
  }
  map.facts["compatible"] = std::move(compatible);
  for (const auto& value : suit_parameters(envelope.sequence, kImageSize)) {
    map.facts["size_said"] = value.value;
  }
  const auto digest = read_cbor(envelope.digest);
  if (digest && digest->kind == Kind::array && !digest->items.empty()) {
    map.facts["digests"] = json::array{json::string{digest->items[0].number() == -16 ? "sha256" : "other"}};
  }
  json::object signature{{"present", !envelope.signatures.empty()}};
  if (!envelope.signatures.empty()) {
    signature["scheme"] = "cose_sign1";
    signature["algorithm"] = json::string{algorithm_name(envelope.signatures.front().algorithm)};
    const auto algorithm = envelope.signatures.front().algorithm;
    signature["key"] = algorithm == -8 ? "ed25519" : algorithm == 5 ? "shared" : "ec";
    signature["key_bits"] = algorithm == -35 ? 384 : 256;
  }
  map.facts["signature"] = std::move(signature);
}

/// The SHA-256 of what lies behind the envelope; empty when nothing does.
std::string digest_behind(const SuitEnvelope& envelope, const ByteSource& image) {
  const auto begin = envelope.map.end;
  const auto digest =
      begin < image.size() ? digest_of(image, begin, image.size() - begin) : Result<std::string>{std::string{}};
  return digest ? from_hex(*digest) : std::string{};
}

/// Whether what lies behind the envelope is a payload of it.
bool owns_rest(const SuitEnvelope& envelope, const ByteSource& image) {
  const auto digest = digest_behind(envelope, image);
  return !digest.empty() && envelope.manifest.content_of(envelope.text).find(digest) != std::string_view::npos;
}

Result<> map_suit(const ByteSource& image, ImageMap& map) {
  const auto read = read_envelope(image);
  if (!read || !*read) {
    return read ? Result<>{} : Result<>{read.error()};
  }
  const auto& envelope = **read;
  const auto& items = envelope.map.items;
  add_region(map, image, "envelope", RegionKind::header, 0, envelope.authentication.begin);
  std::size_t header = envelope.authentication.content;
  for (const auto& signature : envelope.signatures) {
    add_region(map, image, "digest and COSE header", RegionKind::header, header, signature.value - header);
    add_region(map, image, "signature", RegionKind::signature, signature.value, signature.bytes.size());
    header = signature.value + signature.bytes.size();
  }
  add_region(map, image, "digest", RegionKind::header, header, envelope.authentication.end - header);
  add_region(map, image, "manifest", RegionKind::manifest, envelope.manifest.content,
             envelope.manifest.end - envelope.manifest.content);
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind == Kind::text && items[i + 1].kind == Kind::bytes) {
      add_region(map, image, items[i].content_of(envelope.text), RegionKind::payload, items[i + 1].content,
                 items[i + 1].end - items[i + 1].content);
    } else if (items[i].number() > kSuitManifest) {
      add_region(map, image, fmt::format("severed part {}", items[i].value), RegionKind::manifest, items[i + 1].content,
                 items[i + 1].end - items[i + 1].content);
    }
  }
  const bool payload = owns_rest(envelope, image);
  add_region(map, image, payload ? "payload beside the envelope" : "behind the envelope",
             payload ? RegionKind::payload : RegionKind::trailer, envelope.map.end, image.size() - envelope.map.end);
  if (!envelope.body) {
    map.doubts.emplace_back("the manifest is no CBOR");
  }
  add_facts(envelope, map);
  return {};
}

/// What is signed (RFC 9052 section 4.4), with the digest as content that is not within the message.
std::string signed_text(const SuitSignature& signature, const std::string& digest) {
  return cbor_head(Kind::array, 4) + cbor_head(Kind::text, 10) + "Signature1" + cbor_bytes(signature.protected_header) +
         cbor_bytes({}) + cbor_bytes(digest);
}

std::optional<Plain> plain_of(std::int64_t algorithm) {
  return algorithm == -7 || algorithm == -35 ? std::optional{Plain::ecdsa_raw}
         : algorithm == -8                   ? std::optional{Plain::eddsa}
                                             : std::nullopt;
}

std::string digest_of_algorithm(std::int64_t algorithm) {
  return algorithm == -35 ? "SHA384" : "SHA256";
}

/// Another wrapper in the place of the genuine one: the digest, and these encoded COSE messages.
Edit other_wrapper(const SuitEnvelope& envelope, const std::vector<std::string>& messages) {
  auto text = cbor_head(Kind::array, 1 + messages.size()) + cbor_bytes(envelope.digest);
  for (const auto& message : messages) {
    text += cbor_bytes(message);
  }
  return edit_text(envelope.authentication.begin, envelope.authentication.end - envelope.authentication.begin,
                   cbor_bytes(text));
}

Result<Change> resigned(const MutationSpec& spec, const Materials& materials, const SuitEnvelope& envelope) {
  if (envelope.signatures.empty() || !plain_of(envelope.signatures.front().algorithm)) {
    return not_for("suit", "the envelope has no signature of a kind that could be made anew");
  }
  const auto& genuine = envelope.signatures.front();
  const auto kind = genuine.algorithm == -8 ? "ed25519" : genuine.algorithm == -35 ? "ec-p384" : "ec-p256";
  const auto signer = signer_for(spec, materials, kind, nullptr);
  if (!signer) {
    return signer.error();
  }
  const auto signature = plain_sign(MemorySource{signed_text(genuine, envelope.digest)}, (*signer)->key(),
                                    *plain_of(genuine.algorithm), digest_of_algorithm(genuine.algorithm));
  if (!signature) {
    return signature.error();
  }
  const auto message = cbor_head(Kind::tag, kSign1Tag) + cbor_head(Kind::array, 4) +
                       cbor_bytes(genuine.protected_header) + genuine.unprotected + "\xf6" + cbor_bytes(*signature);
  return Change{{other_wrapper(envelope, {message})}, "the manifest's digest is signed " + signed_words(spec)};
}

/// The sequence number is the version: the number given, or far ahead of the genuine one.
Result<Change> other_version(const MutationSpec& spec, const SuitEnvelope& envelope) {
  const auto* sequence = envelope.body ? envelope.body->at(kManifestSequence) : nullptr;
  if (sequence == nullptr || sequence->kind != Kind::unsigned_integer) {
    return not_for("suit", "the manifest has no sequence number");
  }
  std::uint64_t said = 0;
  const auto* end = spec.version.data() + spec.version.size();
  const auto [stop, failed] = std::from_chars(spec.version.data(), end, said);
  if (failed != std::errc{} || stop != end) {
    said = sequence->value + 1000;
  }
  std::string manifest{envelope.manifest.content_of(envelope.text)};
  manifest.replace(sequence->begin, sequence->end - sequence->begin, cbor_head(Kind::unsigned_integer, said));
  return Change{
      {edit_text(envelope.manifest.begin, envelope.manifest.end - envelope.manifest.begin, cbor_bytes(manifest))},
      fmt::format("the manifest's sequence number is {} instead of {}", said, sequence->value)};
}

Result<Change> other_size(const MutationSpec& spec, const SuitEnvelope& envelope) {
  const auto sizes = suit_parameters(envelope.sequence, kImageSize);
  const auto* size = sizes.empty() ? nullptr : &sizes.back();
  const auto at = envelope.sequence.empty() ? std::string::npos : envelope.text.find(envelope.sequence);
  if (size == nullptr || size->kind != Kind::unsigned_integer || at == std::string::npos) {
    return not_for("suit", "the manifest says no size");
  }
  const auto said = cbor_head(Kind::unsigned_integer, size->value * static_cast<std::uint64_t>(spec.factor));
  if (said.size() != size->end - size->begin) {
    return not_for("suit", "the size is written in so few bytes that it cannot be made larger in its place");
  }
  return Change{{edit_text(at + size->begin, said.size(), said)},
                fmt::format("the manifest says {} bytes instead of {}",
                            size->value * static_cast<std::uint64_t>(spec.factor), size->value)};
}

Result<Change> change_suit(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto read = read_envelope(*genuine.image);
  if (!read || !*read) {
    return read ? not_for("suit", "the image is no envelope") : read.error();
  }
  const auto& envelope = **read;
  switch (spec.kind) {
    case MutationKind::remove_signature:
      return envelope.signatures.empty() ? Result<Change>{not_for("suit", "the envelope has no signature")}
                                         : Result<Change>{Change{{other_wrapper(envelope, {})},
                                                                 "the signatures are taken out, the digest is left"}};
    case MutationKind::resign:
      return resigned(spec, materials, envelope);
    case MutationKind::lie_version:
      return other_version(spec, envelope);
    case MutationKind::lie_size:
      return other_size(spec, envelope);
    default:
      return not_for("suit", "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
  }
}

/// The digest that the envelope says of the manifest, over its bytes with or without their head: as the genuine one has
/// it.
std::string said_digest(const SuitEnvelope& envelope) {
  const auto digest = read_cbor(envelope.digest);
  return digest && digest->kind == Kind::array && digest->items.size() == 2 && digest->items[0].number() == -16
             ? std::string{digest->items[1].content_of(envelope.digest)}
             : std::string{};
}

std::string digest_of_text(std::string_view text) {
  const auto digest = sha256_of(MemorySource{std::string{text}});
  return digest ? from_hex(*digest) : std::string{};
}

bool digests_head(const SuitEnvelope& envelope) {
  return said_digest(envelope) != digest_of_text(envelope.manifest.content_of(envelope.text));
}

std::string manifest_digest(const SuitEnvelope& envelope, bool with_head) {
  return digest_of_text(with_head ? envelope.manifest.of(envelope.text) : envelope.manifest.content_of(envelope.text));
}

/// The payloads' digests in the manifest, and the manifest's digest.
Result<std::vector<Edit>> repair_suit(const Opened& genuine, const Source& edited) {
  const auto before = read_envelope(*genuine.image);
  auto after = read_envelope(*edited);
  if (!before || !after) {
    return before ? after.error() : before.error();
  }
  if (!*before || !*after || said_digest(**before).empty() || said_digest(**after).empty()) {
    return not_for("suit", "the changed image is no envelope with a SHA-256 any more");
  }
  std::vector<Edit> edits;
  const auto old_items = (*before)->map.items;
  const auto new_items = (*after)->map.items;
  auto text = (*after)->text;
  const auto instead = [&](const std::string& was, const std::string& is) {
    for (auto& edit : replace_all((*after)->manifest.content_of(text), (*after)->manifest.content, was, is)) {
      text.replace(static_cast<std::size_t>(edit.offset), is.size(), is);
      edits.push_back(std::move(edit));
    }
  };
  for (std::size_t i = 1; i < std::min(old_items.size(), new_items.size()); i += 2) {
    if (new_items[i - 1].kind != Kind::text) {
      continue;
    }
    instead(digest_of_text(old_items[i].content_of((*before)->text)),
            digest_of_text(new_items[i].content_of((*after)->text)));
  }
  const auto was = digest_behind(**before, *genuine.image);
  const auto is = digest_behind(**after, *edited);
  if (!was.empty() && !is.empty()) {
    instead(was, is);
  }
  (*after)->text = text;
  const auto right = manifest_digest(**after, digests_head(**before));
  const auto at = (*after)->digest.find(said_digest(**after));
  if (said_digest(**after) != right && at != std::string::npos) {
    edits.push_back(edit_text((*after)->digest_at + at, right.size(), right));
  }
  return edits;
}

Result<Verified> verify_suit(const Source& image, const ImageMap&, const Trusted& trusted) {
  const auto read = read_envelope(*image);
  if (!read || !*read || (*read)->signatures.empty()) {
    return read ? not_for("suit", "the envelope has no signature") : read.error();
  }
  const auto& envelope = **read;
  Verified out;
  out.scheme = "cose_sign1";
  for (const auto& signature : envelope.signatures) {
    const auto how = plain_of(signature.algorithm);
    out.verified =
        out.verified || (how && plain_verifies(MemorySource{signed_text(signature, envelope.digest)}, signature.bytes,
                                               trusted.key.get(), *how, digest_of_algorithm(signature.algorithm)));
  }
  out.reason = out.verified ? "" : "no signature is of this key and over this digest";
  if (said_digest(envelope) != manifest_digest(envelope, digests_head(envelope))) {
    out.uncovered.emplace_back("manifest");
  }
  const auto manifest = envelope.manifest.content_of(envelope.text);
  for (std::size_t i = 1; i < envelope.map.items.size(); i += 2) {
    const auto& name = envelope.map.items[i - 1];
    if (name.kind == Kind::text &&
        manifest.find(digest_of_text(envelope.map.items[i].content_of(envelope.text))) == manifest.npos) {
      out.uncovered.push_back(wire::printable(name.content_of(envelope.text), 128));
    }
  }
  if (envelope.map.end < image->size() && !owns_rest(envelope, *image)) {
    out.uncovered.emplace_back("behind the envelope");
  }
  return out;
}

}  // namespace

const Format kSuit{"suit", recognises, map_suit, change_suit, repair_suit, verify_suit};

}  // namespace assay::images
