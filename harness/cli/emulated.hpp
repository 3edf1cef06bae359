#pragma once

#include <memory>
#include <optional>
#include <string>

#include "harness/cli/context.hpp"
#include "harness/lab/emulation.hpp"

namespace assay {

/// An emulated device of the library, started: its folder's path ("hostile/silent"), or that and one of its variants
/// ("updatable/no-downgrade-check"). Errors are printed.
std::unique_ptr<EmulatedDevice> start_by_name(Context& context, const std::string& name, const std::string& isolation);

/// The variants that a device.yaml lists; empty for one that cannot be read.
std::vector<std::string> variants_of(const std::filesystem::path& device_file);

/// What a run of `plan` against the device must give under this isolation; none when its expected.yaml does not say.
std::optional<Expectation> expectation_of(Context& context, const EmulatedDevice& device, const std::string& plan);

/// One sentence for every verdict that is not the expected one.
std::vector<std::string> differences(const Expectation& expected, const Verdicts& verdicts);

}  // namespace assay
