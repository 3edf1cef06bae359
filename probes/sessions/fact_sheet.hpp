#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "harness/probe/probe.hpp"

namespace assay::sessions {

/// The Recorder of one observation with a memory of what is settled, so that a probe can end on any path and still
/// account for every fact it declares.
class FactSheet {
 public:
  FactSheet(Recorder& record, std::span<const FactSpec> facts) : record_(record), facts_(facts) {}

  void fact(std::string_view key, json::value value);
  void absent(std::string_view key);
  void unobserved(std::string_view key, std::string reason);

  /// A text that is absent when empty.
  void text(std::string_view key, std::string_view value);

  bool settled(std::string_view key) const { return settled_.contains(key); }

  void rest_absent();
  void rest_unobserved(const std::string& reason);

  /// Ties an artifact to every fact that has a value and begins with the prefix.
  void evidence_for_values(std::string_view prefix, std::string_view sha256);

  Recorder& recorder() { return record_; }

 private:
  Recorder& record_;
  std::span<const FactSpec> facts_;
  std::set<std::string, std::less<>> settled_;
  std::set<std::string, std::less<>> valued_;
};

}  // namespace assay::sessions
