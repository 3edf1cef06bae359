#include "harness/cli/assess.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>

#include "harness/cli/amend.hpp"
#include "harness/cli/approval.hpp"
#include "harness/cli/assessing.hpp"
#include "harness/cli/attachments.hpp"
#include "harness/cli/attack_budget.hpp"
#include "harness/cli/crosswalk.hpp"
#include "harness/cli/first_hour.hpp"
#include "harness/cli/host.hpp"
#include "harness/cli/settings.hpp"
#include "harness/engine/session.hpp"
#include "harness/judge/judge.hpp"
#include "harness/lab/recipes.hpp"
#include "harness/load/written_secrets.hpp"
#include "harness/plan/plan_run.hpp"
#include "reports/console/crosswalk.hpp"
#include "reports/console/report.hpp"
#include "reports/html/report.hpp"
#include "reports/json/report.hpp"
#include "reports/junit/report.hpp"

namespace assay {

namespace {

namespace fs = std::filesystem;

template <class T>
std::optional<T> value_or_complain(Context& context, Loaded<T> loaded) {
  context.complain(loaded.errors);
  return std::move(loaded.value);
}

/// The DUT file as the bundle keeps it: without the secrets that are written out in it.
Result<std::string> kept_dut(const SourceText& source, const SecretHandling& secrets) {
  if (secrets.reveal) {
    return source.text;
  }
  return without_written_secrets(source, [&](std::string_view secret) {
    return secrets.key ? secrets.key->name_of(secret) : std::string{"without a key"};
  });
}

/// Reads the DUT file, keeping it for the bundle; or makes the undeclared device of the first hour.
std::optional<Dut> device(Context& context, const AssessOptions& options, const PlanLibrary& library,
                          const SecretHandling& secrets, BundleInputs& inputs) {
  if (options.dut_file.empty()) {
    return undeclared_device(options.target, options.ask);
  }
  const auto source = read_source(options.dut_file);
  if (!source) {
    context.complain(source.error(), ExitCode::usage);
    return std::nullopt;
  }
  // A misspelt field would silently declare nothing.
  if (const auto errors = validate_file(*source, library, context.probes()); !errors.empty()) {
    context.complain(errors);
    return std::nullopt;
  }
  auto dut = value_or_complain(context, load_dut(*source, options.pace));
  auto kept = dut ? kept_dut(*source, secrets) : Result<std::string>{std::string{}};
  if (!kept) {
    context.complain(kept.error(), ExitCode::usage);
    return std::nullopt;
  }
  inputs.files[std::string{kDutInput}] = std::move(*kept);
  if (dut && !keep_attachments(context, fs::path{options.dut_file}.parent_path(), *dut, inputs)) {
    return std::nullopt;
  }
  return dut;
}

bool apply_pace(Context& context, const AssessOptions& options, Dut& dut) {
  if (!options.pace.empty() && options.dut_file.empty()) {
    dut.pace = *pace_profile(options.pace);
  }
  auto numbers = to_json(dut.pace);
  for (const auto& [name, value] : options.pace_numbers) {
    numbers.get_object()[name] = value;
  }
  const auto read = from_json(numbers, dut.pace);
  if (!read) {
    context.complain(read.error(), ExitCode::usage);
  }
  return bool{read};
}

std::vector<std::string> assumptions_of(const AssessOptions& options, const Dut& dut) {
  std::vector<std::string> assumptions;
  if (options.dut_file.empty()) {
    assumptions.emplace_back("No DUT file: nothing is declared, the scope is the target's address alone.");
  }
  if (dut.standard.empty()) {
    assumptions.emplace_back("No ICS and no IXIT: every unit that compares with the declaration stays open.");
  }
  if (!options.pace.empty() || !options.pace_numbers.empty()) {
    assumptions.emplace_back("The pace was set on the command line.");
  }
  for (const auto& setting : options.set) {
    assumptions.push_back("Set on the command line: " + setting + ".");
  }
  if (!options.scope.empty()) {
    assumptions.emplace_back("The scope was widened on the command line.");
  }
  return assumptions;
}

/// The job file is stored with the run and shown in reports; it changes no verdict.
bool read_job(Context& context, const AssessOptions& options, BundleInputs& inputs) {
  if (options.job_file.empty()) {
    return true;
  }
  const auto source = read_source(options.job_file);
  if (!source) {
    context.complain(source.error(), ExitCode::usage);
    return false;
  }
  const auto job = load_job(*source);
  context.complain(job.errors);
  inputs.files["job.yaml"] = source->text;
  return job.value.has_value();
}

/// Waivers are known before the run, so that a pipeline can give them to every run of its own.
bool read_waivers(Context& context, const AssessOptions& options, Prepared& prepared) {
  if (options.waivers_file.empty()) {
    return true;
  }
  const auto source = read_source(options.waivers_file);
  if (!source) {
    context.complain(source.error(), ExitCode::usage);
    return false;
  }
  auto waivers = load_waivers(*source);
  context.complain(waivers.errors);
  prepared.inputs.files["waivers.yaml"] = source->text;
  prepared.waivers = waivers.value.value_or(std::vector<WaiverEntry>{});
  return waivers.value.has_value();
}

/// The plans of --also into inputs/: nothing that a crosswalk is made from may change after the run.
bool read_also(Context& context, const AssessOptions& options, const PlanLibrary& library, Prepared& prepared) {
  const auto ids = plans_named(context, library, options.also);
  if (!ids || ids->empty()) {
    return ids.has_value();
  }
  auto also = load_crosswalk_inputs(context, library, *ids);
  if (!also || !keep_crosswalk(context, library, *also, prepared.inputs)) {
    return false;
  }
  prepared.also = std::move(*also);
  return true;
}

/// The exact bytes of the plan's files into inputs/, their digests into the plan.
bool keep_sources(Context& context, const PlanLibrary& library, Plan& plan, BundleInputs& inputs) {
  const auto sources = plan_sources(library, plan);
  const auto data = data_sources(library);
  if (!sources || !data) {
    context.complain(sources ? data.error() : sources.error(), ExitCode::error);
    return false;
  }
  for (const auto& source : *data) {
    inputs.files[source.path] = source.text;
  }
  plan.inputs.clear();
  for (const auto& source : *sources) {
    plan.inputs.push_back({source.path, sha256_hex(source.text)});
    inputs.files[source.path] = source.text;
  }
  return true;
}

}  // namespace

std::optional<Prepared> prepare(Context& context, const AssessOptions& options) {
  const auto library = context.library();
  if (!library) {
    context.complain(library.error(), ExitCode::usage);
    return std::nullopt;
  }
  Prepared prepared;
  auto data = load_probe_data(context, *library);
  auto plan = value_or_complain(context, load_plan(*library, options.plan_id, context.probes()));
  const auto approvals = value_or_complain(context, load_approvals(*library));
  auto secrets = options.plan_only ? SecretHandling{} : secret_handling(context, options.secrets);
  auto dut = secrets ? device(context, options, *library, *secrets, prepared.inputs) : std::nullopt;
  auto probes = context.probes();
  if (const auto set = apply_settings(options.set, probes); !set) {
    context.complain(set.error(), ExitCode::usage);
    return std::nullopt;
  }
  if (!data || !approvals || !plan || !dut || !apply_pace(context, options, *dut) ||
      !read_job(context, options, prepared.inputs) || !read_waivers(context, options, prepared) ||
      !keep_sources(context, *library, *plan, prepared.inputs) || !read_also(context, options, *library, prepared)) {
    return std::nullopt;
  }
  take_approval(*plan, *approvals);
  dut->scope.insert(dut->scope.end(), options.scope.begin(), options.scope.end());
  if (!options.netns.empty()) {
    dut->lab.vantages["lan"] = {options.netns, {}};
  }
  PlanOptions plan_options;
  plan_options.date = utc_now();
  plan_options.allow = enum_from<Intrusiveness>(options.allow).value_or(Intrusiveness::intrusive);
  plan_options.state = options.state;
  plan_options.vantages = vantages_of(*dut);
  plan_options.person = options.ask;
  plan_options.assumptions = assumptions_of(options, *dut);
  auto run_plan = make_run_plan(*plan, *dut, probes, plan_options);
  if (!run_plan) {
    context.complain(run_plan.error(), ExitCode::usage);
    return std::nullopt;
  }
  prepared.run_plan = std::move(*run_plan);
  prepared.data = std::move(*data);
  for (const auto& [id, dictionary] : prepared.data.dictionaries) {
    if (dictionary.passwords.empty() || !dictionary.credentials.empty()) {
      prepared.run_plan.assumptions.push_back("Dictionary " + id + ": " +
                                              std::to_string(dictionary.credentials.size()) + " pairs.");
    }
  }
  for (const auto& times : attack_times_of(prepared.run_plan, prepared.data)) {
    prepared.run_plan.assumptions.push_back(in_words(times));
  }
  prepared.secrets = std::move(*secrets);
  prepared.dut_file = options.dut_file;
  prepared.dut_folder = fs::path{options.dut_file}.parent_path();
  prepared.inputs.host = host_record(context);
  return prepared;
}

fs::path bundle_in(const fs::path& folder) {
  return fs::exists(folder / "journal.jsonl") ? folder : folder / "bundle";
}

Verdicts judge_bundle(const Bundle& bundle) {
  const auto observations = bundle.observations();
  return judge(bundle.run_plan(), observations, bundle.run_facts(), bundle.record());
}

namespace {

bool write_report(Context& context, const fs::path& path, const std::function<Result<>(std::ostream&)>& write) {
  // Beside, then renamed: a reader never sees half a report.
  const auto temporary = fs::path{path.string() + ".part"};
  std::ofstream file(temporary, std::ios::binary);
  const auto written = write(file);
  file.flush();
  std::error_code failed;
  if (written && file) {
    fs::rename(temporary, path, failed);
  }
  if (!written || !file || failed) {
    context.complain(written ? Error{ErrorKind::io, "could not write " + path.string(), {}} : written.error(),
                     ExitCode::error);
    return false;
  }
  return true;
}

}  // namespace

bool write_reports(Context& context, const fs::path& folder) {
  const auto bundle = Bundle::open(bundle_in(folder));
  if (!bundle) {
    context.complain(bundle.error(), ExitCode::error);
    return false;
  }
  const auto html = [&](std::ostream& out) { return write_html_report(*bundle, out, "bundle/"); };
  const auto report = [&](std::ostream& out) { return write_json_report(*bundle, out); };
  const auto junit = [&](std::ostream& out) { return write_junit_report(*bundle, {}, out); };
  return write_report(context, folder / "report.html", html) && write_report(context, folder / "report.json", report) &&
         write_report(context, folder / "junit.xml", junit);
}

Assessed judged(const fs::path& folder, const Bundle& bundle) {
  Assessed out;
  out.folder = folder;
  out.verdicts = judge_bundle(bundle);
  out.waivers = waiver_statuses(out.verdicts, bundle.record(), bundle.events().back().time);
  return out;
}

std::optional<Assessed> assess(Context& context, const Prepared& prepared, const fs::path& folder, bool allow_public,
                               const CaptureOptions& capture) {
  if (const auto allowed = check_scope(prepared.run_plan, allow_public); !allowed) {
    context.complain(allowed.error(), exit_code_for(allowed.error()));
    return std::nullopt;
  }
  // What `start` brings up may bring the namespaces with it.
  const auto there = prepared.run_plan.dut.lab.start ? Result<>{} : check_vantages(prepared.run_plan);
  if (!there) {
    context.complain(there.error(), exit_code_for(there.error()));
    return std::nullopt;
  }
  std::error_code failed;
  fs::create_directories(folder, failed);
  // Before there is a bundle that could be resumed; that of another run is left alone.
  auto begun =
      fs::exists(folder / "bundle/journal.jsonl", failed) ? Result<>{} : note_dut_file(folder, prepared.dut_file);
  const auto writer = BundleWriter::create(folder / "bundle", prepared.run_plan, prepared.inputs);
  if (!writer) {
    context.complain(writer.error(), ExitCode::usage);
    return std::nullopt;
  }
  if (begun) {
    begun = (*writer)->append("secrets", secrets_record(prepared.secrets, prepared.run_plan.dut));
  }
  if (!begun) {
    context.complain(begun.error(), ExitCode::error);
    return std::nullopt;
  }
  // No observation yet: the verdicts only say which ids there are.
  const auto waivers = to_statements(prepared.waivers, judge(prepared.run_plan, {}, {}));
  context.complain(waivers.errors);
  const auto written =
      waivers.errors.empty() ? append_statements(**writer, waivers.list) : Result<>{waivers.errors.front()};
  if (!written) {
    context.complain(written.error(), exit_code_for(written.error()));
    return std::nullopt;
  }
  if (!prepared.also.plans.empty()) {
    if (const auto recorded = record_crosswalk(prepared.also, **writer); !recorded) {
      context.complain(recorded.error(), ExitCode::error);
      return std::nullopt;
    }
  }
  if (!bring_up(context, prepared.run_plan, prepared.dut_folder)) {
    return std::nullopt;
  }
  const LoadedData library(prepared.data);
  SessionOptions options;
  options.allow_public = allow_public;
  options.surroundings = surroundings_of(prepared.dut_folder);
  options.capture = capture;
  options.secrets = prepared.secrets;
  return run_and_close(context, prepared.run_plan, library, **writer, {}, options, folder);
}

void print_assessment(Context& context, const Assessed& assessed) {
  const auto bundle = Bundle::open(bundle_in(assessed.folder));
  std::optional<Crosswalk> also;
  if (bundle && !assessed.interrupted) {
    auto made = asked_crosswalk(context, *bundle);
    if (made) {
      also = std::move(*made);
    } else {
      context.complain(made.error(), ExitCode::error);
    }
  }
  if (context.json) {
    json::object facts;
    facts["folder"] = assessed.folder.string();
    facts["interrupted"] = assessed.interrupted;
    facts["device_lost"] = assessed.device_lost;
    facts["verdicts"] = to_json(assessed.verdicts);
    if (also) {
      facts["crosswalk"] = to_json(*also);
    }
    context.print_json(facts);
    return;
  }
  if (assessed.interrupted || !bundle) {
    return;
  }
  ConsoleOptions options;
  options.colour = context.colour();
  options.verbose = context.verbose > 0;
  write_console_report(*bundle, options, std::cout);
  if (also) {
    CrosswalkOptions how;
    how.colour = options.colour;
    how.verbose = options.verbose;
    write_console_crosswalk(*also, how, std::cout);
    std::cout << '\n';
  }
  std::cout << "Report: " << (assessed.folder / "report.html").string()
            << "   evidence: " << bundle_in(assessed.folder).string() << "\n";
}

}  // namespace assay
