#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/model/observation.hpp"
#include "harness/model/probe_info.hpp"
#include "harness/probe/recorder.hpp"

namespace assay {

/// Stores bytes and says what came of it; empty digest when they could not be kept.
using KeepArtifact =
    std::function<Result<ArtifactRef>(std::string_view title, std::string_view media_type, std::string_view bytes)>;

/// Texts that must not be written, with what is written instead.
using Concealed = std::map<std::string, std::string>;

/// Adds a text with its base64 and URL-encoded forms. Texts too short to be told from anything else are left out.
void conceal_in(Concealed& concealed, std::string_view text, std::string_view name);

/// The Recorder of one invocation: fills its observation, checks keys and kinds against the probe's facts, masks what
/// the probe concealed, and bounds what a hostile device can make it keep.
class InvocationRecorder final : public Recorder {
 public:
  InvocationRecorder(const ProbeInfo& probe, Observation& observation, KeepArtifact keep);

  void fact(std::string_view key, json::value value) override;
  void absent(std::string_view key) override;
  void unobserved(std::string_view key, std::string reason) override;
  std::string artifact(std::string_view title, std::string_view media_type, std::string_view bytes) override;
  void evidence(std::string_view key, std::string_view sha256) override;
  void coverage(std::string_view key, json::value value) override;
  void conceal(const Secret& secret) override;
  void conceal(std::string_view text, std::string_view name) override;

  /// Ends the observation: whatever the probe left unsettled becomes unobserved with the reason of `ended`, or a
  /// harness fault when the probe said it had finished.
  void finish(const Result<>& ended);

  /// What the probe asked to be concealed.
  const Concealed& concealed() const { return concealed_; }

  /// With every concealed text written over.
  std::string masked(std::string text) const;
  json::value masked(json::value value) const;

 private:
  bool known(std::string_view key);
  void fault(std::string what);
  bool settled(const std::string& key) const;

  const ProbeInfo& probe_;
  Observation& observation_;
  KeepArtifact keep_;
  Concealed concealed_;
  std::string fault_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace assay
