#pragma once

#include <string>
#include <vector>

#include "harness/model/dut.hpp"
#include "harness/model/observation.hpp"
#include "harness/model/plan.hpp"
#include "harness/model/probe_info.hpp"

namespace assay {

/// Whether a case takes part in the run, and why.
enum class Selection : std::uint8_t {
  in,              // applies, or cannot be told not to
  not_applicable,  // its provision's condition or its own `applies` is false
  open,  // applicability could not be evaluated for want of a declaration: runs, and stays open unless it finds
         // something
};
BOOST_DESCRIBE_ENUM(Selection, in, not_applicable, open)

struct PlannedCase {
  std::string id;
  Selection selection = Selection::in;
  std::string because;    // "ICS 5.1-2 = N/A: no pre-installed passwords"
  std::string condition;  // the expression that decided, empty when none did

  bool operator==(const PlannedCase&) const = default;
};
BOOST_DESCRIBE_STRUCT(PlannedCase, (), (id, selection, because, condition))

/// One node of the run's graph: a probe with parameters over a source of endpoints on one target. Nodes are
/// shared by all units whose chain of observations up to here is the same.
struct PlannedStep {
  std::string id;  // "s1"
  std::string probe;
  Target target;
  std::string for_each;              // jq as written; empty for a device probe
  std::vector<std::string> after;    // step ids for_each may read, in alias order
  std::vector<std::string> aliases;  // the names for_each knows them by, same order as `after`
  json::object parameters;           // complete
  Intrusiveness intrusiveness = Intrusiveness::benign;
  Exclusive exclusive = Exclusive::none;
  std::int64_t deadline_ms = 60000;
  std::int64_t estimate_ms = 0;  // for the person who reviews the plan
  bool allowed = true;           // false: its intrusiveness is not allowed in this run
  std::string where;

  bool operator==(const PlannedStep&) const = default;
};
BOOST_DESCRIBE_STRUCT(PlannedStep, (),
                      (id, probe, target, for_each, after, aliases, parameters, intrusiveness, exclusive, deadline_ms,
                       estimate_ms, allowed, where))

/// Which steps feed which alias of which unit.
struct UnitBinding {
  std::string unit;  // "TS103701@1.1.1:5.1-1-2/a"
  std::string alias;
  std::vector<std::string> steps;  // one for each target

  bool operator==(const UnitBinding&) const = default;
};
BOOST_DESCRIBE_STRUCT(UnitBinding, (), (unit, alias, steps))

/// One stretch of the run in which the device stays in one state, and what brings it there.
struct PlannedPhase {
  std::string state;                 // of its targets: "factory", or "initialised+services_off" behind a trigger
  std::string trigger;               // of a state pair; empty for a state of the device
  std::vector<std::string> samples;  // ids of the units that are brought there
  bool found = false;                // the device is in this state when the run begins
  std::optional<Recipe> recipe;      // none: nothing leads to it
  std::optional<Recipe> undo;        // of a trigger

  bool operator==(const PlannedPhase&) const = default;
};
BOOST_DESCRIBE_STRUCT(PlannedPhase, (), (state, trigger, samples, found, recipe, undo))

/// A state or a trigger that cases ask for, that the DUT file knows, and that this run leaves out.
struct LeftOut {
  std::string name;  // "factory", "services_off"
  std::string because;

  bool operator==(const LeftOut&) const = default;
};
BOOST_DESCRIBE_STRUCT(LeftOut, (), (name, because))

/// The run plan: everything that is decided before the first packet. Reviewed by people, stored in the bundle,
/// and, with the journal, all that the judge reads.
struct RunPlan {
  std::string format = "runplan/1";
  std::string date;  // RFC 3339 UTC; the `run.date` of expressions
  Plan plan;
  Dut dut;
  std::vector<Target> targets;
  std::vector<PlannedCase> cases;
  std::vector<PlannedStep> steps;
  std::vector<UnitBinding> bindings;
  std::vector<ProbeInfo> probes;         // of the steps, as they were in this build
  std::string allow = "intrusive";       // highest intrusiveness allowed
  std::vector<std::string> assumptions;  // what was filled in for want of a declaration, for the report
  Later<PlannedPhase> phases;            // in order; none: one, in the only state of the targets
  Later<LeftOut> left_out;
};
BOOST_DESCRIBE_STRUCT(RunPlan, (),
                      (format, date, plan, dut, targets, cases, steps, bindings, probes, allow, assumptions, phases,
                       left_out))
ASSAY_JSON_DECLARE(RunPlan);

}  // namespace assay
