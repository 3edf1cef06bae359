#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/exit_code.hpp"
#include "harness/load/load.hpp"
#include "harness/model/probe_info.hpp"
#include "harness/probe/probe.hpp"

namespace CLI {
class App;
}

namespace assay {

/// What every verb shares: the common switches, where the data is, and the exit code it leaves.
struct Context {
  bool json = false;
  bool no_color = false;
  bool quiet = false;
  int verbose = 0;
  std::string library_folder;  // --library
  ExitCode exit_code = ExitCode::passed;

  /// testplans/: --library, $ASSAY_LIBRARY, beside the executable's installation, or up from the build folder.
  Result<PlanLibrary> library() const;

  /// The emulated devices, beside the plan library.
  Result<std::filesystem::path> devices() const;

  ProbeCatalogue probes() const;

  bool colour() const;  // for standard output

  /// Prints one error as "assay: where: what" on standard error and sets the exit code.
  void complain(const Error& error, ExitCode code);
  void complain(const std::vector<Error>& errors, ExitCode code = ExitCode::usage);

  /// Facts for programs: one JSON document on standard output.
  void print_json(const json::value& value) const;
};

/// Maps an error to the exit code of its kind.
ExitCode exit_code_for(const Error& error);

/// Reads what the library holds for probes; complains about every error and is empty then.
std::optional<ProbeData> load_probe_data(Context& context, const PlanLibrary& library);

/// The data as probes ask for it.
class LoadedData final : public ProbeLibrary {
 public:
  explicit LoadedData(ProbeData data) : data_(std::move(data)) {}

  const Dictionary* dictionary(std::string_view id) const override;
  const PayloadList* payloads(std::string_view id) const override;
  const AttackList* attacks(std::string_view id) const override;

  std::span<const Fingerprint> fingerprints() const override { return data_.fingerprints; }

  const KnownKeys& known_keys() const override { return data_.known_keys; }

  const PasswordRules* password_rules(std::string_view id) const override;

 private:
  ProbeData data_;
};

/// Text as a YAML scalar in quotes, whatever is in it.
std::string yaml_quoted(std::string_view text);

/// The path of this executable.
std::filesystem::path executable_path();

/// A line of progress: rewritten in place on a terminal, a plain line every few seconds elsewhere, nothing with -q.
class ProgressLine {
 public:
  explicit ProgressLine(const Context& context);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(std::int64_t done, std::int64_t total, std::string_view what);
  void clear();

 private:
  bool enabled_ = false;
  bool terminal_ = false;
  bool shown_ = false;
  std::int64_t last_ms_ = 0;
};

/// Each verb adds its definition; its callback runs the verb and sets the exit code.
void add_answer(CLI::App& app, Context& context);
void add_crosswalk(CLI::App& app, Context& context);
void add_declare(CLI::App& app, Context& context);
void add_demo(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_documents(CLI::App& app, Context& context);  // man, completion
void add_emulate(CLI::App& app, Context& context);
void add_explain(CLI::App& app, Context& context);
void add_image(CLI::App& app, Context& context);
void add_init(CLI::App& app, Context& context);
void add_plan(CLI::App& app, Context& context);
void add_plans(CLI::App& app, Context& context);
void add_coverage(CLI::App& app, Context& context);
void add_probe(CLI::App& app, Context& context);
void add_probes(CLI::App& app, Context& context);
void add_replay(CLI::App& app, Context& context);
void add_report(CLI::App& app, Context& context);
void add_resume(CLI::App& app, Context& context);
void add_review(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_secret(CLI::App& app, Context& context);
void add_validate(CLI::App& app, Context& context);
void add_dictionary(CLI::App& app, Context& context);
void add_verify(CLI::App& app, Context& context);
void add_waive(CLI::App& app, Context& context);

}  // namespace assay
