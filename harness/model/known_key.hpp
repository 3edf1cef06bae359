#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Public keys whose private half others hold too, from `testplans/dictionaries/` (docs/dut-format.md, known-keys/1).
namespace assay {

/// Where a key was seen by others.
struct KnownKey {
  std::string where;       // file or product
  std::string source;      // package, document
  std::string confidence;  // computed, reported
  std::string kind;        // "RSA 2048"; empty: not said

  bool operator==(const KnownKey&) const = default;
};

/// Looks keys up by digests, which may be cut short: lists of thousands of keys are kept that way.
class KnownKeys {
 public:
  static constexpr std::size_t kLeastDigits = 16;  // 64 bits: no two keys agree in them by accident
  static constexpr std::size_t kMostDigits = 64;

  /// `form` says what was hashed: "spki" or "ssh". Digests are the first digits, at least kLeastDigits, of a SHA-256 in
  /// lower-case hex. Of equal digests the first counts.
  void add(std::string_view form, const std::vector<std::string>& digests, KnownKey key);

  /// The entry of a whole digest, or null. Valid as long as nothing is added.
  const KnownKey* find(std::string_view form, std::string_view digest) const;

  std::size_t size() const { return keys_.size(); }

 private:
  std::vector<KnownKey> keys_;
  std::unordered_map<std::string, std::size_t> by_digest_;  // "spki:…" -> index
  std::set<std::size_t> lengths_;
};

}  // namespace assay
