#pragma once

#include "harness/probe/probe.hpp"
#include "harness/probe/transcript.hpp"
#include "probes/discovery/gathered.hpp"

namespace assay::probes::discovery {

/// Fetches the descriptions that the SSDP locations name, at most four, each by one HTTP request, when the location is
/// the device's own address; every other location is noted as elsewhere and not contacted. An error only for what ends
/// a probe.
asio::awaitable<Result<>> fetch_descriptions(Network& network, std::string_view address, Transcript& transcript,
                                             SsdpPicture& picture);

}  // namespace assay::probes::discovery
