#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/assess.hpp"
#include "harness/cli/context.hpp"
#include "harness/model/display.hpp"

/// plans, plan, explain: what would be done, before anything is.
namespace assay {

namespace {

void print_plans(Context& context) {
  const auto library = context.library();
  if (!library) {
    context.complain(library.error(), ExitCode::usage);
    return;
  }
  const auto plans = list_plans(*library);
  context.complain(plans.errors);
  if (!plans.value) {
    return;
  }
  json::array facts;
  for (const auto& plan : *plans.value) {
    facts.push_back({{"id", plan.id}, {"title", plan.title}, {"scheme", to_json(plan.scheme)}});
    if (!context.json) {
      std::cout << plan.id << "  " << plan.title << "\n    " << plan.scheme.document << ", " << plan.scheme.owner
                << (plan.scheme.read ? "" : " (document not read by the plan's authors: DRAFT)") << "\n";
    }
  }
  if (context.json) {
    context.print_json(facts);
  }
}

const char* selection_word(Selection selection) {
  switch (selection) {
    case Selection::in:
      return "in  ";
    case Selection::not_applicable:
      return "n/a ";
    case Selection::open:
      return "open";
  }
  return "";
}

void print_run_plan(const RunPlan& plan) {
  std::cout << "DRAFT RUN PLAN for " << plan.plan.id << " (" << plan.plan.title << ")\n\nCases\n";
  for (const auto& planned : plan.cases) {
    std::cout << "  " << selection_word(planned.selection) << "  " << planned.id << "  " << planned.because << "\n";
  }
  std::cout << "\nProbe steps, in order\n";
  std::int64_t estimate = 0;
  for (const auto& step : plan.steps) {
    estimate += step.allowed ? step.estimate_ms : 0;
    std::cout << "  " << step.id << "  " << step.probe << " on " << step.target.address << " from "
              << step.target.vantage << ", " << enum_name(step.intrusiveness)
              << (step.allowed ? "" : ", NOT ALLOWED in this run") << "\n";
    if (!step.for_each.empty()) {
      std::cout << "      for each of: " << step.for_each << "\n";
    }
    std::cout << "      with " << canonical(step.parameters) << "\n";
  }
  std::cout << "\nPace " << canonical(to_json(plan.dut.pace)) << "\n";
  std::cout << "Estimated " << (estimate + 59999) / 60000 << " minutes of probing at most\n";
  for (const auto& assumption : plan.assumptions) {
    std::cout << "Assumed: " << assumption << "\n";
  }
}

void plan_run(Context& context, const AssessOptions& options, const std::string& out) {
  const auto prepared = prepare(context, options);
  if (!prepared) {
    return;
  }
  const auto document = to_json(prepared->run_plan);
  if (!out.empty() && out != "-") {
    std::ofstream file(out, std::ios::binary);
    file << canonical(document) << '\n';
    if (!file.flush()) {
      context.complain({ErrorKind::io, "could not write " + out, {}}, ExitCode::error);
    }
  } else if (context.json || out == "-") {
    context.print_json(document);
  } else {
    print_run_plan(prepared->run_plan);
  }
}

void print_text(const char* name, const std::string& text) {
  if (!text.empty()) {
    std::cout << "      " << name << ": " << displayable(text) << "\n";
  }
}

void print_observed(const Observe& observe, const ProbeCatalogue& probes) {
  std::cout << "      asks " << observe.probe << " as \"" << observe.alias << "\"";
  if (!observe.for_each.empty()) {
    std::cout << " for each of: " << observe.for_each;
  }
  std::cout << "\n";
  const auto probe = probes.find(observe.probe);
  if (probe == probes.end()) {
    return;
  }
  for (const auto& parameter : probe->second.parameters) {
    const auto* given = observe.with.if_contains(parameter.name);
    std::cout << "        " << parameter.name << " = " << canonical(given != nullptr ? *given : parameter.fallback)
              << (given != nullptr ? "" : " (default)") << ": " << parameter.meaning << "\n";
  }
}

void print_unit(const Unit& unit, const ProbeCatalogue& probes) {
  std::cout << "\n  unit " << unit.id << "  " << unit.title << "\n"
            << "      closed by " << enum_name(unit.closes)
            << (unit.can_pass ? "" : "; can only be contradicted, never PASS")
            << (unit.can_fail ? "" : "; can never FAIL") << "\n";
  for (const auto& observe : unit.observe) {
    print_observed(observe, probes);
  }
  print_text("one result for each of", unit.expand);
  print_text("must be among them", unit.expect);
  for (const auto& need : unit.needs) {
    std::cout << "      needs " << need << "\n";
  }
  print_text("FAIL for every item of", unit.fail);
  print_text("INCONCLUSIVE for every item of", unit.inconclusive);
  if (unit.manual) {
    print_text("asks the tester", unit.manual->question);
    print_text("look at", unit.manual->look_at);
    print_text("PASS when", unit.manual->pass);
    print_text("FAIL when", unit.manual->fail);
    print_text("INCONCLUSIVE when", unit.manual->inconclusive);
  }
  if (!unit.planned_probe.empty()) {
    std::cout << "      needs the probe \"" << unit.planned_probe << "\", which this build does not have: NOT_TESTED\n";
  }
  print_text("remedy", unit.remedy);
}

/// "5.3-10-1" means every edition's case of that number.
bool names_case(const Case& candidate, const std::string& id) {
  return candidate.id == id || (candidate.id.size() > id.size() && candidate.id.ends_with(":" + id));
}

void explain(Context& context, const std::string& id) {
  const auto library = context.library();
  if (!library) {
    context.complain(library.error(), ExitCode::usage);
    return;
  }
  const auto probes = context.probes();
  const auto cases = load_cases(*library, probes);
  context.complain(cases.errors);
  if (!cases.value) {
    return;
  }
  json::array facts;
  for (const auto& found : *cases.value) {
    if (!names_case(found, id)) {
      continue;
    }
    facts.push_back(to_json(found));
    if (!context.json) {
      std::cout << found.id << "  " << found.title << "\n  " << enum_name(found.type) << ", covers " << found.covers
                << ", " << enum_name(found.quantifier) << " of its units\n  " << enum_name(found.strength) << ": "
                << found.source << "\n";
      for (const auto& unit : found.units) {
        print_unit(unit, probes);
      }
    }
  }
  if (facts.empty()) {
    context.complain(
        {ErrorKind::bad_input, "no case is called " + id + "; see `assay plan --plan ID` for the cases of a plan", {}},
        ExitCode::usage);
  } else if (context.json) {
    context.print_json(facts);
  }
}

}  // namespace

void add_plans(CLI::App& app, Context& context) {
  auto* verb = app.add_subcommand("plans", "List the plans of the library");
  verb->callback([&context] { print_plans(context); });
}

void add_plan(CLI::App& app, Context& context) {
  auto options = std::make_shared<AssessOptions>();
  auto out = std::make_shared<std::string>();
  auto* verb = app.add_subcommand("plan", "Show what a run would do and why, without a packet");
  verb->add_option("--plan", options->plan_id, "Plan, such as cls-iot/1")->required()->type_name("ID");
  auto* dut = verb->add_option("--dut", options->dut_file, "The device and its maker's declaration")->type_name("FILE");
  verb->add_option("--target", options->target, "An address, nothing declared")->excludes(dut)->type_name("ADDRESS");
  verb->add_option("--allow", options->allow, "Highest intrusiveness allowed")->capture_default_str();
  verb->add_option("--pace", options->pace, "Pace profile")->check(CLI::IsMember({"gentle", "normal", "fast"}));
  verb->add_option("-o,--out", *out, "Write the run plan as JSON (- for standard output)")->type_name("FILE");
  verb->callback([&context, options, out] {
    if (options->dut_file.empty() && options->target.empty()) {
      context.complain({ErrorKind::bad_input, "plan needs --dut FILE or --target ADDRESS", {}}, ExitCode::usage);
      return;
    }
    plan_run(context, *options, *out);
  });
}

void add_explain(CLI::App& app, Context& context) {
  auto id = std::make_shared<std::string>();
  auto* verb = app.add_subcommand(
      "explain", "Print everything about a test case: units, probes, parameters, judgements, questions");
  verb->add_option("case", *id, "Case id, such as 5.1-1-2 or TS103701@1.1.1:5.1-1-2")->required()->type_name("CASE");
  verb->callback([&context, id] { explain(context, *id); });
}

}  // namespace assay
