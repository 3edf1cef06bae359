#include <fstream>
#include <iostream>

#include "harness/cli/assessing.hpp"
#include "harness/cli/first_hour.hpp"
#include "harness/engine/device_states.hpp"
#include "harness/lab/recipes.hpp"
#include "harness/load/written_secrets.hpp"
#include "harness/model/display.hpp"
#include "probes/registry.hpp"

/// What a new run and a resumed one share, and how an interrupted one goes on.
namespace assay {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kResumeFile = "resume.json";  // beside the bundle while the run is open

}  // namespace

Result<> note_dut_file(const fs::path& folder, const fs::path& dut_file) {
  if (dut_file.empty()) {
    return {};
  }
  std::ofstream file(folder / kResumeFile, std::ios::binary);
  file << canonical(json::object{{"dut", fs::absolute(dut_file).lexically_normal().string()}}) << "\n";
  return file.flush() ? Result<>{}
                      : Result<>{Error{ErrorKind::io, "could not write " + (folder / kResumeFile).string(), {}}};
}

std::optional<Assessed> run_and_close(Context& context, const RunPlan& plan, const ProbeLibrary& library,
                                      BundleWriter& writer, std::vector<Observation> earlier, SessionOptions options,
                                      const fs::path& folder) {
  ProgressLine line(context);
  options.progress = [&line](const RunProgress& progress) { line.show(progress.done, progress.total, progress.what); };
  const auto changed = changed_passwords(folder, {});
  options.secrets.changed = changed;
  const auto outcome = run_session(plan, probe_table(), library, writer, std::move(earlier), options);
  line.clear();
  tell_left(*changed);
  if (!outcome) {
    context.complain(outcome.error(), exit_code_for(outcome.error()));
    return std::nullopt;
  }
  const auto bundle = Bundle::open(writer.directory());
  if (!bundle) {
    context.complain(bundle.error(), ExitCode::error);
    return std::nullopt;
  }
  auto assessed = judged(folder, *bundle);
  assessed.interrupted = outcome->interrupted;
  assessed.device_lost = outcome->device_lost;
  if (outcome->interrupted) {
    std::cerr << "assay: interrupted; go on with: assay resume " << folder.string() << '\n';
    return assessed;
  }
  if (outcome->device_lost) {
    std::cerr << "assay: the device stopped answering: " << outcome->lost_because << '\n';
  }
  if (const auto closed = writer.close(assessed.verdicts); !closed) {
    context.complain(closed.error(), ExitCode::error);
    return std::nullopt;
  }
  std::error_code ignored;
  fs::remove(folder / kResumeFile, ignored);
  if (!write_reports(context, folder)) {
    return std::nullopt;
  }
  return assessed;
}

RecipeSurroundings surroundings_of(const fs::path& dut_folder) {
  RecipeSurroundings out;
  out.folder = dut_folder;
  if (person_at_terminal()) {
    out.ask = [](const std::string& sentence) {
      std::cerr << displayable(sentence) << " [Enter when done] " << std::flush;
      std::string answer;
      return std::getline(std::cin, answer) ? std::optional{answer} : std::nullopt;
    };
  }
  return out;
}

bool bring_up(Context& context, const RunPlan& plan, const fs::path& dut_folder) {
  if (!plan.dut.lab.start) {
    return true;
  }
  const auto started = run_recipe(*plan.dut.lab.start, surroundings_of(dut_folder));
  if (started && started->kind == RecipeOutcome::Kind::done) {
    return true;
  }
  if (!started) {
    context.complain(started.error(), ExitCode::error);
  } else {
    context.complain({ErrorKind::bad_input, "the device has to be started by a person: " + started->text, {}},
                     ExitCode::usage);
  }
  return false;
}

namespace {

std::string noted_dut(const fs::path& folder) {
  const auto source =
      fs::exists(folder / kResumeFile) ? read_source(folder / kResumeFile) : Result<SourceText>{Error{}};
  const auto value = source ? parse_json(source->text, kResumeFile) : Result<json::value>{Error{}};
  const auto* path = value && value->is_object() ? value->get_object().if_contains("dut") : nullptr;
  return path != nullptr && path->is_string() ? std::string{std::string_view{path->get_string()}} : std::string{};
}

/// Whether two DUT files are the same but for secrets that are written out or were left out.
bool same_dut(const SourceText& one, const SourceText& other) {
  const auto nothing = [](std::string_view) { return std::string{}; };
  const auto left = without_written_secrets(one, nothing);
  const auto right = without_written_secrets(other, nothing);
  const auto blank = [](std::string text) {
    for (auto at = text.find(kMaskedSecret); at != std::string::npos; at = text.find(kMaskedSecret, at + 1)) {
      const auto from = at + kMaskedSecret.size();
      text.erase(from, std::min(text.find('"', from), text.size()) - from);
    }
    return text;
  };
  return left && right && blank(*left) == blank(*right);
}

/// Secrets never reach runplan.json: a resumed run reads them again from the DUT file, that named on the command line,
/// that which the run read, or the kept one, where its secrets are named and not written out.
bool restore_secrets(Context& context, const fs::path& bundle, const std::string& dut_file, bool given, RunPlan& plan) {
  const auto path = bundle / "inputs" / kDutInput;
  if (!fs::exists(path)) {
    return true;
  }
  const auto kept = read_source(path);
  const auto read = kept && !dut_file.empty() ? read_source(dut_file) : kept;
  if (!read) {
    context.complain(read.error(), ExitCode::error);
    return false;
  }
  const bool same = same_dut(*kept, *read);
  if (!same && given) {
    context.complain({ErrorKind::bad_input, "is not the DUT file that this run began with", dut_file}, ExitCode::usage);
    return false;
  }
  auto loaded = load_dut(same ? *read : *kept);
  context.complain(loaded.errors);
  if (!loaded.value) {
    return false;
  }
  auto& dut = loaded.value;
  plan.dut.accounts = std::move(dut->accounts);
  plan.dut.vendor_credentials = std::move(dut->vendor_credentials);
  plan.dut.password_samples = std::move(dut->password_samples);
  plan.dut.updates = std::move(dut->updates);  // the keys of DTLS servers are in them
  return true;
}

/// Each was journalled before it was made.
std::map<std::string, std::int64_t> spent_logins(const Bundle& bundle) {
  std::map<std::string, std::int64_t> spent;
  for (const auto& event : bundle.events()) {
    if (event.type == "login") {
      const auto text = [&](const char* key) { return std::string{std::string_view{event.data.at(key).as_string()}}; };
      ++spent[text("address") + " " + text("endpoint") + " " + text("account")];
    }
  }
  return spent;
}

}  // namespace

std::optional<Assessed> resume_assessment(Context& context, const fs::path& folder, const ResumeOptions& options) {
  const auto directory = bundle_in(folder);
  const auto run_folder = directory.filename() == "bundle" ? directory.parent_path() : directory;
  const bool given = !options.dut_file.empty();
  const auto noted = given ? options.dut_file : noted_dut(run_folder);
  std::error_code unseen;
  const auto dut_file = given || fs::exists(noted, unseen) ? noted : std::string{};
  const auto secrets = secret_handling(context, options.secrets);
  if (!secrets) {
    return std::nullopt;
  }
  const auto writer = BundleWriter::resume(directory);
  if (!writer) {
    context.complain(writer.error(), exit_code_for(writer.error()));
    return std::nullopt;
  }
  const auto bundle = Bundle::open(directory);
  const auto library = context.library();
  if (!bundle || !library) {
    context.complain(bundle ? library.error() : bundle.error(), ExitCode::error);
    return std::nullopt;
  }
  auto plan = bundle->run_plan();
  auto data = load_probe_data(context, *library);
  const auto dut_folder = dut_file.empty() ? fs::current_path() : fs::path{dut_file}.parent_path();
  if (!data || !restore_secrets(context, directory, dut_file, given, plan) || !bring_up(context, plan, dut_folder)) {
    return std::nullopt;
  }
  if (const auto recorded = (*writer)->append("secrets", secrets_record(*secrets, plan.dut)); !recorded) {
    context.complain(recorded.error(), ExitCode::error);
    return std::nullopt;
  }
  const LoadedData loaded(std::move(*data));
  SessionOptions how;
  how.allow_public = options.allow_public;
  how.capture = options.capture;
  how.secrets = *secrets;
  how.logins = spent_logins(*bundle);
  how.surroundings = surroundings_of(dut_folder);
  how.device_state = last_state(bundle->events());
  how.first_invocation = 1 + std::count_if(bundle->events().begin(), bundle->events().end(),
                                           [](const Event& event) { return event.type == "invocation_started"; });
  return run_and_close(context, plan, loaded, **writer, bundle->observations(), how, run_folder);
}

}  // namespace assay
