#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// CBOR (RFC 8949) as far as places: definite lengths only, as the formats that are signed demand it. Why it is our
/// own: docs/decisions/0008-own-reader-for-cbor.md.
namespace assay::images {

struct CborItem {
  enum class Kind : std::uint8_t { unsigned_integer, negative, bytes, text, array, map, tag, simple };

  Kind kind = Kind::simple;
  std::uint64_t value = 0;      // the number, the length, the count; of a negative number, -1 minus it
  std::size_t begin = 0;        // of the head
  std::size_t content = 0;      // behind the head
  std::size_t end = 0;          // behind all that belongs to it
  std::vector<CborItem> items;  // of arrays; of maps key and value in turn; of a tag the one it stands before

  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }

  /// Of bytes and text.
  std::string_view content_of(std::string_view text) const { return text.substr(content, end - content); }

  std::optional<std::int64_t> number() const;

  /// The value below an integer key of a map.
  const CborItem* at(std::int64_t key) const;
};

/// The item that begins at `at`. Nothing when it is broken, has no definite length, is deeper than 16 or has more than
/// 4096 items; `budget` counts them over several calls.
std::optional<CborItem> read_cbor(std::string_view text, std::size_t at, std::size_t& budget);
std::optional<CborItem> read_cbor(std::string_view text, std::size_t at = 0);

/// The shortest head for a kind and a value.
std::string cbor_head(CborItem::Kind kind, std::uint64_t value);
std::string cbor_bytes(std::string_view content);

}  // namespace assay::images
