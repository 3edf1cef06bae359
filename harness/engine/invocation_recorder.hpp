#pragma once

#include <memory>
#include <string>

#include "harness/engine/secret_handling.hpp"
#include "harness/model/concealment.hpp"
#include "harness/model/observation.hpp"
#include "harness/model/probe_info.hpp"
#include "harness/probe/recorder.hpp"

namespace assay {

/// The Recorder of one invocation: fills its observation, checks keys and kinds against the probe's facts, masks what
/// the probe concealed, and bounds what a hostile device can make it keep.
class InvocationRecorder final : public Recorder {
 public:
  InvocationRecorder(const ProbeInfo& probe, Observation& observation, Keeping keep);

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

  /// Ends the observation: whatever the probe left unsettled becomes unobserved with the reason of `ended`, or a
  /// harness fault when the probe said it had finished.
  void finish(const Result<>& ended);

  /// What the probe asked to be concealed in bytes; where secrets are revealed only what nobody may keep.
  Concealed concealed() const { return concealed_.all(); }

  /// What of it nobody may keep (kDeviceMemory).
  const Concealed& withheld() const { return withheld_; }

  /// With every concealed text written over.
  std::string masked(std::string text) const;
  json::value masked(json::value value) const;

 private:
  bool known(std::string_view key);
  std::string masked_bytes(std::string_view bytes) const;
  std::string store(const KeepArtifact& keep, std::string_view title, std::string_view media_type,
                    std::string_view bytes);
  std::string keep_both(std::string_view title, std::string_view media_type, const std::string& shown,
                        std::string_view bytes);
  void fault(std::string what);
  bool settled(const std::string& key) const;

  const ProbeInfo& probe_;
  Observation& observation_;
  Keeping keep_;
  Concealment concealed_;
  Concealed withheld_;
  std::string fault_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace assay
