#include "harness/plan/attack_times.hpp"

#include <algorithm>

#include "harness/model/attacks.hpp"
#include "harness/model/json_text.hpp"

namespace assay {

namespace {

bool is_feasible(const Attack& attack, const Dut& dut, const UpdateMechanism& mechanism) {
  return std::all_of(attack.needs.begin(), attack.needs.end(),
                     [&](const auto& need) { return is_given(dut, mechanism, need); });
}

/// One mechanism: the genuine update, those that begin after it, the others, the genuine update.
void add_mechanism(AttackTimes& out, const Dut& dut, const UpdateMechanism& mechanism, const AttackList& list,
                   const PlannedStep& step) {
  const bool restores = step.parameters.at("restore") == true;
  const auto control = control_ms(mechanism);
  out.controls_ms += restores ? 2 * control : control;
  out.needs_ms += restores ? control : 0;
  for (const bool after_update : {true, false}) {
    for (const auto& attack : list.attacks) {
      const bool tried = attack.after_update == after_update && (restores || !after_update) &&
                         is_chosen(attack, string_at(step.parameters, "attacks")) &&
                         is_feasible(attack, dut, mechanism);
      if (tried) {
        const auto takes = attack_ms(mechanism, attack);
        const bool fits = out.needs_ms + takes + control <= out.budget_ms;
        out.attacks.push_back({mechanism.mechanism, attack.id, takes, fits});
        out.needs_ms += takes;
      }
    }
  }
  out.needs_ms += control;
}

}  // namespace

std::vector<std::string> AttackTimes::left_out() const {
  std::vector<std::string> out;
  for (const auto& one : attacks) {
    if (!one.fits && std::find(out.begin(), out.end(), one.id) == out.end()) {
      out.push_back(one.id);
    }
  }
  return out;
}

AttackTimes attack_times(const PlannedStep& step, const Dut& dut, const AttackList& list) {
  constexpr std::int64_t kMsPerSecond = 1000;
  AttackTimes out;
  out.step = step.id;
  out.budget_ms = step.parameters.at("budget_s").as_int64() * kMsPerSecond;
  const auto wanted = string_at(step.parameters, "mechanism");
  const auto watched = step.parameters.at("watch_s").as_int64() * kMsPerSecond;
  for (const auto& mechanism : dut.updates) {
    const bool possible = mechanism.restore || step.parameters.at("restore") == false;
    if (possible && (wanted.empty() || mechanism.mechanism == wanted)) {
      const auto first = mechanism.serve && watched > 0 ? mechanism.takes_ms + watched : 0;
      out.watched_ms += first;
      out.needs_ms += first;
      add_mechanism(out, dut, mechanism, list, step);
    }
  }
  return out;
}

}  // namespace assay
