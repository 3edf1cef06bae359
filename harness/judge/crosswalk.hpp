#pragma once

#include <span>
#include <string>

#include "harness/model/crosswalk.hpp"
#include "harness/model/observation.hpp"
#include "harness/model/record.hpp"
#include "harness/model/run_plan.hpp"

namespace assay {

/// Judges what one run saw by another plan: `other` is a run plan of that plan over the same device, declaration and
/// targets. Pure, like judge(): what the run did not look at stays open, and what would close it is said.
CrosswalkPlan judge_elsewhere(const RunPlan& other, const CrosswalkData& data,
                              std::span<const Observation> observations, const RunFacts& facts,
                              const HumanRecord& record = {});

/// A plan that says nothing of this run, and why: it asks for what is not known of the device, or a rule keeps it from
/// products of this class.
CrosswalkPlan not_judged(const Plan& plan, std::string_view why);
CrosswalkPlan not_judged(const Plan& plan, const ProductRule& rule, std::string_view product_class);

/// What a crosswalk is and is not; stands on every one.
std::string crosswalk_sentence(std::string_view plan_id);

}  // namespace assay
