#include <algorithm>
#include <set>

#include "harness/model/joined.hpp"
#include "reports/common/reading.hpp"

/// What a reader must know before believing a result: what was assumed, left out, cut short or lost.
namespace assay::reports {

namespace {

/// "sample A", with the side and the state where the run has several.
std::string in_words(const RunPlan& plan, const Target& target) {
  const bool several = plan.targets.size() > 1 || !plan.phases.empty();
  return "sample " + target.sample + (several ? " from " + target.vantage + ", " + target.state : "");
}

std::string place(const RunPlan& plan, const Invocation& invocation) {
  std::string out = invocation.probe;
  if (invocation.endpoint) {
    out += " on " + invocation.endpoint->text();
  }
  return out + ", " + in_words(plan, invocation.target);
}

void add_plan_limits(const RunPlan& plan, std::vector<Limit>& out) {
  for (const auto& assumption : plan.assumptions) {
    out.push_back({"assumption", "declaration", assumption});
  }
  for (const auto& planned : plan.cases) {
    if (planned.selection == Selection::not_applicable) {
      out.push_back({"left out", planned.id, planned.because});
    } else if (planned.selection == Selection::open) {
      out.push_back({"applicability open", planned.id, planned.because});
    }
  }
  for (const auto& left : plan.left_out) {
    out.push_back({"left out", "state or trigger " + left.name, left.because});
  }
}

std::string text_of(const json::object& data, std::string_view key) {
  const auto* value = data.if_contains(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string{} : std::string{std::string_view{*text}};
}

/// Steps that the journal shows to have begun, or to have been looked at and found to have no endpoint.
std::set<std::string> begun_steps(const Bundle& bundle) {
  std::set<std::string> out;
  for (const auto& event : bundle.events()) {
    if (event.type == "invocation_started" || event.type == "expanded") {
      out.insert(text_of(event.data, "step"));
    }
  }
  return out;
}

void add_step_limits(const Bundle& bundle, std::span<const Observation> observations, std::vector<Limit>& out) {
  const auto& plan = bundle.run_plan();
  const auto begun = begun_steps(bundle);
  const auto seen = [&](const PlannedStep& step) {
    return std::ranges::any_of(observations, [&](const Observation& observation) {
      const auto& invocation = observation.invocation;
      return invocation.probe == step.probe && invocation.target == step.target &&
             invocation.parameters == step.parameters;
    });
  };
  for (const auto& step : plan.steps) {
    const auto subject = "step " + step.id + ", probe " + step.probe + ", " + in_words(plan, step.target);
    if (!step.allowed) {
      out.push_back(
          {"not allowed", subject,
           "The probe is " + enum_name(step.intrusiveness) + "; this run allowed at most " + plan.allow + " ones."});
    } else if (!begun.contains(step.id) && !seen(step)) {
      out.push_back({"not run", subject, "It was planned, and the journal does not show that it began."});
    }
  }
}

/// Coverage that says what a budget or a stop cut off: keys "skipped_…" with a count.
void add_coverage_limits(const RunPlan& plan, const Observation& observation, std::vector<Limit>& out) {
  for (const auto& [key, value] : observation.coverage) {
    const auto* counts = value.if_object();
    for (const auto& [name, count] : counts == nullptr ? json::object{} : *counts) {
      const auto* number = count.if_int64();
      if (std::string_view{name}.starts_with("skipped_") && number != nullptr && *number > 0) {
        out.push_back({"limited", place(plan, observation.invocation),
                       "Coverage “" + std::string{std::string_view{key}} + "”: " + std::to_string(*number) + " " +
                           std::string{std::string_view{name}} + "."});
      }
    }
  }
}

/// Packets that are not in the files: no verdict rests on them, but who looks for them has to know.
void add_capture_limits(const RunPlan& plan, const Observation& observation, std::vector<Limit>& out) {
  for (const auto& capture : observation.captures) {
    if (capture.cut > 0 || capture.dropped > 0) {
      out.push_back({"packets missing", observation.id + ": " + place(plan, observation.invocation),
                     "Frames left out for the bounds of the capture: " + std::to_string(capture.cut) +
                         "; frames of the run lost while it went on: " + std::to_string(capture.dropped) + "."});
    }
  }
}

void add_observation_limits(const RunPlan& plan, std::span<const Observation> observations, std::vector<Limit>& out) {
  for (const auto& observation : observations) {
    if (observation.completion != Completion::completed) {
      out.push_back({"not completed", observation.id + ": " + place(plan, observation.invocation),
                     std::string{words_for(observation.completion)} +
                         (observation.error.empty() ? "." : ": " + observation.error)});
    }
    add_coverage_limits(plan, observation, out);
    add_capture_limits(plan, observation, out);
  }
}

/// "device_lost" -> "device lost".
std::string in_plain_words(std::string type) {
  std::ranges::replace(type, '_', ' ');
  return type;
}

/// Endpoints that could not be told are a hole in the run even though every probe went well.
void add_expansion_limits(const Bundle& bundle, std::vector<Limit>& out) {
  for (const auto& event : bundle.events()) {
    const auto error = event.type == "expanded" ? text_of(event.data, "error") : std::string{};
    if (!error.empty()) {
      out.push_back({"not expanded", "step " + text_of(event.data, "step"), error});
    }
  }
}

void add_journal_limits(const Bundle& bundle, std::vector<Limit>& out) {
  static const std::set<std::string, std::less<>> kTelling = {
      "recovered", "interrupted", "resumed", "device_lost", "device_back", "state_failed", "no_capture", "note"};
  for (const auto& event : bundle.events()) {
    if (kTelling.contains(event.type)) {
      const auto what = joined(lines_of(event.data), "; ");
      out.push_back({in_plain_words(event.type),
                     "journal event " + std::to_string(event.sequence) + ", " + readable_time(event.time),
                     event.data.empty() ? "No more is recorded." : what});
    }
  }
  if (bundle.torn()) {
    out.push_back({"torn", "journal", "The last line is incomplete and was left out."});
  }
  if (!bundle.closed()) {
    out.push_back({"open", "bundle", "The run is not closed: more events may follow."});
  }
}

std::string in_place_of(const PersonsVerdict& person) {
  std::string out = std::string{word_for(person.verdict)} + " by " + person.author;
  if (person.standing == Standing::counts) {
    out += " takes the place of " + std::string{word_for(person.machine)} + ", confirmed by " + person.reviewer;
  } else {
    out += " does not count against " + std::string{word_for(person.machine)};
    out += person.standing == Standing::awaits_review ? ": nobody has reviewed it"
           : person.standing == Standing::disputed    ? ": disputed by " + person.reviewer
                                                      : ": it does not say that it overrides";
  }
  return out + ". " + person.rationale;
}

/// Where people deviate from the machine, disagree with each other, or take a failure on themselves.
void add_people_limits(const Bundle& bundle, std::vector<Limit>& out) {
  if (!bundle.verdicts()) {
    return;
  }
  std::set<std::string> told;  // a case may stand under several requirements
  for (const auto& requirement : bundle.verdicts()->requirements) {
    for (const auto& one : requirement.cases) {
      for (const auto& unit : one.units) {
        if (!unit.person || !told.insert(unit.id).second) {
          continue;
        }
        if (unit.person->overrides) {
          out.push_back({"override", unit.id, in_place_of(*unit.person)});
        } else if (unit.person->standing == Standing::disputed) {
          out.push_back({"disputed answer", unit.id, unit.because});
        }
      }
    }
  }
  if (const auto unreviewed = bundle.verdicts()->summary.unreviewed; unreviewed > 0) {
    out.push_back(
        {"not reviewed", "answers", std::to_string(unreviewed) + " answers have no review by a second person"});
  }
  for (const auto& status : waivers_of(bundle)) {
    out.push_back(
        {"waiver", status.waiver.id, status.waiver.owner + ": " + status.waiver.reason + ". It " + status.says + "."});
  }
}

}  // namespace

std::vector<Limit> limits(const Bundle& bundle, std::span<const Observation> observations) {
  std::vector<Limit> out;
  add_plan_limits(bundle.run_plan(), out);
  add_step_limits(bundle, observations, out);
  add_expansion_limits(bundle, out);
  add_observation_limits(bundle.run_plan(), observations, out);
  add_journal_limits(bundle, out);
  add_people_limits(bundle, out);
  return out;
}

}  // namespace assay::reports
