#include "harness/cli/attack_budget.hpp"

#include <algorithm>
#include <iostream>

#include "harness/cli/walk.hpp"

namespace assay {

namespace {

constexpr std::int64_t kMinute = 60000;
constexpr std::int64_t kSecond = 1000;

std::int64_t minutes(std::int64_t ms) {
  return (ms + kMinute - 1) / kMinute;
}

std::string joined(const std::vector<std::string>& ids) {
  std::string out;
  for (const auto& id : ids) {
    out += (out.empty() ? "" : ", ") + id;
  }
  return out;
}

/// All, those that fit, or none of the run: 'a', 'f', 'q'. Whoever ends the input wants no run.
char asked_for(const AttackTimes& times) {
  std::cerr << in_words(times) << "\n";
  while (true) {
    const auto letter = ask_at_terminal("[a]ll of them, those that [f]it, [q]uit? ");
    if (!letter || *letter == "q") {
      return 'q';
    }
    if (*letter == "a" || *letter == "f") {
      return letter->front();
    }
  }
}

}  // namespace

std::vector<AttackTimes> attack_times_of(const RunPlan& plan, const ProbeData& data) {
  std::vector<AttackTimes> out;
  for (const auto& step : plan.steps) {
    const auto* named = step.parameters.if_contains("list");
    const auto list = step.allowed && step.probe == "update" && named != nullptr && named->is_string()
                          ? data.attacks.find(std::string{std::string_view{named->get_string()}})
                          : data.attacks.end();
    if (list != data.attacks.end()) {
      out.push_back(attack_times(step, plan.dut, list->second));
    }
  }
  return out;
}

std::string in_words(const AttackTimes& times) {
  auto out = "The " + std::to_string(times.attacks.size()) + " attacks of step " + times.step + " need about " +
             std::to_string(minutes(times.needs_ms)) + " minutes and have " + std::to_string(minutes(times.budget_ms)) +
             " (update.budget_s)";
  const auto left_out = times.left_out();
  return out + (left_out.empty() ? "." : "; by that estimate not tried: " + joined(left_out) + ".");
}

void print_attack_times(const AttackTimes& times, std::ostream& out) {
  out << "\nAttacks of step " << times.step << ", one at a time, the device locked to them\n";
  for (const auto& one : times.attacks) {
    out << "  " << one.mechanism << "  " << one.id << "  about " << one.estimate_ms / kSecond << " s"
        << (one.fits ? "" : ", NO TIME FOR IT") << "\n";
  }
  if (times.watched_ms > 0) {
    out << "  watched first, whether it asks by itself: about " << times.watched_ms / kSecond << " s\n";
  }
  out << "  the genuine updates before and after: about " << times.controls_ms / kSecond << " s\n"
      << in_words(times) << "\n";
}

AttackBudget settle_attack_budget(const Prepared& prepared, AssessOptions& options, bool extend) {
  std::int64_t needed_ms = 0;
  for (const auto& times : attack_times_of(prepared.run_plan, prepared.data)) {
    if (times.fit()) {
      continue;
    }
    const char letter = extend ? 'a' : options.ask ? asked_for(times) : 'f';
    if (letter == 'q') {
      return AttackBudget::refused;
    }
    if (letter == 'a') {
      needed_ms = std::max(needed_ms, times.needs_ms);
    } else if (!options.ask) {
      std::cerr << "assay: " << in_words(times)
                << " --extend-budget gives them their time, --attacks picks some of them.\n";
    }
  }
  if (needed_ms == 0) {
    return AttackBudget::as_planned;
  }
  options.set.push_back("update.budget_s=" + std::to_string((needed_ms + kSecond - 1) / kSecond));
  return AttackBudget::extended;
}

}  // namespace assay
