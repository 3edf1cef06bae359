#include <algorithm>

#include "harness/load/check.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"

/// known-keys/1.
namespace assay {

namespace {

bool is_digest(std::string_view text) {
  return text.size() >= KnownKeys::kLeastDigits && text.size() <= KnownKeys::kMostDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

void add_known_keys(const Node& root, KnownKeys& out, Faults& faults) {
  for (const auto& node : child(root, "keys").items) {
    std::vector<std::string> digests;
    for (const auto& digest : child(node, "digests").items) {
      if (!is_digest(digest.text)) {
        faults.add(digest.place, "a digest is 16 to 64 digits of lower-case hexadecimal without spaces");
      }
      digests.push_back(digest.text);
    }
    out.add(text_of(node, "form"), digests,
            {text_of(node, "where"), text_of(node, "source"), text_of(node, "confidence"), text_of(node, "kind", "")});
  }
}

Loaded<KnownKeys> load_known_key_list(const SourceText& source) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (!root || !check_file(*root, "known-keys/1", faults)) {
    return {std::nullopt, faults.errors()};
  }
  KnownKeys keys;
  add_known_keys(*root, keys, faults);
  if (!faults.empty()) {
    return {std::nullopt, faults.errors()};
  }
  return {std::move(keys), {}};
}

}  // namespace assay
