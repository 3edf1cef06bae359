#include "probes/images/suit_envelope.hpp"

#include <algorithm>

#include "probes/images/suit.hpp"

namespace assay::images {

namespace {

using Kind = CborItem::Kind;

// An envelope is read whole: those of small devices are small, those of others have their payload elsewhere, and what
// lies behind an envelope may be of any size.
constexpr std::uint64_t kMaximumEnvelope = std::uint64_t{8} << 20U;
constexpr std::uint64_t kEnvelopeTag = 107;
constexpr std::int64_t kAuthentication = 2;
constexpr std::int64_t kCommon = 3;
constexpr std::int64_t kSharedSequence = 4;
constexpr std::int64_t kSetParameters = 19;
constexpr std::int64_t kOverrideParameters = 20;
constexpr std::int64_t kUri = 21;
constexpr std::int64_t kTryEach = 15;
constexpr std::int64_t kRunSequence = 32;
constexpr int kDeepest = 4;  // command sequences within each other
constexpr std::size_t kMostAddresses = 64;

/// A part that is encoded in bytes: its item, with places in the content of those bytes.
std::optional<CborItem> inner(std::string_view text, const CborItem& holder) {
  return holder.kind == Kind::bytes ? read_cbor(holder.content_of(text)) : std::nullopt;
}

std::optional<SuitSignature> read_signature(std::string_view text, const CborItem& holder) {
  auto item = inner(text, holder);
  const auto message = holder.content_of(text);
  if (item && item->kind == Kind::tag && item->value == kSign1Tag) {
    auto untagged = item->items.front();
    item = std::move(untagged);
  }
  if (!item || item->kind != Kind::array || item->items.size() != 4 || item->items[0].kind != Kind::bytes ||
      item->items[3].kind != Kind::bytes) {
    return std::nullopt;
  }
  SuitSignature out{holder.begin,
                    holder.end,
                    holder.content + item->items[3].content,
                    std::string{item->items[0].content_of(message)},
                    std::string{item->items[1].of(message)},
                    std::string{item->items[3].content_of(message)},
                    0};
  const auto header = read_cbor(out.protected_header);
  const auto* algorithm = header ? header->at(1) : nullptr;
  out.algorithm = algorithm == nullptr ? 0 : algorithm->number().value_or(0);
  return out;
}

void read_authentication(SuitEnvelope& out) {
  const auto wrapper = inner(out.text, out.authentication);
  if (!wrapper || wrapper->kind != Kind::array || wrapper->items.empty()) {
    return;
  }
  const auto content = out.authentication.content_of(out.text);
  const auto moved = [&](CborItem item) {
    item.begin += out.authentication.content;
    item.content += out.authentication.content;
    item.end += out.authentication.content;
    return item;
  };
  const auto digest = moved(wrapper->items[0]);
  out.digest = std::string{wrapper->items[0].content_of(content)};
  out.digest_at = digest.content;
  for (std::size_t i = 1; i < wrapper->items.size(); ++i) {
    if (auto signature = read_signature(out.text, moved(wrapper->items[i]))) {
      out.signatures.push_back(std::move(*signature));
    }
  }
}

void collect_addresses(std::string_view text, const CborItem& sequence, int depth, std::vector<std::string>& into);

/// A sequence that is held in bytes, or several of them in an array.
void collect_nested(std::string_view text, const CborItem& item, int depth, std::vector<std::string>& into) {
  if (depth > kDeepest) {
    return;
  }
  if (item.kind == Kind::bytes) {
    if (const auto sequence = inner(text, item)) {
      collect_addresses(item.content_of(text), *sequence, depth, into);
    }
  } else if (item.kind == Kind::array) {
    for (const auto& one : item.items) {
      collect_nested(text, one, depth + 1, into);
    }
  }
}

void collect_addresses(std::string_view text, const CborItem& sequence, int depth, std::vector<std::string>& into) {
  for (std::size_t i = 0; sequence.kind == Kind::array && i + 1 < sequence.items.size(); i += 2) {
    const auto command = sequence.items[i].number();
    const auto& value = sequence.items[i + 1];
    if (command == kTryEach || command == kRunSequence) {
      collect_nested(text, value, depth + 1, into);
    }
    const auto* uri = command == kOverrideParameters || command == kSetParameters ? value.at(kUri) : nullptr;
    if (uri != nullptr && uri->kind == Kind::text && into.size() < kMostAddresses) {
      const auto address = uri->content_of(text);
      if (!address.empty() && !address.starts_with('#')) {
        into.emplace_back(address);
      }
    }
  }
}

}  // namespace

Result<std::optional<SuitEnvelope>> read_envelope(const ByteSource& image) {
  auto text = read_text(image, 0, std::min(image.size(), kMaximumEnvelope), kMaximumEnvelope);
  if (!text) {
    return text.error();
  }
  auto item = read_cbor(*text);
  if (item && item->kind == Kind::tag && item->value == kEnvelopeTag) {
    auto untagged = item->items.front();
    item = std::move(untagged);
  }
  const auto* authentication = item ? item->at(kAuthentication) : nullptr;
  const auto* manifest = item ? item->at(kSuitManifest) : nullptr;
  if (authentication == nullptr || manifest == nullptr || manifest->kind != Kind::bytes ||
      authentication->kind != Kind::bytes) {
    return std::optional<SuitEnvelope>{};
  }
  SuitEnvelope out;
  out.text = std::move(*text);
  out.authentication = *authentication;
  out.manifest = *manifest;
  out.map = std::move(*item);
  read_authentication(out);
  out.body = inner(out.text, out.manifest);
  const auto content = out.manifest.content_of(out.text);
  const auto* common = out.body ? out.body->at(kCommon) : nullptr;
  std::optional<CborItem> inside;
  if (common != nullptr) {
    inside = inner(content, *common);
  }
  const auto* shared = inside ? inside->at(kSharedSequence) : nullptr;
  if (shared != nullptr && shared->kind == Kind::bytes) {
    out.sequence = std::string{shared->content_of(common->content_of(content))};
  }
  return std::optional{std::move(out)};
}

std::vector<CborItem> suit_parameters(std::string_view sequence, std::int64_t key) {
  std::vector<CborItem> out;
  const auto commands = read_cbor(sequence);
  for (std::size_t i = 0; commands && commands->kind == Kind::array && i + 1 < commands->items.size(); i += 2) {
    const auto command = commands->items[i].number();
    const auto* value =
        command == kOverrideParameters || command == kSetParameters ? commands->items[i + 1].at(key) : nullptr;
    if (value != nullptr) {
      out.push_back(*value);
    }
  }
  return out;
}

std::optional<std::uint64_t> suit_end(const ByteSource& image) {
  const auto read = read_envelope(image);
  return read && *read ? std::optional<std::uint64_t>{(*read)->map.end} : std::nullopt;
}

std::vector<std::string> suit_addresses(const ByteSource& image) {
  std::vector<std::string> out;
  const auto read = read_envelope(image);
  if (!read || !*read || !(*read)->body) {
    return out;
  }
  const auto& envelope = **read;
  const auto manifest = envelope.manifest.content_of(envelope.text);
  if (const auto shared = read_cbor(envelope.sequence)) {
    collect_addresses(envelope.sequence, *shared, 0, out);
  }
  for (std::size_t i = 1; i < envelope.body->items.size(); i += 2) {
    if (envelope.body->items[i - 1].number() != kCommon) {
      collect_nested(manifest, envelope.body->items[i], 0, out);
    }
  }
  for (std::size_t i = 1; i < envelope.map.items.size(); i += 2) {
    if (envelope.map.items[i - 1].number() > kSuitManifest) {
      collect_nested(envelope.text, envelope.map.items[i], 0, out);
    }
  }
  return out;
}

}  // namespace assay::images
