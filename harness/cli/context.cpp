#include "harness/cli/context.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <unistd.h>

#include "harness/model/display.hpp"
#include "probes/registry.hpp"

namespace assay {

namespace {

namespace fs = std::filesystem;

const char* environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read before any thread is started
  return value != nullptr && *value != '\0' ? value : nullptr;
}

bool is_library(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder / "schemes", ignored);
}

}  // namespace

fs::path executable_path() {
  std::error_code failed;
  auto path = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path{"assay"} : path;
}

Result<PlanLibrary> Context::library() const {
  if (!library_folder.empty()) {
    if (is_library(library_folder)) {
      return PlanLibrary{library_folder};
    }
    return Error{ErrorKind::bad_input, "--library " + library_folder + " has no folder schemes/ in it", {}};
  }
  if (const auto* folder = environment("ASSAY_LIBRARY")) {
    return PlanLibrary{folder};
  }
  const auto program = executable_path();
  if (const auto installed = program.parent_path().parent_path() / "share/assay/testplans"; is_library(installed)) {
    return PlanLibrary{installed};
  }
  for (auto folder = program.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    if (is_library(folder / "testplans")) {
      return PlanLibrary{folder / "testplans"};
    }
  }
  return Error{ErrorKind::bad_input, "the test plans were not found; name their folder with --library", {}};
}

Result<fs::path> Context::devices() const {
  auto found = library();
  if (!found) {
    return found.error();
  }
  for (const auto* place : {"tests/devices", "devices"}) {
    if (auto folder = found->root.parent_path() / place; fs::is_directory(folder)) {
      return folder;
    }
  }
  return Error{ErrorKind::bad_input, "the emulated devices were not found beside " + found->root.string(), {}};
}

ProbeCatalogue Context::probes() const {
  return catalogue_of(probe_table());
}

bool Context::colour() const {
  return !no_color && environment("NO_COLOR") == nullptr && isatty(STDOUT_FILENO) == 1;
}

void Context::complain(const Error& error, ExitCode code) {
  std::cerr << "assay: " << displayable(describe(error)) << '\n';
  exit_code = code;
}

void Context::complain(const std::vector<Error>& errors, ExitCode code) {
  for (const auto& error : errors) {
    complain(error, code);
  }
}

void Context::print_json(const json::value& value) const {
  std::cout << canonical(value) << '\n';
}

std::string yaml_quoted(std::string_view text) {
  return json::serialize(json::string(text));
}

ExitCode exit_code_for(const Error& error) {
  switch (error.kind) {
    case ErrorKind::bad_input:
    case ErrorKind::unsupported:
      return ExitCode::usage;
    case ErrorKind::denied:
      return ExitCode::refused;
    case ErrorKind::cancelled:
      return ExitCode::interrupted;
    default:
      return ExitCode::error;
  }
}

std::optional<ProbeData> load_probe_data(Context& context, const PlanLibrary& library) {
  auto data = load_probe_data(library);
  context.complain(data.errors);
  return std::move(data.value);
}

const PasswordRules* LoadedData::password_rules(std::string_view id) const {
  const auto found = data_.password_rules.find(std::string{id});
  return found == data_.password_rules.end() ? nullptr : &found->second;
}

const Dictionary* LoadedData::dictionary(std::string_view id) const {
  const auto found = data_.dictionaries.find(std::string{id});
  return found == data_.dictionaries.end() ? nullptr : &found->second;
}

const AttackList* LoadedData::attacks(std::string_view id) const {
  const auto found = data_.attacks.find(std::string{id});
  return found == data_.attacks.end() ? nullptr : &found->second;
}

const PayloadList* LoadedData::payloads(std::string_view id) const {
  const auto found = data_.payloads.find(std::string{id});
  return found == data_.payloads.end() ? nullptr : &found->second;
}

namespace {

constexpr std::int64_t kTerminalEveryMs = 100;
constexpr std::int64_t kPlainEveryMs = 5000;

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

ProgressLine::ProgressLine(const Context& context)
    : enabled_(!context.quiet), terminal_(isatty(STDERR_FILENO) == 1), last_ms_(terminal_ ? 0 : now_ms()) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::show(std::int64_t done, std::int64_t total, std::string_view what) {
  const auto now = now_ms();
  if (!enabled_ || now - last_ms_ < (terminal_ ? kTerminalEveryMs : kPlainEveryMs)) {
    return;
  }
  last_ms_ = now;
  shown_ = true;
  std::cerr << (terminal_ ? "\r\x1b[K" : "assay: ") << '[' << done << '/' << total << "] " << displayable(what)
            << (terminal_ ? "" : "\n") << std::flush;
}

void ProgressLine::clear() {
  if (terminal_ && shown_) {
    std::cerr << "\r\x1b[K" << std::flush;
    shown_ = false;
  }
}

}  // namespace assay
