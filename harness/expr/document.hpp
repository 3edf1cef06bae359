#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/model/observation.hpp"
#include "harness/model/run_plan.hpp"

/// judge/1, the document that every expression sees (docs/expressions.md).
namespace assay {

/// What is known before the first packet: run, dut, standard, ics, ixit, names; `obs` and `specs` are empty.
json::object declaration_document(const Plan& plan, const Dut& dut, std::string_view date);

/// One observation as expressions see it. After a lost device nothing it says can be believed: its facts are then
/// not observed.
json::object observation_document(const Observation& observation, const ProbeInfo* probe);

/// Puts an alias with its observations and the facts its probe declares into a document.
void add_alias(json::object& document, const std::string& alias, const ProbeInfo* probe,
               std::span<const Observation* const> observations);

const ProbeInfo* find_probe_info(const RunPlan& plan, std::string_view id);

}  // namespace assay
