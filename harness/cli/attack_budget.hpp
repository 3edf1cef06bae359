#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "harness/cli/assess.hpp"
#include "harness/plan/attack_times.hpp"

/// The time that attacks on update mechanisms need and have, before a run that makes them.
namespace assay {

/// Of every step that makes attacks and is allowed.
std::vector<AttackTimes> attack_times_of(const RunPlan& plan, const ProbeData& data);

/// "The attacks of step s2 need about 31 minutes and have 15 …"
std::string in_words(const AttackTimes& times);

void print_attack_times(const AttackTimes& times, std::ostream& out);

/// The time of the run as it is to be made.
enum class AttackBudget : std::uint8_t { as_planned, extended, refused };

/// Where they need more than they have, asks whoever is at the terminal; without one says which are not tried by the
/// estimate. `extend`: all of them, and nobody is asked. Extended, the options give them their time.
AttackBudget settle_attack_budget(const Prepared& prepared, AssessOptions& options, bool extend);

}  // namespace assay
