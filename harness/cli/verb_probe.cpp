#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/assessing.hpp"
#include "harness/cli/capture_options.hpp"
#include "harness/cli/context.hpp"
#include "harness/cli/first_hour.hpp"
#include "harness/cli/secret_options.hpp"
#include "harness/engine/session.hpp"
#include "harness/lab/emulation.hpp"
#include "harness/model/display.hpp"
#include "harness/plan/estimate.hpp"
#include "probes/registry.hpp"

/// probe, probes: one probe by itself, and what all of them can say.
namespace assay {

namespace {

struct ProbeVerb {
  std::string probe;
  std::string address;
  std::string endpoint;
  std::vector<std::string> set;
  std::string tcp;
  std::string pace;  // empty: the DUT file's, else gentle
  std::string artifacts;
  std::string netns;
  std::string dut_file;
  std::vector<std::string> sources;
  std::int64_t deadline_ms = 0;
  std::uint32_t max_connections = 0;  // 0: the profile's
  bool allow_public = false;
  CaptureOptions capture;
  SecretOptions secrets;
};

/// "name=value": the value as JSON when it is JSON, else as text.
Result<json::object> parameters_of(const ProbeVerb& verb) {
  json::object parameters;
  for (const auto& setting : verb.set) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos) {
      return Error{ErrorKind::bad_input, "--set wants name=value, not " + setting, {}};
    }
    const auto text = setting.substr(equals + 1);
    auto value = parse_json(text, "--set");
    parameters[setting.substr(0, equals)] = value && !value->is_double() ? *value : json::value(json::string(text));
  }
  if (!verb.tcp.empty()) {
    parameters["tcp"] = verb.tcp;
  }
  return parameters;
}

Result<Invocation> invocation_of(const ProbeVerb& verb, const ProbeInfo& info) {
  auto parameters = parameters_of(verb);
  if (!parameters) {
    return parameters.error();
  }
  auto complete = complete_parameters(info, *parameters);
  if (!complete) {
    return complete.error();
  }
  Invocation invocation;
  invocation.id = "i1";
  invocation.probe = info.id;
  invocation.target.sample = "A";
  invocation.target.address = verb.address;
  invocation.parameters = *complete;
  if (info.subject == ProbeSubject::device) {
    return invocation;
  }
  invocation.endpoint = Endpoint::parse(verb.endpoint);
  if (!invocation.endpoint) {
    return Error{ErrorKind::bad_input, "probe " + info.id + " wants --endpoint, such as tcp/443", {}};
  }
  return invocation;
}

std::optional<Dut> probe_dut(Context& context, const ProbeVerb& verb) {
  Dut dut = undeclared_device(verb.address, false);
  if (!verb.dut_file.empty()) {
    const auto source = read_source(verb.dut_file);
    if (!source) {
      context.complain(source.error(), ExitCode::usage);
      return std::nullopt;
    }
    auto loaded = load_dut(*source, verb.pace);
    context.complain(loaded.errors);
    if (!loaded.value) {
      return std::nullopt;
    }
    dut = std::move(*loaded.value);
  } else if (!verb.pace.empty()) {
    dut.pace = *pace_profile(verb.pace);
  }
  dut.scope = {verb.address};
  dut.lab.sources.insert(dut.lab.sources.end(), verb.sources.begin(), verb.sources.end());
  dut.pace.max_connections = verb.max_connections > 0 ? verb.max_connections : dut.pace.max_connections;
  return dut;
}

void print_observation(const Observation& observation) {
  std::cout << observation.invocation.probe << " on " << observation.invocation.target.address
            << (observation.invocation.endpoint ? " " + observation.invocation.endpoint->text() : std::string{}) << ": "
            << enum_name(observation.completion)
            << (observation.error.empty() ? "" : " (" + displayable(observation.error) + ")") << ", "
            << observation.took_ns / 1000000 << " ms\n";
  const auto* open = observation.facts.if_contains("ports.open");
  if (open != nullptr && open->is_array()) {
    for (const auto& port : open->get_array()) {
      const auto endpoint = Endpoint::parse(std::string_view{port.at("endpoint").as_string()});
      std::cout << "  open " << enum_name(endpoint->transport) << ' ' << endpoint->port << "\n";
    }
  }
  for (const auto& [key, value] : observation.facts) {
    if (key != "ports.open") {
      std::cout << "  " << std::string_view{key} << " = " << displayable(canonical(value)) << "\n";
    }
  }
  for (const auto& key : observation.absent) {
    std::cout << "  " << key << ": looked for, not there\n";
  }
  for (const auto& [key, reason] : observation.unobserved) {
    std::cout << "  " << key << ": not observed: " << displayable(reason) << "\n";
  }
  for (const auto& [key, value] : observation.coverage) {
    std::cout << "  coverage " << std::string_view{key} << " = " << displayable(canonical(value)) << "\n";
  }
}

void keep_in(Context& context, const std::filesystem::path& folder, const ArtifactRef& artifact,
             std::string_view bytes) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  std::ofstream file(folder / artifact.sha256, std::ios::binary);
  file << bytes;
  if (!file.flush()) {
    context.complain({ErrorKind::io, "could not write " + (folder / artifact.sha256).string(), {}}, ExitCode::error);
  }
}

void probe(Context& context, const ProbeVerb& verb) {
  const auto probes = context.probes();
  const auto info = probes.find(verb.probe);
  if (info == probes.end()) {
    context.complain({ErrorKind::bad_input, "there is no probe \"" + verb.probe + "\"; see `assay probes`", {}},
                     ExitCode::usage);
    return;
  }
  const auto invocation = invocation_of(verb, info->second);
  const auto library = context.library();
  const auto dut = probe_dut(context, verb);
  if (!invocation || !library || !dut) {
    if (!invocation || !library) {
      context.complain(invocation ? library.error() : invocation.error(), ExitCode::usage);
    }
    return;
  }
  auto data = load_probe_data(context, *library);
  auto secrets = data ? secret_handling(context, verb.secrets) : std::nullopt;
  if (!secrets) {
    return;
  }
  if (!verb.netns.empty()) {
    if (const auto entered = enter_namespace(verb.netns); !entered) {
      context.complain(entered.error(), ExitCode::error);
      return;
    }
  }
  const LoadedData loaded(std::move(*data));
  const auto own = time_of(info->second, invocation->parameters, dut->pace).deadline_ms;
  const auto deadline = verb.deadline_ms > 0 ? verb.deadline_ms : own;
  SingleProbe single{*invocation, *dut, milliseconds{deadline}, {}};
  if (!verb.artifacts.empty()) {
    single.keep = [&](const ArtifactRef& artifact, std::string_view bytes) {
      keep_in(context, verb.artifacts, artifact, bytes);
    };
  }
  ProgressLine line(context);
  SessionOptions options;
  options.allow_public = verb.allow_public;
  options.capture = verb.capture;
  options.secrets = std::move(*secrets);
  options.surroundings = surroundings_of(std::filesystem::path{verb.dut_file}.parent_path());
  options.no_capture = [](const std::string& why) { std::cerr << "assay: no packets are captured: " << why << "\n"; };
  if (verb.artifacts.empty()) {
    options.capture.mode = CaptureMode::off;  // there is no place for them
  }
  options.progress = [&line](const RunProgress& progress) { line.show(progress.done, progress.total, progress.what); };
  const auto place = invocation->endpoint ? "-" + std::string{enum_name(invocation->endpoint->transport)} + "-" +
                                                std::to_string(invocation->endpoint->port)
                                          : std::string{};
  options.secrets.changed = changed_passwords(verb.artifacts, "-" + verb.address + place);
  const auto observation = probe_once(single, probe_table(), loaded, options);
  line.clear();
  tell_left(*options.secrets.changed);
  if (!observation) {
    context.complain(observation.error(), exit_code_for(observation.error()));
    return;
  }
  if (context.json) {
    context.print_json(to_json(*observation));
  } else {
    print_observation(*observation);
  }
  if (observation->completion == Completion::harness_fault) {
    context.exit_code = ExitCode::error;
  } else if (observation->completion == Completion::cancelled) {
    context.exit_code = ExitCode::interrupted;
  }
}

/// One Markdown page of all descriptors: docs/probes.md is this, and a test compares them.
void print_markdown(const ProbeCatalogue& probes) {
  std::cout << "# Probes\n\nWritten by `assay probes --markdown` from the descriptors; do not edit.\n";
  for (const auto& [id, probe] : probes) {
    std::cout << "\n## " << id << "\n\n"
              << probe.summary << "\n\nFact set version " << probe.version << ", " << enum_name(probe.intrusiveness)
              << ", asked once for each " << enum_name(probe.subject) << ", exclusive: " << enum_name(probe.exclusive)
              << ", deadline " << probe.deadline_ms / 1000 << " s.\n";
    if (!probe.parameters.empty()) {
      std::cout << "\n| parameter | kind | default | meaning |\n|---|---|---|---|\n";
    }
    for (const auto& parameter : probe.parameters) {
      std::cout << "| `" << parameter.name << "` | " << enum_name(parameter.kind) << " | `"
                << canonical(parameter.fallback) << "` | " << parameter.meaning << " |\n";
    }
    std::cout << "\n| fact | kind | meaning |\n|---|---|---|\n";
    for (const auto& fact : probe.facts) {
      std::cout << "| `" << fact.key << "` | " << enum_name(fact.kind) << " | " << fact.meaning << " |\n";
    }
  }
}

void print_probes(const Context& context, bool markdown) {
  const auto probes = context.probes();
  if (markdown) {
    print_markdown(probes);
    return;
  }
  json::array facts;
  for (const auto& [id, probe] : probes) {
    facts.push_back(to_json(probe));
    if (!context.json) {
      std::cout << id << "  " << probe.summary << "\n    " << enum_name(probe.intrusiveness) << ", "
                << probe.facts.size() << " facts, " << probe.parameters.size() << " parameters\n";
    }
  }
  if (context.json) {
    context.print_json(facts);
  }
}

}  // namespace

void add_probe(CLI::App& app, Context& context) {
  auto options = std::make_shared<ProbeVerb>();
  auto* verb = app.add_subcommand("probe", "Run one probe against an address and print what it observed; no verdict");
  verb->add_option("probe", options->probe, "Name of the probe (see: assay probes)")->required()->type_name("NAME");
  verb->add_option("address", options->address, "Numeric address of the device")->required()->type_name("ADDRESS");
  verb->add_option("--endpoint", options->endpoint, "For probes of an endpoint")->type_name("tcp/PORT");
  verb->add_option("--set", options->set, "A parameter of the probe")->type_name("NAME=VALUE");
  verb->add_option("--tcp", options->tcp, "Short for --set tcp=RANGES: \"all\" or such as 1-1024,8080")
      ->type_name("RANGES");
  verb->add_option("--pace", options->pace,
                   "How hard the device may be worked, over the DUT file's pace but for what it says on logins")
      ->check(CLI::IsMember({"gentle", "normal", "fast"}));
  verb->add_option("--max-connections", options->max_connections,
                   "Sockets open to the device at once, over the profile's number");
  verb->add_option("--deadline-ms", options->deadline_ms, "Time for the probe, over its own");
  verb->add_option("--artifacts", options->artifacts, "Keep transcripts and captured packets in this folder")
      ->type_name("DIR");
  verb->add_option("--netns", options->netns, "Network namespace to probe from")->type_name("PATH");
  verb->add_option("--dut", options->dut_file, "DUT file: its pace, vendor credentials, accounts and recipes")
      ->type_name("FILE");
  verb->add_option("--sources", options->sources,
                   "Addresses of this machine that a UDP scan may send from too, as lab.sources of a DUT file")
      ->delimiter(',')
      ->type_name("CIDR,…");
  verb->add_flag("--allow-public", options->allow_public, "Allow a public address (only with written authorisation)");
  add_capture_options(*verb, options->capture);
  add_secret_options(*verb, options->secrets);
  verb->callback([&context, options] { probe(context, *options); });
}

void add_probes(CLI::App& app, Context& context) {
  auto markdown = std::make_shared<bool>(false);
  auto* verb = app.add_subcommand("probes", "List the probes with their facts and parameters");
  verb->add_flag("--markdown", *markdown, "As the page docs/probes.md");
  verb->callback([&context, markdown] { print_probes(context, *markdown); });
}

}  // namespace assay
