#pragma once

#include <cstdint>
#include <functional>

#include "harness/evidence/bundle.hpp"

/// The writer with its clock exposed, so that a bundle can be made the same bytes every time (the golden bundle).
namespace assay::evidence {

struct BundleClock {
  std::function<std::string()> utc;
  std::function<std::int64_t()> monotonic_ns;
};

/// The machine's clocks.
BundleClock system_clocks();

Result<std::unique_ptr<BundleWriter>> create_bundle(const std::filesystem::path& directory, const RunPlan& plan,
                                                    const BundleInputs& inputs, BundleClock clock);
Result<std::unique_ptr<BundleWriter>> resume_bundle(const std::filesystem::path& directory, BundleClock clock);
Result<std::unique_ptr<BundleWriter>> amend_bundle(const std::filesystem::path& directory, BundleClock clock);

}  // namespace assay::evidence
