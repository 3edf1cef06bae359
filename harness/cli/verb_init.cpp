#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "harness/cli/assess.hpp"
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
  std::string managed;
  std::string from_run;  // folder of a run whose services are written down as observed
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

/// Tables that list services, in one edition or the other.
bool lists_services(const IxitTable& table) {
  const auto is_port = [](const IxitField& field) { return field.name == "port"; };
  return (table.name == "15-Intf" || table.name.starts_with("13-") || table.name.starts_with("28-")) &&
         std::any_of(table.fields.begin(), table.fields.end(), is_port);
}

/// One row for each service that the run reached, with the fields that the table has.
void put_observed(std::ostream& out, const IxitTable& table, const std::vector<SeenService>& seen) {
  const std::string stem = table.name.starts_with("13-") ? "SS-" : table.name == "28-ExtAPI" ? "API-" : "IF-";
  out << "  " << table.name << ":   # " << table.about << "\n";
  std::size_t number = 0;
  for (const auto& service : seen) {
    const auto name = service.protocol.empty() ? "a service that was not identified" : service.protocol;
    out << "    - {id: " << stem << ++number;
    const std::pair<std::string, std::string> values[] = {{"kind", "logical"},
                                                          {"description", yaml_quoted(name)},
                                                          {"port", service.endpoint},
                                                          {"service", yaml_quoted(name)},
                                                          {"status", "enabled"}};
    for (const auto& [field, value] : values) {
      const auto has_it = [&field = field](const IxitField& known) { return known.name == field; };
      if (std::any_of(table.fields.begin(), table.fields.end(), has_it)) {
        out << ", " << field << ": " << value;
      }
    }
    out << ", observed: true}   # observed, to be declared\n";
  }
}

void put_ixit(std::ostream& out, const Plan& plan, const std::vector<IxitTable>& tables,
              const std::vector<SeenService>& seen) {
  const auto read = ixit_tables_read(plan);
  out << "\n# IXIT: how it is built. Take away the # of a table to declare it; write [] when there is nothing.\n";
  if (!seen.empty()) {
    out << "# What a run has seen is not declared: complete an entry, then take `observed: true` away.\n";
  }
  out << (seen.empty() ? "# ixit:\n" : "ixit:\n");
  for (const auto& table : tables) {
    if (!seen.empty() && lists_services(table)) {
      put_observed(out, table, seen);
    }
  }
  for (const auto& table : tables) {
    if (!read.contains(table.name) || (!seen.empty() && lists_services(table))) {
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

std::string skeleton(const InitOptions& options, const Plan& plan, const std::vector<IxitTable>& tables,
                     const std::vector<SeenService>& seen) {
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
  if (std::find(plan.needs.begin(), plan.needs.end(), "managed") != plan.needs.end()) {
    out << "  managed: " << asked(options.managed, "Managed by (retail: its user, isp: the provider)", "unknown")
        << "   # retail or isp: " << plan.id << " does not run without it\n";
  }
  out << "samples:   # several units of one model: some cases compare two\n  - {id: A, at: {lan: "
      << yaml_quoted(address) << "}}   # add serial and mac\n"
      << "scope: [" << yaml_quoted(address) << "]   # nothing outside is ever contacted\n"
      << "pace: gentle   # gentle, normal, fast\n"
      << "# accounts: [{role: admin, username: admin, secret: env:DUT_ADMIN}]\n"
      << "# password_samples: [{secret: env:PASSWORD_1, mechanism: AM-1, serial: EX-0001}]   # ten of the generator\n"
      << "standard: " << plan.method << "   # the edition that ICS and IXIT follow\n";
  put_ics(out, plan);
  put_ixit(out, plan, tables, seen);
  return out.str();
}

/// Device, address and services of an earlier run, where the command line does not say them.
bool take_run(Context& context, InitOptions& options, std::vector<SeenService>& seen) {
  if (options.from_run.empty()) {
    return true;
  }
  const auto bundle = Bundle::open(bundle_in(options.from_run));
  if (!bundle) {
    context.complain(bundle.error(), ExitCode::usage);
    return false;
  }
  const auto& run = bundle->run_plan();
  const auto take = [](std::string& option, const std::string& value) {
    if (option.empty() && value != "unknown") {
      option = value;
    }
  };
  take(options.vendor, run.dut.device.vendor);
  take(options.model, run.dut.device.model);
  take(options.product_class, run.dut.device.product_class);
  take(options.managed, run.dut.device.managed);
  take(options.address, run.targets.empty() ? "" : run.targets.front().address);
  seen = seen_services(*bundle);
  if (seen.empty()) {
    context.complain(
        {ErrorKind::bad_input, "the run has reached no service: there is nothing to take over", options.from_run},
        ExitCode::usage);
  }
  return !seen.empty();
}

void init(Context& context, InitOptions options) {
  std::vector<SeenService> seen;
  if (!take_run(context, options, seen)) {
    return;
  }
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
    std::cout << skeleton(options, *plan.value, *tables.value, seen);
    return;
  }
  if (std::filesystem::exists(options.out)) {
    context.complain({ErrorKind::bad_input, "the file is there already; name another with -o", options.out},
                     ExitCode::usage);
    return;
  }
  const auto text = skeleton(options, *plan.value, *tables.value, seen);
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
  verb->add_option("--product-class", options->product_class, "Its product class (docs/dut-format.md has the words)")
      ->type_name("NAME");
  verb->add_option("--from-run", options->from_run,
                   "Folder of an earlier run: its services are written down as observed, to be declared")
      ->type_name("DIR");
  verb->add_option("--managed", options->managed, "Gateways: who manages it")
      ->check(CLI::IsMember({"unknown", "retail", "isp"}));
  verb->callback([&context, options] { init(context, *options); });
}

}  // namespace assay
