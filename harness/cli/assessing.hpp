#pragma once

#include "harness/cli/assess.hpp"
#include "harness/engine/session.hpp"

/// Inside of assess.cpp and resume.cpp.
namespace assay {

/// The DUT file in inputs/.
inline constexpr std::string_view kDutInput = "dut.yaml";

/// Where the DUT file is, for `resume`: the bundle keeps it without the secrets that are written out in it, and no path
/// of this machine. Beside the bundle, and only while the run is open. Nothing without a DUT file.
Result<> note_dut_file(const std::filesystem::path& folder, const std::filesystem::path& dut_file);

/// The part that a new run and a resumed one share: run, judge, close, report.
std::optional<Assessed> run_and_close(Context& context, const RunPlan& plan, const ProbeLibrary& library,
                                      BundleWriter& writer, std::vector<Observation> earlier, SessionOptions options,
                                      const std::filesystem::path& folder);

/// What recipes need: the DUT file's folder, and whoever is at the terminal.
RecipeSurroundings surroundings_of(const std::filesystem::path& dut_folder);

/// The DUT file's `start`. An emulated device is started by `assay emulate` and `assay demo`, which write the DUT file.
bool bring_up(Context& context, const RunPlan& plan, const std::filesystem::path& dut_folder);

}  // namespace assay
