#include "harness/expr/expand.hpp"

#include <algorithm>
#include <set>

#include "harness/expr/document.hpp"
#include "harness/expr/expr.hpp"

namespace assay {

namespace {

constexpr std::size_t kMaximumEndpoints =
    4096;  // of one step: a device that opens every port must not be probed for ever

Expansion to_expansion(const Evaluated& evaluated) {
  Expansion out;
  out.missing = evaluated.missing;
  out.error = evaluated.error;
  std::set<Endpoint> seen;
  for (const auto& item : evaluated.items) {
    const auto endpoint = item.is_string() ? Endpoint::parse(std::string_view{item.get_string()}) : std::nullopt;
    if (!endpoint) {
      out.error = "for_each yielded " + canonical(item).substr(0, 80) + ", which is no endpoint such as tcp/80";
    } else if (seen.size() == kMaximumEndpoints && !seen.contains(*endpoint)) {
      out.missing.push_back("more than " + std::to_string(kMaximumEndpoints) + " endpoints: the rest is left out");
      return out;
    } else if (seen.insert(*endpoint).second) {
      out.endpoints.push_back(*endpoint);
    }
  }
  return out;
}

}  // namespace

StepView::StepView(const RunPlan& plan, std::span<const Observation> observations)
    : plan_(plan), base_(declaration_document(plan.plan, plan.dut, plan.date)) {
  for (const auto& step : plan.steps) {
    steps_[step.id] = &step;
  }
  for (const auto& observation : observations) {
    by_identity_[observation.invocation.identity()] = &observation;
  }
}

const PlannedStep* StepView::step(const std::string& step_id) const {
  const auto found = steps_.find(step_id);
  return found == steps_.end() ? nullptr : found->second;
}

json::value StepView::document(const PlannedStep& step) const {
  json::object document{{"obs", json::object{}}, {"specs", json::object{}}};
  for (std::size_t i = 0; i < step.after.size() && i < step.aliases.size(); ++i) {
    const auto* source = this->step(step.after[i]);
    const auto* probe = source == nullptr ? nullptr : find_probe_info(plan_, source->probe);
    add_alias(document, step.aliases[i], probe, observations(step.after[i]));
  }
  return document;
}

void StepView::resolve(const std::vector<std::string>& step_ids) {
  std::set<std::string> wanted(step_ids.begin(), step_ids.end());
  for (auto step = plan_.steps.rbegin(); step != plan_.steps.rend(); ++step) {  // ids are in topological order
    if (wanted.contains(step->id)) {
      wanted.insert(step->after.begin(), step->after.end());
    }
  }
  const auto pending = [&](const std::string& id) { return wanted.contains(id) && !expansions_.contains(id); };
  while (true) {
    std::vector<const PlannedStep*> wave;
    for (const auto& step : plan_.steps) {
      if (pending(step.id) && std::none_of(step.after.begin(), step.after.end(), pending)) {
        wave.push_back(&step);
      }
    }
    if (wave.empty()) {
      return;
    }
    std::vector<Evaluation> evaluations;
    for (const auto* step : wave) {
      if (!step->for_each.empty()) {
        evaluations.push_back({step->for_each, step->where, document(*step), &base_});
      }
    }
    const auto evaluated = evaluate(evaluations);
    auto next = evaluated.begin();
    for (const auto* step : wave) {
      settle(*step, step->for_each.empty() ? Expansion{} : to_expansion(*next++));
    }
  }
}

void StepView::settle(const PlannedStep& step, Expansion expansion) {
  Invocation invocation;
  invocation.probe = step.probe;
  invocation.target = step.target;
  invocation.parameters = step.parameters;
  auto& seen = observations_[step.id];
  const auto look = [&] {
    if (const auto found = by_identity_.find(invocation.identity()); found != by_identity_.end()) {
      seen.push_back(found->second);
    }
  };
  if (step.for_each.empty()) {
    look();
  }
  for (const auto& endpoint : expansion.endpoints) {
    invocation.endpoint = endpoint;
    look();
  }
  expansions_[step.id] = std::move(expansion);
}

const Expansion& StepView::expansion(const std::string& step_id) const {
  static const Expansion none;
  const auto found = expansions_.find(step_id);
  return found == expansions_.end() ? none : found->second;
}

const std::vector<const Observation*>& StepView::observations(const std::string& step_id) const {
  static const std::vector<const Observation*> none;
  const auto found = observations_.find(step_id);
  return found == observations_.end() ? none : found->second;
}

Expansion expand_step(const RunPlan& plan, const PlannedStep& step, std::span<const Observation> observations) {
  StepView view{plan, observations};
  view.resolve({step.id});
  return view.expansion(step.id);
}

std::vector<const Observation*> observations_of(const RunPlan& plan, const PlannedStep& step,
                                                std::span<const Observation> observations) {
  StepView view{plan, observations};
  view.resolve({step.id});
  return view.observations(step.id);
}

}  // namespace assay
