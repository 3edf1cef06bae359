#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/cli/capture_options.hpp"
#include "harness/cli/context.hpp"
#include "harness/cli/secret_options.hpp"
#include "harness/evidence/bundle.hpp"
#include "harness/lab/recipes.hpp"
#include "harness/load/record.hpp"
#include "harness/model/crosswalk.hpp"
#include "harness/model/run_plan.hpp"
#include "harness/model/waivers.hpp"

namespace assay {

/// What a person can set for a run beside the files.
struct AssessOptions {
  std::string plan_id;
  std::string dut_file;
  std::string job_file;
  std::string waivers_file;
  std::string target;                                 // first hour: an address and no file
  std::vector<std::string> scope;                     // added to the DUT file's
  std::string pace;                                   // profile
  std::map<std::string, std::uint32_t> pace_numbers;  // single numbers over the profile
  std::vector<std::string> set;                       // "udp.ports=all": over a probe's defaults
  std::string allow = "intrusive";
  std::string state = "initialised";
  std::string netns;  // network namespace to probe from
  CaptureOptions capture;
  SecretOptions secrets;
  bool plan_only = false;  // nothing is kept, so secrets need no name
  bool allow_public = false;
  bool ask = false;               // a person is at the terminal
  std::vector<std::string> also;  // plans or schemes to judge the evidence by as well
};

/// Everything an assessment needs before the first packet: the checked plan, the device, the run plan and the exact
/// bytes of what was read.
struct Prepared {
  RunPlan run_plan;
  BundleInputs inputs;
  std::vector<WaiverEntry> waivers;
  std::filesystem::path dut_file;  // none: the first hour
  SecretHandling secrets;
  std::filesystem::path dut_folder;  // where the DUT file's recipes run
  ProbeData data;
  CrosswalkInputs also;  // without plans: none was asked for
};

/// Reads, checks and plans. All errors are printed; none comes back.
std::optional<Prepared> prepare(Context& context, const AssessOptions& options);

/// A finished or interrupted run on disk.
struct Assessed {
  std::filesystem::path folder;  // holds bundle/ and the reports
  Verdicts verdicts;
  std::vector<WaiverStatus> waivers;
  bool interrupted = false;
  bool device_lost = false;
};

/// What recipes need: the DUT file's folder, and whoever is at the terminal.
RecipeSurroundings surroundings_of(const std::filesystem::path& dut_folder);

/// Runs a prepared plan into `folder`/bundle, judges it, closes the bundle and writes the reports beside it.
std::optional<Assessed> assess(Context& context, const Prepared& prepared, const std::filesystem::path& folder,
                               bool allow_public, const CaptureOptions& capture = {});

/// What a person can set when an interrupted run goes on.
struct ResumeOptions {
  std::string dut_file;  // where the run began with another path of it, or without secrets in the kept one
  bool allow_public = false;
  CaptureOptions capture;
  SecretOptions secrets;
};

/// Goes on with an interrupted run.
std::optional<Assessed> resume_assessment(Context& context, const std::filesystem::path& folder,
                                          const ResumeOptions& options);

/// The bundle of a run folder, or the folder itself when it is one.
std::filesystem::path bundle_in(const std::filesystem::path& folder);

/// What the bundle holds, judged, with its waivers as of its last event.
Assessed judged(const std::filesystem::path& folder, const Bundle& bundle);

/// Verdicts of what the bundle holds, closed or not.
Verdicts judge_bundle(const Bundle& bundle);

/// report.html, report.json and junit.xml beside the bundle.
bool write_reports(Context& context, const std::filesystem::path& folder);

/// The console summary and where things are.
void print_assessment(Context& context, const Assessed& assessed);

}  // namespace assay
