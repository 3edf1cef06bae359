#pragma once

#include <string>

#include "harness/model/plan.hpp"

namespace assay {

/// Who can settle what a plan demands, with the probes of this build: counts of requirements.
struct PlanCoverage {
  std::string plan;
  std::int64_t requirements = 0;
  std::int64_t machine = 0;      // every unit of every case is closed by a machine
  std::int64_t partly = 0;       // a probe of this build settles a unit or shows a person what it saw
  std::int64_t person = 0;       // documents, answers, or probes that this build does not have
  std::int64_t planned = 0;      // of all: requirements with a unit whose probe is planned
  std::int64_t unconfirmed = 0;  // of all: it is not confirmed that the scheme asks for them

  bool operator==(const PlanCoverage&) const = default;
};
BOOST_DESCRIBE_STRUCT(PlanCoverage, (), (plan, requirements, machine, partly, person, planned, unconfirmed))

PlanCoverage coverage_of(const Plan& plan);

}  // namespace assay
