#pragma once

#include <string>

#include "harness/probe/probe.hpp"

namespace assay::probes::update {

/// What the device says of itself at one moment.
struct Told {
  std::string version;  // escaped
  json::value report;   // of the last update, in its own words; null: it tells nothing
};

/// Asks the device which version it runs. An error says why nobody answered, or that the answer holds no version
/// (`protocol`).
asio::awaitable<Result<Told>> read_version(ProbeContext& context, const VersionSource& source);

}  // namespace assay::probes::update
