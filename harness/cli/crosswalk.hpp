#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/cli/context.hpp"
#include "harness/evidence/bundle.hpp"
#include "harness/model/crosswalk.hpp"

namespace assay {

/// Plan ids of what a person named: plan ids, or schemes that have one plan. Complains about the others; none then.
std::optional<std::vector<std::string>> plans_named(Context& context, const PlanLibrary& library,
                                                    const std::vector<std::string>& names);

/// The plans with their approvals, and what joins the schemes. Complains; none then.
std::optional<CrosswalkInputs> load_crosswalk_inputs(Context& context, const PlanLibrary& library,
                                                     const std::vector<std::string>& plan_ids);

/// Puts what a later crosswalk needs into the bundle's inputs: the resolved plans and the files they were read from.
bool keep_crosswalk(Context& context, const PlanLibrary& library, const CrosswalkInputs& inputs, BundleInputs& out);

/// Says in the journal which plans were asked for.
Result<> record_crosswalk(const CrosswalkInputs& inputs, BundleWriter& writer);

/// What the bundle keeps; nothing when its run was not asked for a crosswalk.
Result<std::optional<CrosswalkInputs>> kept_crosswalk(const Bundle& bundle);

/// Judges the bundle's observations by each plan. The same bundle and inputs give the same bytes.
Result<Crosswalk> crosswalk_of(const Bundle& bundle, const CrosswalkInputs& inputs, const ProbeCatalogue& probes);

/// The crosswalk that the run was asked for; nothing when it was not.
Result<std::optional<Crosswalk>> asked_crosswalk(const Context& context, const Bundle& bundle);

}  // namespace assay
