#pragma once

#include <cstdint>

#include "harness/model/pace.hpp"
#include "harness/model/probe_info.hpp"

namespace assay {

/// Times of a step in ms.
struct StepTime {
  std::int64_t estimate_ms = 0;  // for the person who reviews the plan; silent ports are asked again and take longer
  std::int64_t deadline_ms = 0;  // what it may take
};

/// What is usual for the probe's kind, what its parameters grant it, and for a sweep of TCP ports what the pace makes of
/// their number.
StepTime time_of(const ProbeInfo& probe, const json::object& parameters, const Pace& pace);

}  // namespace assay
