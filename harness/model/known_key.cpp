#include "harness/model/known_key.hpp"

#include <utility>

namespace assay {

namespace {

std::string name_of(std::string_view form, std::string_view digest) {
  return std::string{form} + ":" + std::string{digest};
}

}  // namespace

void KnownKeys::add(std::string_view form, const std::vector<std::string>& digests, KnownKey key) {
  for (const auto& digest : digests) {
    by_digest_.emplace(name_of(form, digest), keys_.size());
    lengths_.insert(digest.size());
  }
  keys_.push_back(std::move(key));
}

const KnownKey* KnownKeys::find(std::string_view form, std::string_view digest) const {
  for (const auto length : lengths_) {
    if (length > digest.size()) {
      break;
    }
    const auto found = by_digest_.find(name_of(form, digest.substr(0, length)));
    if (found != by_digest_.end()) {
      return &keys_[found->second];
    }
  }
  return nullptr;
}

}  // namespace assay
