#include <iostream>

#include <CLI/CLI.hpp>

#include "harness/cli/context.hpp"
#include "harness/cli/host.hpp"

namespace assay {

namespace {

void doctor(const Context& context) {
  const auto all = capabilities();
  if (context.json) {
    json::object facts;
    facts["host"] = host_record(context);
    facts["capabilities"] = to_json(all);
    context.print_json(facts);
    return;
  }
  const auto host = host_record(context);
  for (const auto* key : {"tool", "commit", "os", "kernel"}) {
    std::cout << key << ": " << std::string_view{host.at(key).as_string()} << "\n";
  }
  for (const auto& [name, version] : host.at("libraries").as_object()) {
    std::cout << std::string_view{name} << ": " << std::string_view{version.as_string()} << "\n";
  }
  std::cout << "\n";
  for (const auto& capability : all) {
    std::cout << (capability.there ? "yes  " : "NO   ") << capability.name << "  " << capability.detail << "\n";
    if (!capability.there) {
      std::cout << "     costs: " << capability.cost << "\n";
    }
  }
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto* verb = app.add_subcommand("doctor", "Say what this machine allows, and what that costs the verdicts");
  verb->callback([&context] { doctor(context); });
}

}  // namespace assay
