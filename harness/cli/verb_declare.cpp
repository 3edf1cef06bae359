#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/context.hpp"

/// declare: the declaration itself, before any device is there.
namespace assay {

namespace {

void declare_check(Context& context, const std::string& file) {
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
  const auto errors = check_dut_declaration(*source, *library);
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
  check->callback([&context, file] { declare_check(context, *file); });
}

}  // namespace assay
