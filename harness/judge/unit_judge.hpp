#pragma once

#include <vector>

#include "harness/judge/instances.hpp"

namespace assay {

/// Verdicts of all units of one case, in order.
struct JudgedCase {
  const Case* test_case = nullptr;
  std::vector<std::vector<UnitVerdict>> units;  // one list for each unit: its endpoints, then its rest
};

/// Judges every unit of every case with as few evaluations as possible.
std::vector<JudgedCase> judge_units(const RunView& view);

/// The part of the document that differs between units: `obs` and `specs`.
json::object instance_document(const Instance& instance);

}  // namespace assay
