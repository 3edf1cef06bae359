#include "probes/images/cbor.hpp"

#include <limits>

#include "probes/images/scan.hpp"

namespace assay::images {

namespace {

constexpr std::size_t kMaximumItems = 4096;
constexpr int kMaximumDepth = 16;

/// The head: kind and value; false when it is broken or has no definite length.
bool read_head(std::string_view text, CborItem& out) {
  if (out.begin >= text.size()) {
    return false;
  }
  const auto first = static_cast<unsigned char>(text[out.begin]);
  out.kind = static_cast<CborItem::Kind>(first >> 5U);
  const unsigned int low = first & 31U;
  const std::size_t more = low < 24 ? 0 : low < 28 ? std::size_t{1} << (low - 24) : 99;
  if (more == 99 || more > text.size() - out.begin - 1) {
    return false;
  }
  out.value = low;
  if (more > 0) {
    out.value = 0;
    for (const char c : text.substr(out.begin + 1, more)) {
      out.value = out.value << 8U | static_cast<unsigned char>(c);
    }
  }
  out.content = out.begin + 1 + more;
  return true;
}

std::optional<CborItem> read(std::string_view text, std::size_t at, std::size_t& budget, int depth) {
  CborItem out;
  out.begin = at;
  if (budget == 0 || depth > kMaximumDepth || !read_head(text, out)) {
    return std::nullopt;
  }
  --budget;
  out.end = out.content;
  switch (out.kind) {
    case CborItem::Kind::bytes:
    case CborItem::Kind::text:
      if (out.value > text.size() - out.content) {
        return std::nullopt;
      }
      out.end = out.content + static_cast<std::size_t>(out.value);
      return out;
    case CborItem::Kind::array:
    case CborItem::Kind::map:
    case CborItem::Kind::tag:
      break;
    default:
      return out;
  }
  if (out.value > kMaximumItems && out.kind != CborItem::Kind::tag) {
    return std::nullopt;
  }
  const auto count = out.kind == CborItem::Kind::tag ? 1 : out.value * (out.kind == CborItem::Kind::map ? 2 : 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto item = read(text, out.end, budget, depth + 1);
    if (!item) {
      return std::nullopt;
    }
    out.end = item->end;
    out.items.push_back(std::move(*item));
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> CborItem::number() const {
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  const auto signed_value = static_cast<std::int64_t>(value);
  return kind == Kind::unsigned_integer ? std::optional{signed_value}
         : kind == Kind::negative       ? std::optional{-1 - signed_value}
                                        : std::nullopt;
}

const CborItem* CborItem::at(std::int64_t key) const {
  for (std::size_t i = 0; kind == Kind::map && i + 1 < items.size(); i += 2) {
    if (items[i].number() == key) {
      return &items[i + 1];
    }
  }
  return nullptr;
}

std::optional<CborItem> read_cbor(std::string_view text, std::size_t at, std::size_t& budget) {
  return read(text, at, budget, 0);
}

std::optional<CborItem> read_cbor(std::string_view text, std::size_t at) {
  std::size_t budget = kMaximumItems;
  return read(text, at, budget, 0);
}

std::string cbor_head(CborItem::Kind kind, std::uint64_t value) {
  const auto high = static_cast<unsigned int>(kind) << 5U;
  if (value < 24) {
    return {static_cast<char>(high | value)};
  }
  const unsigned int width = value <= 0xFF ? 0 : value <= 0xFFFF ? 1 : value <= 0xFFFFFFFF ? 2 : 3;
  return std::string{static_cast<char>(high | (24 + width))} + big_bytes(value, std::size_t{1} << width);
}

std::string cbor_bytes(std::string_view content) {
  return cbor_head(CborItem::Kind::bytes, content.size()) + std::string{content};
}

}  // namespace assay::images
