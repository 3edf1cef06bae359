#pragma once

#include <string>

#include "harness/load/load.hpp"
#include "harness/model/plan.hpp"

namespace assay {

/// sha256 over what the plan demands and how it is judged: requirements, cases, parameters. Places, input files and
/// approvals do not count, so an approval survives a change beside the plan and none within it.
std::string plan_digest(const Plan& plan);

/// Gives the plan the newest approval that is of exactly this plan; none leaves it a draft.
void take_approval(Plan& plan, const std::vector<Approval>& approvals);

/// Writes the approval into the library's folder `approvals/`; returns the file.
Result<std::filesystem::path> write_approval(const PlanLibrary& library, const Approval& approval);

}  // namespace assay
