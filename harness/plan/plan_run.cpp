#include "harness/plan/plan_run.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "harness/model/joined.hpp"
#include "harness/plan/applicability.hpp"
#include "harness/plan/estimate.hpp"
#include "harness/plan/phases.hpp"

namespace assay {

namespace {

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// A case that names none means this one.
bool names(const std::vector<std::string>& list, const std::string& text, std::string_view fallback) {
  return list.empty() ? text == fallback : contains(list, text);
}

/// Everything wrong with the input, told at once.
class Problems {
 public:
  void add(const std::string& problem) {
    if (!contains(problems_, problem)) {
      problems_.push_back(problem);
    }
  }

  bool any() const { return !problems_.empty(); }

  Error error() const { return {ErrorKind::bad_input, joined(problems_, "; "), {}}; }

 private:
  std::vector<std::string> problems_;
};

void check_declaration(const Plan& plan, const Dut& dut, Problems& problems) {
  if (!dut.standard.empty() && dut.standard != plan.method) {
    problems.add("the declaration follows " + dut.standard + " but plan " + plan.id + " reads " + plan.method +
                 ": use a declaration of that edition");
  }
  const auto device = to_json(dut.device).as_object();
  for (const auto& key : plan.needs) {
    if (const auto* said = device.if_contains(key); said != nullptr && *said == json::value("unknown")) {
      problems.add(lacks_in_words(plan, key));
    }
  }
  for (const auto& [id, entry] : dut.ics) {
    if (!contains(plan.ics_names, id)) {
      problems.add("ICS \"" + id + "\" is no provision of " + plan.standard);
    }
  }
  for (const auto& [table, entries] : dut.ixit) {
    if (!contains(plan.ixit_tables, table)) {
      problems.add("IXIT \"" + table + "\" is no table of " + plan.method);
    }
  }
}

/// Makes the graph: equal steps are one, and a step comes after those its `for_each` may read.
class Graph {
 public:
  Graph(RunPlan& plan, const ProbeCatalogue& probes, Intrusiveness allow, Problems& problems)
      : plan_(plan), probes_(probes), allow_(allow), problems_(problems) {}

  void add(const Case& test_case, const Unit& unit) {
    const auto first = plan_.bindings.size();
    for (const auto& observe : unit.observe) {
      plan_.bindings.push_back({test_case.id + "/" + unit.id, observe.alias, {}});
    }
    for (const auto& target : plan_.targets) {
      if (!names(test_case.vantages, target.vantage, "lan") || !names(test_case.states, target.state, "initialised")) {
        continue;
      }
      auto changed = target;
      if (!unit.pair.empty()) {
        changed.state = state_after(target.state, unit.pair.front().trigger);
        if (phase_for(plan_, changed.state, target.sample) == nullptr) {
          continue;  // half a pair shows nothing
        }
      }
      std::vector<std::string> before;
      std::vector<std::string> aliases;
      for (std::size_t i = 0; i < unit.observe.size(); ++i) {
        const bool after = is_after_trigger(unit, unit.observe[i].alias);
        const auto id = step(unit.observe[i], after ? changed : target, before, aliases);
        plan_.bindings[first + i].steps.push_back(id);
        before.push_back(id);
        aliases.push_back(unit.observe[i].alias);
      }
    }
    check(unit);
  }

  void finish() {
    for (const auto& id : used_) {
      plan_.probes.push_back(probes_.find(id)->second);
    }
  }

 private:
  void check(const Unit& unit) {
    for (const auto& observe : unit.observe) {
      const auto found = probes_.find(observe.probe);
      if (found == probes_.end()) {
        problems_.add(place(observe) + "no probe \"" + observe.probe + "\" in this build");
        continue;
      }
      used_.insert(observe.probe);
      if (auto complete = complete_parameters(found->second, observe.with); !complete) {
        problems_.add(place(observe) + complete.error().what);
      }
      const bool endpoint = found->second.subject == ProbeSubject::endpoint;
      if (endpoint == observe.for_each.empty()) {
        problems_.add(
            place(observe) + "probe " + observe.probe +
            (endpoint ? " needs for_each: it runs on endpoints" : " takes no for_each: it runs on the device"));
      }
    }
  }

  static std::string place(const Observe& observe) { return observe.where.empty() ? "" : observe.where + ": "; }

  std::string step(const Observe& observe, const Target& target, const std::vector<std::string>& before,
                   const std::vector<std::string>& aliases) {
    const auto found = probes_.find(observe.probe);
    PlannedStep step;
    step.probe = observe.probe;
    step.target = target;
    step.for_each = observe.for_each;
    step.where = observe.where;
    if (!observe.for_each.empty()) {
      step.after = before;
      step.aliases = aliases;
    }
    if (found != probes_.end()) {
      describe(step, found->second, observe);
    }
    const json::object key{
        {"probe", step.probe},          {"target", to_json(target)},        {"for_each", step.for_each},
        {"after", to_json(step.after)}, {"aliases", to_json(step.aliases)}, {"parameters", step.parameters}};
    const auto [known, fresh] = ids_.try_emplace(canonical(key), "s" + std::to_string(plan_.steps.size() + 1));
    if (fresh) {
      step.id = known->second;
      plan_.steps.push_back(std::move(step));
    }
    return known->second;
  }

  void describe(PlannedStep& step, const ProbeInfo& probe, const Observe& observe) const {
    if (auto complete = complete_parameters(probe, observe.with)) {
      step.parameters = *complete;
    }
    step.intrusiveness = probe.intrusiveness;
    step.exclusive = probe.exclusive;
    const auto time = time_of(probe, step.parameters, plan_.dut.pace);
    step.estimate_ms = time.estimate_ms;
    step.deadline_ms = time.deadline_ms;
    step.allowed = probe.intrusiveness <= allow_ &&
                   (probe.intrusiveness != Intrusiveness::destructive || may_be_spent(step.target.sample));
  }

  bool may_be_spent(const std::string& sample) const {
    return std::any_of(plan_.dut.samples.begin(), plan_.dut.samples.end(),
                       [&](const auto& unit) { return unit.id == sample && unit.destructive; });
  }

  RunPlan& plan_;
  const ProbeCatalogue& probes_;
  Intrusiveness allow_;
  Problems& problems_;
  std::map<std::string, std::string> ids_;  // canonical key -> step id
  std::set<std::string> used_;
};

}  // namespace

Result<RunPlan> make_run_plan(const Plan& plan, const Dut& dut, const ProbeCatalogue& probes,
                              const PlanOptions& options) {
  Problems problems;
  check_declaration(plan, dut, problems);
  RunPlan out;
  out.date = options.date;
  out.plan = plan;
  out.dut = dut;
  out.allow = enum_name(options.allow);
  out.assumptions = options.assumptions;
  for (const auto& entry : dut.inherits) {
    if (const auto why = ignored_because(entry, options.date); !why.empty()) {
      out.assumptions.push_back("Inherited evidence does not count, " + why + ": " + in_words(entry) + ".");
    }
  }
  plan_phases(out, options);
  Graph graph{out, probes, options.allow, problems};
  for (const auto& test_case : plan.cases) {
    for (const auto& unit : test_case.units) {
      if (unit.planned_probe.empty()) {
        graph.add(test_case, unit);
      }
    }
  }
  graph.finish();
  if (problems.any()) {
    return problems.error();
  }
  out.cases = select_cases(plan, dut, options.date);
  return out;
}

}  // namespace assay
