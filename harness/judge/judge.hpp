#pragma once

#include <span>

#include "harness/model/observation.hpp"
#include "harness/model/record.hpp"
#include "harness/model/run_plan.hpp"
#include "harness/model/verdict.hpp"

namespace assay {

/// (run plan, observations, what people stated) -> verdicts. Pure: no clock, no files, no sockets; the same input gives
/// the same bytes. A planned step without observation leaves its units open. The rules are those of docs/verdicts.md.
Verdicts judge(const RunPlan& plan, std::span<const Observation> observations, const RunFacts& facts,
               const HumanRecord& record = {});

/// The document an expression of this unit sees (docs/expressions.md).
json::value judge_document(const RunPlan& plan, const std::string& unit_id, std::span<const Observation> observations);

}  // namespace assay
