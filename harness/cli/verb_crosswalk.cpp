#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/approval.hpp"
#include "harness/cli/assess.hpp"
#include "harness/cli/crosswalk.hpp"
#include "reports/console/crosswalk.hpp"

/// crosswalk: what the evidence of a bundle supports under other plans.
namespace assay {

namespace {

struct CrosswalkVerb {
  std::string folder;
  std::vector<std::string> to;
};

/// The plans of all other schemes.
std::optional<std::vector<std::string>> plans_elsewhere(Context& context, const PlanLibrary& library,
                                                        const std::string& plan_id) {
  const auto plans = list_plans(library);
  context.complain(plans.errors);
  if (!plans.value) {
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (const auto& plan : *plans.value) {
    if (scheme_of_plan(plan.id) != scheme_of_plan(plan_id)) {
      out.push_back(plan.id);
    }
  }
  return out;
}

/// Says when the library's plan is not the one that the run kept.
void note_changes(const CrosswalkInputs& kept, Crosswalk& crosswalk) {
  for (const auto& plan : kept.plans) {
    for (auto& judged : crosswalk.plans) {
      if (judged.plan == plan.id && judged.digest != plan_digest(plan)) {
        judged.notes.emplace_back(
            "This plan has changed since the run; without --to the copy that the bundle keeps is used.");
      }
    }
  }
}

void crosswalk(Context& context, const CrosswalkVerb& verb) {
  const auto bundle = Bundle::open(bundle_in(verb.folder));
  if (!bundle) {
    context.complain(bundle.error(), ExitCode::not_verified);
    return;
  }
  const auto kept = kept_crosswalk(*bundle);
  if (!kept) {
    context.complain(kept.error(), ExitCode::not_verified);
    return;
  }
  const bool from_bundle = verb.to.empty() && *kept;
  auto inputs = from_bundle ? *kept : std::nullopt;
  if (!from_bundle) {
    const auto library = context.library();
    if (!library) {
      context.complain(library.error(), ExitCode::usage);
      return;
    }
    const auto ids = verb.to.empty() ? plans_elsewhere(context, *library, bundle->run_plan().plan.id)
                                     : plans_named(context, *library, verb.to);
    inputs = ids ? load_crosswalk_inputs(context, *library, *ids) : std::nullopt;
  }
  if (!inputs) {
    return;
  }
  auto made = crosswalk_of(*bundle, *inputs, context.probes());
  if (!made) {
    context.complain(made.error(), exit_code_for(made.error()));
    return;
  }
  if (*kept && !from_bundle) {
    note_changes(**kept, *made);
  }
  if (context.json) {
    context.print_json(to_json(*made));
    return;
  }
  CrosswalkOptions options;
  options.colour = context.colour();
  options.verbose = context.verbose > 0;
  options.sums_only = verb.to.empty() && !from_bundle && context.verbose == 0;
  write_console_crosswalk(*made, options, std::cout);
}

}  // namespace

void add_crosswalk(CLI::App& app, Context& context) {
  auto options = std::make_shared<CrosswalkVerb>();
  auto* verb = app.add_subcommand(
      "crosswalk",
      "Judge what a bundle holds by the plans of other schemes: evidence for their requirements, no label");
  verb->add_option("folder", options->folder, "Run folder or bundle")->required()->type_name("DIR");
  verb->add_option("--to", options->to,
                   "Plans or schemes; without it those that the run was asked for, or the sums of all other schemes")
      ->delimiter(',')
      ->type_name("PLAN,…");
  verb->callback([&context, options] { crosswalk(context, *options); });
}

}  // namespace assay
