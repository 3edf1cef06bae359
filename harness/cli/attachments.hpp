#pragma once

#include <filesystem>

#include "harness/cli/context.hpp"
#include "harness/evidence/bundle.hpp"
#include "harness/model/dut.hpp"

namespace assay {

/// Keeps the certificates and the MUD file that the DUT file names in the bundle's inputs, under their own names, and
/// writes each certificate's SHA-256 into its entry. Complains about a file that cannot be kept; false then.
bool keep_attachments(Context& context, const std::filesystem::path& folder, Dut& dut, BundleInputs& inputs);

}  // namespace assay
