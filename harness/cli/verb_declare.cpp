#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/context.hpp"

/// declare: the declaration itself, before any device is there.
namespace assay {

namespace {

void declare_check(Context& context, const std::string& file, const std::string& plan_id) {
  const auto library = context.library();
  if (!library) {
    context.complain(library.error(), ExitCode::usage);
    return;
  }
  const auto source = read_source(file);
  if (!source) {
    context.complain(source.error(), ExitCode::usage);
    return;
  }
  Loaded<Plan> plan;
  if (!plan_id.empty()) {
    plan = load_plan(*library, plan_id, context.probes());
    context.complain(plan.errors);
    if (!plan.value) {
      return;
    }
  }
  const auto errors = check_dut_declaration(*source, *library, plan.value ? &*plan.value : nullptr);
  if (!errors.empty()) {
    context.exit_code = ExitCode::usage;
  }
  if (context.json) {
    json::array found;
    for (const auto& error : errors) {
      found.push_back({{"where", error.where}, {"what", error.what}});
    }
    context.print_json(json::object{{"file", file}, {"sound", errors.empty()}, {"errors", std::move(found)}});
    return;
  }
  context.complain(errors);
  std::cout << file << ": "
            << (errors.empty() ? "the declaration is complete and does not contradict itself"
                               : std::to_string(errors.size()) + (errors.size() == 1 ? " fault" : " faults"))
            << "\n";
}

}  // namespace

void add_declare(CLI::App& app, Context& context) {
  auto* verb = app.add_subcommand("declare", "Work on the maker's declaration: ICS and IXIT");
  verb->require_subcommand(1);
  auto file = std::make_shared<std::string>();
  auto* check = verb->add_subcommand(
      "check", "Find what a declaration lacks and where it contradicts itself, without a device or its secrets");
  check->add_option("file", *file, "DUT file")->required()->type_name("FILE");
  auto plan = std::make_shared<std::string>();
  check->add_option("--plan", *plan, "Plan whose needs of the device's entry are checked too")->type_name("ID");
  check->callback([&context, file, plan] { declare_check(context, *file, *plan); });
}

}  // namespace assay
