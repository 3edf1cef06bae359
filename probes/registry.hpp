#pragma once

#include "harness/probe/probe.hpp"

namespace assay {

/// Every probe of this build, sorted by id.
ProbeTable probe_table();

}  // namespace assay
