#include "harness/plan/phases.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace assay {

namespace {

constexpr std::array<std::string_view, 4> kOrder{"factory", "initialised", "customised", "after_reset"};

/// A reset wipes what the user has put in; the others only add.
bool is_reset(std::string_view state) {
  return state == "factory" || state == "after_reset";
}

std::string_view or_usual(const std::vector<std::string>& list, std::size_t at, std::string_view usual) {
  return list.empty() ? usual : std::string_view{list[at]};
}

/// What the cases of the plan ask for.
struct Asked {
  std::set<std::string> states;
  std::set<std::string> vantages;
  std::map<std::string, std::map<std::string, StatePair>> triggers;  // state -> trigger -> the pair that asks first

  explicit Asked(const Plan& plan) {
    for (const auto& test_case : plan.cases) {
      for (const auto& unit : test_case.units) {
        if (unit.planned_probe.empty() && !unit.observe.empty()) {
          add(test_case, unit);
        }
      }
    }
  }

 private:
  void add(const Case& test_case, const Unit& unit) {
    for (std::size_t i = 0; i < std::max<std::size_t>(test_case.vantages.size(), 1); ++i) {
      vantages.emplace(or_usual(test_case.vantages, i, "lan"));
    }
    for (std::size_t i = 0; i < std::max<std::size_t>(test_case.states.size(), 1); ++i) {
      const std::string state{or_usual(test_case.states, i, "initialised")};
      states.insert(state);
      for (const auto& pair : unit.pair) {
        triggers[state].emplace(pair.trigger, pair);
      }
    }
  }
};

/// Makes the phases in order.
class Phases {
 public:
  Phases(RunPlan& plan, const PlanOptions& options) : plan_(plan), options_(options), asked_(plan.plan) {}

  void make() {
    std::vector<std::string> order(kOrder.begin(), kOrder.end());
    // What nothing leads back to comes first, for it is there now.
    if (!recipe_of(plan_.dut.lab.states, options_.state)) {
      std::erase(order, options_.state);
      order.insert(order.begin(), options_.state);
    }
    for (const auto& state : order) {
      if (state == options_.state || asked_.states.contains(state)) {
        add_state(state);
      }
    }
    const auto& only = plan_.phases.front();
    if (plan_.phases.size() == 1 && only.found) {
      plan_.phases.clear();  // nothing changes in this run
    }
  }

  std::vector<Target> targets() const {
    std::vector<Target> out;
    for (const auto& sample : plan_.dut.samples) {
      for (const auto& state : states_of(sample.id)) {
        add_targets(sample, state, out);
      }
    }
    return out;
  }

 private:
  static const Recipe* recipe_of(const std::map<std::string, Recipe>& recipes, const std::string& name) {
    const auto found = recipes.find(name);
    return found == recipes.end() ? nullptr : &found->second;
  }

  void add_state(const std::string& state) {
    const auto* recipe = recipe_of(plan_.dut.lab.states, state);
    PlannedPhase phase;
    phase.state = state;
    phase.found = state == options_.state;
    const auto refused = recipe == nullptr ? std::string{} : refusal(*recipe, state, phase.samples);
    if (recipe != nullptr && refused.empty()) {
      phase.recipe = *recipe;
    } else if (phase.found) {
      phase.samples = all_samples();
    } else {
      if (recipe != nullptr) {
        plan_.left_out.push_back({state, refused});
      }
      return;
    }
    if (phase.found) {
      phase.samples = all_samples();
    }
    plan_.phases.push_back(phase);
    if (const auto triggers = asked_.triggers.find(state); triggers != asked_.triggers.end()) {
      for (const auto& [name, pair] : triggers->second) {
        add_trigger(phase, pair);
      }
    }
  }

  std::vector<std::string> all_samples() const {
    std::vector<std::string> out;
    for (const auto& sample : plan_.dut.samples) {
      out.push_back(sample.id);
    }
    return out;
  }

  /// Why the recipe may not be used; fills in the units that it may be used on.
  std::string refusal(const Recipe& recipe, const std::string& state, std::vector<std::string>& samples) const {
    for (const auto& sample : plan_.dut.samples) {
      if (!is_reset(state) || sample.destructive) {
        samples.push_back(sample.id);
      }
    }
    if (options_.allow < (is_reset(state) ? Intrusiveness::destructive : Intrusiveness::intrusive)) {
      return is_reset(state)
                 ? "resetting the device is destructive and this run allows " + enum_name(options_.allow) + " at most"
                 : "changing the device is intrusive and this run allows " + enum_name(options_.allow) + " at most";
    }
    if (samples.empty()) {
      return "resetting the device is destructive and no sample may be spent (destructive: true)";
    }
    return nobody_for(recipe);
  }

  std::string nobody_for(const Recipe& recipe) const {
    return recipe.prompt && !options_.person ? "a person has to do it and nobody is at the terminal: " + *recipe.prompt
                                             : std::string{};
  }

  void add_trigger(const PlannedPhase& base, const StatePair& pair) {
    PlannedPhase phase;
    phase.state = state_after(base.state, pair.trigger);
    phase.trigger = pair.trigger;
    phase.samples = base.samples;
    if (const auto* given = recipe_of(plan_.dut.lab.triggers, pair.trigger)) {
      phase.recipe = *given;
    } else if (!pair.ask.empty()) {
      phase.recipe = Recipe{};
      phase.recipe->prompt = pair.ask;
    }
    if (const auto* undo = recipe_of(plan_.dut.lab.triggers, pair.undo)) {
      phase.undo = *undo;
    }
    auto refused = !phase.recipe ? "the DUT file has no trigger " + pair.trigger : nobody_for(*phase.recipe);
    if (options_.allow < Intrusiveness::intrusive) {
      refused = "a trigger is intrusive and this run allows " + enum_name(options_.allow) + " at most";
    }
    if (!refused.empty()) {
      plan_.left_out.push_back({pair.trigger, refused});
      return;
    }
    plan_.phases.push_back(std::move(phase));
  }

  /// Without triggers: what is reached from a state is not a target of its own.
  std::vector<std::string> states_of(const std::string& sample) const {
    if (plan_.phases.empty()) {
      return {options_.state};
    }
    std::vector<std::string> out;
    for (const auto& phase : plan_.phases) {
      const auto& samples = phase.samples;
      if (phase.trigger.empty() && std::find(samples.begin(), samples.end(), sample) != samples.end()) {
        out.push_back(phase.state);
      }
    }
    return out;
  }

  void add_targets(const Sample& sample, const std::string& state, std::vector<Target>& out) const {
    for (const auto& vantage : options_.vantages) {
      const auto addresses = sample.at.find(vantage);
      // The LAN is always one: from there the device is asked whether it is alive.
      if (addresses == sample.at.end() || (vantage != "lan" && !asked_.vantages.contains(vantage))) {
        continue;
      }
      for (const auto& address : addresses->second) {
        const Target target{sample.id, state, vantage, address};
        if (std::find(out.begin(), out.end(), target) == out.end()) {
          out.push_back(target);
        }
      }
    }
  }

  RunPlan& plan_;
  const PlanOptions& options_;
  Asked asked_;
};

}  // namespace

std::vector<std::string> vantages_of(const Dut& dut) {
  std::vector<std::string> out{"lan"};
  for (const std::string vantage : {"wan", "guest", "bench"}) {
    if (dut.lab.vantages.contains(vantage)) {
      out.push_back(vantage);
    }
  }
  return out;
}

void plan_phases(RunPlan& plan, const PlanOptions& options) {
  Phases phases(plan, options);
  phases.make();
  plan.targets = phases.targets();
}

const PlannedPhase* phase_for(const RunPlan& plan, const std::string& state, const std::string& sample) {
  const auto found = std::find_if(plan.phases.begin(), plan.phases.end(), [&](const auto& phase) {
    return phase.state == state && std::find(phase.samples.begin(), phase.samples.end(), sample) != phase.samples.end();
  });
  return found == plan.phases.end() ? nullptr : &*found;
}

}  // namespace assay
