#pragma once

#include "harness/load/library.hpp"
#include "harness/load/load.hpp"

namespace assay {

Scheme scheme_of(const Node& node);

/// Resolves a plan file of the library. Faults go to the files; with any the plan is not to be used.
Plan build_plan(const Library& library, LibraryFile& asked, const ProbeCatalogue& probes);

}  // namespace assay
