#pragma once

#include <string>
#include <vector>

#include "harness/model/observation.hpp"
#include "harness/model/verdict.hpp"

namespace assay {

/// Where a unit's items come from: what a finding is filled up with when the expression does not say it.
struct FindingSource {
  std::vector<const Observation*> observations;
  std::string endpoint;            // of the expanded unit; empty otherwise
  std::vector<std::string> facts;  // that the expression names, for evidence
};

/// A sentence, or an object with a sentence under "what". Anything else that a `fail` expression yields is a fault of the
/// plan and says nothing about the device.
bool is_finding(const json::value& item);

/// Items of a `fail` or `inconclusive` expression as findings, equal ones once.
std::vector<Finding> to_findings(const std::vector<json::value>& items, const FindingSource& source);

/// A finding that only says a thing.
Finding plain_finding(std::string what, std::string endpoint = {});

}  // namespace assay
