#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "harness/cli/approval.hpp"
#include "harness/cli/assess.hpp"
#include "harness/cli/attack_budget.hpp"
#include "harness/cli/context.hpp"
#include "harness/model/display.hpp"
#include "harness/plan/coverage.hpp"

/// plans, plan, explain: what would be done, before anything is.
namespace assay {

namespace {

/// Every plan with its approval; none after a complaint.
std::optional<std::vector<Plan>> all_plans(Context& context) {
  const auto library = context.library();
  if (!library) {
    context.complain(library.error(), ExitCode::usage);
    return std::nullopt;
  }
  auto plans = load_plans(*library, context.probes());
  const auto approvals = load_approvals(*library);
  context.complain(plans.errors);
  context.complain(approvals.errors);
  if (!plans.value || !approvals.value) {
    return std::nullopt;
  }
  for (auto& plan : *plans.value) {
    take_approval(plan, *approvals.value);
  }
  return std::move(plans.value);
}

std::string state_of(const Plan& plan) {
  if (plan.approval) {
    return "checked against " + plan.approval->document + " by " + plan.approval->by + ", " + plan.approval->date;
  }
  return std::string{"DRAFT: nobody has checked it against the document"} +
         (plan.scheme.read ? "" : ", which its authors have not read");
}

void print_plans(Context& context) {
  const auto plans = all_plans(context);
  if (!plans) {
    return;
  }
  json::array facts;
  for (const auto& plan : *plans) {
    const auto coverage = coverage_of(plan);
    facts.push_back({{"id", plan.id},
                     {"title", plan.title},
                     {"scheme", to_json(plan.scheme)},
                     {"approval", to_json(plan.approval)},
                     {"digest", plan_digest(plan)},
                     {"coverage", to_json(coverage)}});
    if (!context.json) {
      std::cout << plan.id << "  " << plan.title << "\n    " << plan.scheme.document << ", " << plan.scheme.owner
                << "\n    " << state_of(plan) << "\n    " << coverage.requirements
                << " requirements: " << coverage.machine << " settled by this build, " << coverage.partly
                << " in part, " << coverage.person << " by a person\n";
    }
  }
  if (context.json) {
    context.print_json(facts);
  }
}

/// A Markdown table: the page docs/coverage.md is this output.
void print_coverage_page(const std::vector<Plan>& plans) {
  std::cout << "# What this build settles\n\n"
               "One row for each plan of the library. A requirement is settled *by a machine* when every unit of its "
               "cases is, *in "
               "part* when a\nprobe settles some of them or shows a person what it saw, and *by a person* when "
               "documents, answers or "
               "probes that are not in this\nbuild decide it. *Later* counts the requirements that wait for a planned "
               "probe, *not "
               "confirmed* those of which it is not sure that\nthe scheme asks for them. Written by `assay coverage "
               "--markdown`.\n\n"
               "| plan | document | requirements | by a machine | in part | by a person | later | not confirmed |\n"
               "|---|---|---|---|---|---|---|---|\n";
  for (const auto& plan : plans) {
    const auto coverage = coverage_of(plan);
    std::cout << "| " << plan.id << " | " << plan.scheme.document << " | " << coverage.requirements << " | "
              << coverage.machine << " | " << coverage.partly << " | " << coverage.person << " | " << coverage.planned
              << " | " << coverage.unconfirmed << " |\n";
  }
}

void print_coverage(Context& context, bool markdown) {
  const auto plans = all_plans(context);
  if (!plans) {
    return;
  }
  if (markdown) {
    print_coverage_page(*plans);
    return;
  }
  json::array facts;
  if (!context.json) {
    std::cout << std::left << std::setw(22) << "plan" << std::right << std::setw(13) << "requirements" << std::setw(9)
              << "machine" << std::setw(8) << "partly" << std::setw(8) << "person" << std::setw(7) << "later"
              << std::setw(13) << "unconfirmed"
              << "\n";
  }
  for (const auto& plan : *plans) {
    const auto coverage = coverage_of(plan);
    facts.push_back(to_json(coverage));
    if (!context.json) {
      std::cout << std::left << std::setw(22) << plan.id << std::right << std::setw(13) << coverage.requirements
                << std::setw(9) << coverage.machine << std::setw(8) << coverage.partly << std::setw(8)
                << coverage.person << std::setw(7) << coverage.planned << std::setw(13) << coverage.unconfirmed << "\n";
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

std::string recipe_in_words(const PlannedPhase& phase) {
  if (!phase.recipe) {
    return "nothing leads there";
  }
  const auto what = phase.recipe->exec ? "runs " + *phase.recipe->exec
                                       : "asks a person: " + phase.recipe->prompt.value_or(std::string{});
  return phase.found ? "as the device is found, or " + what : what;
}

void print_run_plan(const RunPlan& plan, const ProbeData& data) {
  std::cout << "DRAFT RUN PLAN for " << plan.plan.id << " (" << plan.plan.title << ")\n";
  for (const auto& policy : plan.plan.policies) {
    std::cout << "Policy for " << policy.protocol << ": " << policy_in_words(policy) << " (" << policy.strength
              << ")\n";
  }
  std::cout << "\nCases\n";
  for (const auto& planned : plan.cases) {
    std::cout << "  " << selection_word(planned.selection) << "  " << planned.id << "  " << planned.because << "\n";
  }
  std::cout << "\nProbe steps, in order\n";
  std::int64_t estimate = 0;
  for (const auto& step : plan.steps) {
    estimate += step.allowed ? step.estimate_ms : 0;
    std::cout << "  " << step.id << "  " << step.probe << " on " << step.target.address << " from "
              << step.target.vantage << ", " << step.target.state << ", " << enum_name(step.intrusiveness)
              << (step.allowed ? "" : ", NOT ALLOWED in this run") << "\n";
    if (!step.for_each.empty()) {
      std::cout << "      for each of: " << step.for_each << "\n";
    }
    std::cout << "      with " << canonical(step.parameters) << "\n";
  }
  for (const auto& times : attack_times_of(plan, data)) {
    print_attack_times(times, std::cout);
  }
  std::cout << (plan.phases.empty() ? "" : "\nStates of the device, in order\n");
  for (const auto& phase : plan.phases) {
    std::cout << "  " << phase.state << ": "
              << (phase.found && !phase.recipe ? "as the device is found" : recipe_in_words(phase)) << "\n";
  }
  for (const auto& left : plan.left_out) {
    std::cout << "Left out: " << left.name << ", " << left.because << "\n";
  }
  std::cout << "\nPace " << canonical(to_json(plan.dut.pace)) << "\n";
  std::cout << "Estimated " << (estimate + 59999) / 60000
            << " minutes of probing; silent ports are asked again and take longer\n";
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
    print_run_plan(prepared->run_plan, prepared->data);
  }
}

void approve(Context& context, Approval approval) {
  const auto library = context.library();
  if (!library) {
    context.complain(library.error(), ExitCode::usage);
    return;
  }
  const auto plan = load_plan(*library, approval.plan, context.probes());
  context.complain(plan.errors);
  if (!plan.value) {
    return;
  }
  approval.digest = plan_digest(*plan.value);
  approval.date = utc_now();
  const auto path = write_approval(*library, approval);
  if (!path) {
    context.complain(path.error(), ExitCode::usage);
  } else if (context.json) {
    context.print_json(to_json(approval));
  } else {
    std::cout << "Recorded in " << path->string() << ": " << approval.by << " checked " << approval.plan << " ("
              << approval.digest << ") against " << approval.document
              << ".\nA change of the plan makes it a draft again. Requirements that are not confirmed still keep the "
                 "level open.\n";
  }
}

/// A program keeps its lines, each indented below its name.
void print_text(const char* name, const std::string& text) {
  if (text.empty()) {
    return;
  }
  std::cout << "      " << name << ":";
  if (text.find('\n') == std::string::npos) {
    std::cout << " " << displayable(text) << "\n";
    return;
  }
  std::cout << "\n";
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::cout << "        " << displayable(line) << "\n";
  }
}

void print_observed(const Observe& observe, const ProbeCatalogue& probes) {
  std::cout << "      asks " << observe.probe << " as \"" << observe.alias << "\"";
  if (!observe.for_each.empty()) {
    std::cout << ", once for each of what this yields";
  }
  std::cout << "\n";
  print_text("  endpoints", observe.for_each);
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

void add_coverage(CLI::App& app, Context& context) {
  auto markdown = std::make_shared<bool>(false);
  auto* verb = app.add_subcommand("coverage", "Show for every plan what this build settles by itself, in part, or not");
  verb->add_flag("--markdown", *markdown, "Print the page docs/coverage.md");
  verb->callback([&context, markdown] { print_coverage(context, *markdown); });
}

namespace {

void add_approve(CLI::App& plan, Context& context, const std::shared_ptr<AssessOptions>& options) {
  auto approval = std::make_shared<Approval>();
  auto* verb = plan.add_subcommand("approve", "Record that somebody checked the plan against the scheme's document");
  verb->add_option("--document", approval->document, "The document with its edition")->required()->type_name("NAME");
  verb->add_option("--by", approval->by, "Who checked it")->required()->type_name("NAME");
  verb->add_option("--organisation", approval->organisation, "For whom")->type_name("NAME");
  verb->add_option("--note", approval->note, "What else is to be said")->type_name("TEXT");
  verb->fallthrough();  // --plan is that of `plan`
  verb->callback([&context, options, approval] {
    approval->plan = options->plan_id;
    approve(context, *approval);
  });
}

}  // namespace

void add_plan(CLI::App& app, Context& context) {
  auto options = std::make_shared<AssessOptions>();
  auto out = std::make_shared<std::string>();
  auto* verb = app.add_subcommand("plan", "Show what a run would do and why, without a packet");
  verb->add_option("--plan", options->plan_id, "Plan, such as cls-iot/1")->required()->type_name("ID");
  auto* dut = verb->add_option("--dut", options->dut_file, "The device and its maker's declaration")->type_name("FILE");
  verb->add_option("--target", options->target, "An address, nothing declared")->excludes(dut)->type_name("ADDRESS");
  verb->add_option("--allow", options->allow, "Highest intrusiveness allowed")->capture_default_str();
  verb->add_option("--pace", options->pace, "Pace profile")->check(CLI::IsMember({"gentle", "normal", "fast"}));
  verb->add_option("--set", options->set, "A parameter of a probe over its default, as for run")
      ->type_name("PROBE.NAME=VALUE");
  verb->add_option("-o,--out", *out, "Write the run plan as JSON (- for standard output)")->type_name("FILE");
  add_approve(*verb, context, options);
  verb->callback([&context, verb, options, out] {
    if (!verb->get_subcommands().empty()) {
      return;
    }
    if (options->dut_file.empty() && options->target.empty()) {
      context.complain({ErrorKind::bad_input, "plan needs --dut FILE or --target ADDRESS", {}}, ExitCode::usage);
      return;
    }
    options->plan_only = true;
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
