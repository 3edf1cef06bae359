#pragma once

#include <string>
#include <vector>

#include "harness/model/dut.hpp"
#include "harness/model/plan.hpp"
#include "harness/model/run_plan.hpp"

namespace assay {

/// Which cases take part and why, in the order of the plan. Conditions see the declaration only, never observations.
/// N/A is not a back door (docs/verdicts.md): a claim of N/A alone never takes a case out.
std::vector<PlannedCase> select_cases(const Plan& plan, const Dut& dut, const std::string& date);

}  // namespace assay
