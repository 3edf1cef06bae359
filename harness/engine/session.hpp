#pragma once

#include <map>
#include <string>

#include "harness/engine/run.hpp"
#include "harness/engine/run_capture.hpp"

namespace assay {

struct SessionOptions {
  CaptureOptions capture;
  std::function<void(const std::string& why)> no_capture;  // of a single probe; a run journals it
  bool allow_public = false;
  bool handle_signals = true;
  std::int64_t first_invocation = 1;           // see RunInputs
  std::map<std::string, std::int64_t> logins;  // spent attempts by "address endpoint account", when a run is resumed
  std::function<void(const RunProgress&)> progress;
  RecipeSurroundings surroundings;  // of recipes
  std::string device_state;         // see RunInputs
  SecretHandling secrets;
};

/// Whether every target of the plan may be contacted: `denied` names the first that is outside the scope, or public
/// without leave.
Result<> check_scope(const RunPlan& plan, bool allow_public);

/// Whether the places that the plan probes from are there: `bad_input` names the vantage and what is missing.
Result<> check_vantages(const RunPlan& plan);

/// One run on the real network: io_context, scope guard, governor and signals around `Run`. Blocks until it ends.
/// `denied` when a target is outside the scope or public without leave.
Result<RunOutcome> run_session(const RunPlan& plan, ProbeTable probes, const ProbeLibrary& library,
                               BundleWriter& bundle, std::vector<Observation> earlier, const SessionOptions& options);

/// One invocation outside a plan, for `assay probe`: no journal; artifacts are handed to `keep`.
struct SingleProbe {
  Invocation invocation;
  const Dut& dut;
  std::chrono::milliseconds deadline{60000};
  std::function<void(const ArtifactRef&, std::string_view bytes)> keep;
};

Result<Observation> probe_once(const SingleProbe& single, ProbeTable probes, const ProbeLibrary& library,
                               const SessionOptions& options);

}  // namespace assay
