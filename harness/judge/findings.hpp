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

/// A finding against the device that only says a thing.
Finding plain_finding(std::string what);

/// Something that is missing, and who or what closes it.
Finding open_thing(ClosedBy by, std::string what, std::string endpoint = {});

/// Who closes a doubt of an expression: sentences about the declaration begin with the part that they are about, "IXIT
/// 2-UserInfo …" or "ICS 5.1-2 …" (docs/expressions.md); the others are about what was seen.
ClosedBy closer_of_doubt(std::string_view what);

}  // namespace assay
