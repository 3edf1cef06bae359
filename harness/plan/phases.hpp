#pragma once

#include "harness/plan/plan_run.hpp"

namespace assay {

/// Fills in the phases of the run, the targets and what is left out: the states and triggers that the cases ask for and
/// the DUT file can bring about, factory first, each visited once, its triggers behind it.
void plan_phases(RunPlan& plan, const PlanOptions& options);

/// The phase of that state, when the run has it for that unit. A run without phases has one state only.
const PlannedPhase* phase_for(const RunPlan& plan, const std::string& state, const std::string& sample);

}  // namespace assay
