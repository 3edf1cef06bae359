#pragma once

#include <vector>

#include "harness/model/observation.hpp"
#include "harness/model/run_plan.hpp"
#include "harness/model/verdict.hpp"

/// What is in the golden bundle, apart from how it is written.
namespace assay::golden {

json::object host();

/// Before the interruption: a sweep and a service with hostile text, the second resting on `banner`.
std::vector<Observation> first_observations(const ArtifactRef& scan, const ArtifactRef& banner);

/// After it: every other way to end.
std::vector<Observation> later_observations(const ArtifactRef& photo);

}  // namespace assay::golden
