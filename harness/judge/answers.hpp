#pragma once

#include <vector>

#include "harness/judge/unit_judge.hpp"
#include "harness/model/record.hpp"

namespace assay {

/// Puts the last answer to each unit beside the machine's verdict, or in its place, by docs/verdicts.md, "People".
void apply_answers(std::vector<JudgedCase>& judged, const HumanRecord& record);

}  // namespace assay
