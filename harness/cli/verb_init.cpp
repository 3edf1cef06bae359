#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "harness/cli/context.hpp"
#include "harness/cli/first_hour.hpp"
#include "harness/plan/declared.hpp"

/// init: a DUT file to fill in, with what one plan reads and nothing else.
namespace assay {

namespace {

struct InitOptions {
  std::string plan;
  std::string out = "dut.yaml";
  std::string vendor;
  std::string model;
  std::string address;
  std::string product_class;
};

std::string asked(const std::string& given, const char* question, const char* otherwise) {
  if (!given.empty() || !person_at_terminal()) {
    return given.empty() ? otherwise : given;
  }
  std::cerr << question << " [" << otherwise << "]: " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer.empty() ? otherwise : answer;
}

/// The rows are comments: a table that is there declares, and an empty one declares that there is nothing.
void put_ics(std::ostream& out, const Plan& plan) {
  out << "\n# ICS: what you claim for each provision. Y, N or N/A; N and N/A need a reason (because).\n# ics:\n";
  for (const auto& id : provisions_asked(plan)) {
    const auto is_it = [&](const Requirement& requirement) { return short_id(requirement.id) == id; };
    const auto found = std::find_if(plan.requirements.begin(), plan.requirements.end(), is_it);
    out << "#   \"" << id << "\": {support: Y}";
    if (found != plan.requirements.end()) {
      out << "   # " << found->title;
      out << (found->condition_words.empty() ? "" : " (when " + found->condition_words + ")");
    }
    out << "\n";
  }
}

void put_ixit(std::ostream& out, const Plan& plan, const std::vector<IxitTable>& tables) {
  const auto read = ixit_tables_read(plan);
  out << "\n# IXIT: how it is built. Take away the # of a table to declare it; write [] when there is nothing.\n# "
         "ixit:\n";
  for (const auto& table : tables) {
    if (!read.contains(table.name)) {
      continue;
    }
    out << "#   " << table.name << ":   # " << table.about << "\n";
    const char* dash = "- ";
    for (const auto& field : table.fields) {
      const auto label = field.name + ":";
      out << "#     " << dash << label << std::string(label.size() < 26 ? 26 - label.size() : 1, ' ') << "# "
          << field.about << (field.form == "text" || field.form == "any" ? "" : " (" + field.form + ")")
          << (field.required ? " (required)" : "") << "\n";
      dash = "  ";
    }
  }
}

std::string skeleton(const InitOptions& options, const Plan& plan, const std::vector<IxitTable>& tables) {
  const auto address = asked(options.address, "Address of the device", "192.0.2.10");
  std::ostringstream out;
  out << "# The device and its maker's declaration, as far as " << plan.id << " reads it. Then:\n"
      << "#   assay declare check FILE\n#   assay run --plan " << plan.id << " --dut FILE\n"
      << "assay: dut/1\n"
      << "device:\n  vendor: " << yaml_quoted(asked(options.vendor, "Vendor", "unknown"))
      << "\n  model: " << yaml_quoted(asked(options.model, "Model", "unknown"))
      << "\n  firmware: \"unknown\"   # the version that is tested\n";
  if (!options.product_class.empty()) {
    out << "  product_class: " << yaml_quoted(options.product_class) << "\n";
  }
  out << "samples:   # several units of one model: some cases compare two\n  - {id: A, at: {lan: "
      << yaml_quoted(address) << "}}   # add serial and mac\n"
      << "scope: [" << yaml_quoted(address) << "]   # nothing outside is ever contacted\n"
      << "pace: gentle   # gentle, normal, fast\n"
      << "# accounts: [{role: admin, username: admin, secret: env:DUT_ADMIN}]\n"
      << "standard: " << plan.method << "   # the edition that ICS and IXIT follow\n";
  put_ics(out, plan);
  put_ixit(out, plan, tables);
  return out.str();
}

void init(Context& context, const InitOptions& options) {
  const auto library = context.library();
  if (!library) {
    context.complain(library.error(), ExitCode::usage);
    return;
  }
  const auto plan = load_plan(*library, options.plan, context.probes());
  context.complain(plan.errors);
  if (!plan.value) {
    return;
  }
  const auto tables = load_ixit_tables(*library, plan.value->method);
  context.complain(tables.errors);
  if (!tables.value) {
    return;
  }
  if (options.out == "-") {
    std::cout << skeleton(options, *plan.value, *tables.value);
    return;
  }
  if (std::filesystem::exists(options.out)) {
    context.complain({ErrorKind::bad_input, "the file is there already; name another with -o", options.out},
                     ExitCode::usage);
    return;
  }
  const auto text = skeleton(options, *plan.value, *tables.value);
  std::ofstream file(options.out, std::ios::binary);
  file << text;
  if (!file.flush()) {
    context.complain({ErrorKind::io, "could not write the file", options.out}, ExitCode::error);
    return;
  }
  std::cout << "Written: " << options.out << ". Nothing is declared until you take the # away.\n";
}

}  // namespace

void add_init(CLI::App& app, Context& context) {
  auto options = std::make_shared<InitOptions>();
  auto* verb = app.add_subcommand("init", "Write a DUT file to fill in, with what one plan reads");
  verb->add_option("--plan", options->plan, "Plan, such as cls-iot/1")->required()->type_name("ID");
  verb->add_option("-o,--out", options->out, "File to write (- for standard output)")
      ->capture_default_str()
      ->type_name("FILE");
  verb->add_option("--vendor", options->vendor, "Vendor of the device")->type_name("NAME");
  verb->add_option("--model", options->model, "Its model")->type_name("NAME");
  verb->add_option("--address", options->address, "Its address")->type_name("ADDRESS");
  verb->add_option("--product-class", options->product_class, "Its product class")->type_name("NAME");
  verb->callback([&context, options] { init(context, *options); });
}

}  // namespace assay
