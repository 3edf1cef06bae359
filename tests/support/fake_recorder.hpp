#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/probe/probe.hpp"

namespace assay::fake {

/// Keeps what a probe records, with the rules of the real recorder: declared keys, right kinds, everything settled.
class FakeRecorder final : public Recorder {
 public:
  struct Kept {
    std::string title;
    std::string media_type;
    std::string bytes;
  };

  json::object facts;
  std::vector<std::string> absents;
  std::map<std::string, std::string> reasons;
  std::map<std::string, std::vector<std::string>> evidences;
  json::object coverages;
  std::vector<Kept> artifacts;
  std::map<std::string, std::string> concealed;           // text -> name
  std::map<std::string, std::string> concealed_in_bytes;  // the same, in bytes alone
  std::vector<std::string> entrusted;                     // passwords, in the order in which they were handed over
  std::string held;                                       // the one that was settled last
  std::string fault;                                      // first broken rule, empty when all were kept

  void fact(std::string_view key, json::value value) override;
  void absent(std::string_view key) override;
  void unobserved(std::string_view key, std::string reason) override;
  std::string artifact(std::string_view title, std::string_view media_type, std::string_view bytes) override;
  std::string transcript(std::string_view title, const Transcript& transcript) override;
  void identify(const Secret& secret, json::object& entry) override;
  void evidence(std::string_view key, std::string_view sha256) override;
  void coverage(std::string_view key, json::value value) override;
  void conceal(const Secret& secret) override;
  void conceal(std::string_view text, std::string_view name) override;
  void conceal_in_bytes(const Secret& secret) override;
  void conceal_in_bytes(std::string_view bytes, std::string_view name) override;
  void conceal_all(std::shared_ptr<const Concealment> list) override;
  Result<std::string> entrust(const std::string& username, const Secret& own, const Secret& wanted) override;
  Result<> settle(const std::string& username, const Secret& holds) override;

  /// Looks for undeclared keys, wrong kinds, facts settled in two ways, and open ones.
  void check(const ProbeInfo& probe);

  bool is_absent(std::string_view key) const;

  bool is_unobserved(std::string_view key) const { return reasons.contains(std::string{key}); }

  /// The fact, or null when it has no value.
  json::value value(std::string_view key) const;
  std::string text(std::string_view key) const;
};

}  // namespace assay::fake
