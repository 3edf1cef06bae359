#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/model/dut.hpp"
#include "harness/model/run_plan.hpp"

namespace assay {

/// One attack of a run, by the estimate.
struct AttackTime {
  std::string mechanism;
  std::string id;
  std::int64_t estimate_ms = 0;
  bool fits = true;  // it begins while there is time for it
};

/// The attacks of one step, in the order in which they are tried.
struct AttackTimes {
  std::string step;
  std::vector<AttackTime> attacks;
  std::int64_t controls_ms = 0;  // the genuine updates before and after, and the ways back
  std::int64_t watched_ms = 0;   // before that, whether the device asks by itself, with the time in which it starts
  std::int64_t needs_ms = 0;     // all together
  std::int64_t budget_ms = 0;    // that the step's parameter gives them

  bool fit() const { return needs_ms <= budget_ms; }

  /// Ids of those without time, each once.
  std::vector<std::string> left_out() const;
};

/// Those that were chosen and whose needs are given. What an image's format or a transport has no form for shows only
/// when it is tried, so that the estimate is rather too long.
AttackTimes attack_times(const PlannedStep& step, const Dut& dut, const AttackList& list);

}  // namespace assay
