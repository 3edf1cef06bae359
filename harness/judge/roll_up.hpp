#pragma once

#include <vector>

#include "harness/judge/unit_judge.hpp"
#include "harness/model/record.hpp"

namespace assay {

/// unit -> case -> requirement -> level, by docs/verdicts.md.
Verdicts roll_up(const RunPlan& plan, std::vector<JudgedCase> judged, const HumanRecord& record);

}  // namespace assay
