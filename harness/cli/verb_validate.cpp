#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/context.hpp"

namespace assay {

namespace {

void write_schemas(Context& context, const std::string& folder) {
  for (const auto& [name, text] : schemas()) {
    const auto path = std::filesystem::path{folder} / name;
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) {
      context.complain({ErrorKind::io, "could not write " + path.string(), {}}, ExitCode::error);
      return;
    }
  }
}

void validate(Context& context, const std::vector<std::string>& files) {
  const auto library = context.library();
  if (!library) {
    context.complain(library.error(), ExitCode::usage);
    return;
  }
  const auto probes = context.probes();
  json::array facts;
  for (const auto& name : files) {
    const auto source = read_source(name);
    std::vector<Error> errors;
    if (source) {
      errors = validate_file(*source, *library, probes);
    } else {
      errors.push_back(source.error());
    }
    json::array found;
    for (const auto& error : errors) {
      found.push_back({{"where", error.where}, {"what", error.what}});
    }
    facts.push_back({{"file", name}, {"valid", errors.empty()}, {"errors", std::move(found)}});
    if (!errors.empty()) {
      context.exit_code = ExitCode::usage;
    }
    if (context.json) {
      continue;
    }
    context.complain(errors);
    if (errors.empty()) {
      std::cout << name << ": valid\n";
    }
  }
  if (context.json) {
    context.print_json(facts);
  }
}

}  // namespace

void add_validate(CLI::App& app, Context& context) {
  struct Options {
    std::vector<std::string> files;
    std::string schemas;
  };

  auto options = std::make_shared<Options>();
  auto* verb =
      app.add_subcommand("validate", "Check DUT, job, plan, case and dictionary files; every error with its place");
  verb->add_option("files", options->files, "Files to check")->type_name("FILE");
  verb->add_option("--write-schemas", options->schemas, "Write the JSON Schemas into this folder")->type_name("DIR");
  verb->callback([&context, options] {
    if (options->files.empty() && options->schemas.empty()) {
      context.complain({ErrorKind::bad_input, "validate needs at least one file", {}}, ExitCode::usage);
      return;
    }
    if (!options->schemas.empty()) {
      write_schemas(context, options->schemas);
    }
    if (!options->files.empty()) {
      validate(context, options->files);
    }
  });
}

}  // namespace assay
