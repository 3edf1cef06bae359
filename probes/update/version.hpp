#pragma once

#include <string>

#include "harness/probe/probe.hpp"
#include "probes/update/transport.hpp"

namespace assay::probes::update {

/// What the device says of itself at one moment.
struct Told {
  std::string version;  // escaped
  json::value report;   // of the last update, in its own words; null: it tells nothing
};

/// Asks the device which version it runs. An error says why nobody answered, or that the answer holds no version
/// (`protocol`). `transport` is asked for what is read by its means.
asio::awaitable<Result<Told>> read_version(ProbeContext& context, const VersionSource& source, Transport& transport);

}  // namespace assay::probes::update
