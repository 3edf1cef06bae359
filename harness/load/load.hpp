#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/arrangement.hpp"
#include "harness/model/dut.hpp"
#include "harness/model/fingerprint.hpp"
#include "harness/model/known_key.hpp"
#include "harness/model/password_rules.hpp"
#include "harness/model/payload.hpp"
#include "harness/model/plan.hpp"
#include "harness/model/probe_info.hpp"
#include "harness/model/result.hpp"

/// YAML that people write -> model, by key tables. Every error is file:line:column, what was expected, and the
/// nearest known word; all errors of a file come in one run. The JSON Schemas in testplans/schemas/ are generated
/// from the same tables.
namespace assay {

/// The value, or every error found. A value with errors is never returned.
template <class T>
struct Loaded {
  std::optional<T> value;
  std::vector<Error> errors;
};

struct SourceText {
  std::string path;  // as shown in errors
  std::string text;
};

/// Reads a file within the size limit (1 MiB for everything a person writes).
Result<SourceText> read_source(const std::filesystem::path& path);

/// `pace`: a profile that stands in for the file's pace, empty: none. What the file itself says on logins
/// (login_attempts_per_account, login_attempts_per_endpoint, login_interval_ms, guesses_per_login) is a limit of the device and holds all the same.
Loaded<Dut> load_dut(const SourceText& source, std::string_view pace = {});
Loaded<Job> load_job(const SourceText& source);

/// A MUD file in JSON: the flows that its access lists accept. At most 256 KiB; one error, with its place.
Result<Mud> load_mud(const SourceText& source);

Loaded<Dictionary> load_dictionary(const SourceText& source);
Loaded<PayloadList> load_payload_list(const SourceText& source);
Loaded<AttackList> load_attack_list(const SourceText& source);
Loaded<KnownKeys> load_known_key_list(const SourceText& source);

/// Where plans, cases, standards and dictionaries are found: the folder `testplans/`.
struct PlanLibrary {
  std::filesystem::path root;
};

/// A plan that can be asked for, as `assay plans` prints it.
struct PlanListing {
  std::string id;
  std::string title;
  Scheme scheme;
  std::filesystem::path path;
};

/// Everything a plan is made of, read and checked: schemes, inheritance, cases, provisions, expressions, fact and
/// parameter names against the probes.
Loaded<Plan> load_plan(const PlanLibrary& library, const std::string& id, const ProbeCatalogue& probes);

/// Every plan of the library, in the order of their files.
Loaded<std::vector<Plan>> load_plans(const PlanLibrary& library, const ProbeCatalogue& probes);

/// Approvals of plans, newest last, whether their plan has changed since or not.
Loaded<std::vector<Approval>> load_approvals(const PlanLibrary& library);

/// What joins the schemes: arrangements, products out of scope, rows of all mappings.
Loaded<CrosswalkData> load_crosswalk(const PlanLibrary& library);

/// Every policy/1 of the library, in the order of their files.
Loaded<std::vector<Policy>> load_policies(const PlanLibrary& library);

Loaded<std::vector<PlanListing>> list_plans(const PlanLibrary& library);
Loaded<std::vector<Case>> load_cases(const PlanLibrary& library, const ProbeCatalogue& probes);
Loaded<std::map<std::string, Dictionary>> load_dictionaries(const PlanLibrary& library);

/// What the library holds for probes, in `attacks/`, `dictionaries/` and `policies/`; lists by their ids.
struct ProbeData {
  std::map<std::string, Dictionary> dictionaries;
  std::map<std::string, PayloadList> payloads;
  std::map<std::string, AttackList> attacks;
  std::vector<Fingerprint> fingerprints;  // of all files, in their order
  KnownKeys known_keys;                   // of equal digests the one of the first file
  std::map<std::string, PasswordRules> password_rules;
};

/// Reads each file of these folders once.
Loaded<ProbeData> load_probe_data(const PlanLibrary& library);

/// Checks one file of any kind by its `assay:` line; what `assay validate` does.
std::vector<Error> validate_file(const SourceText& source, const PlanLibrary& library, const ProbeCatalogue& probes);

/// What a method's file says about its IXIT tables.
struct IxitField {
  std::string name;
  std::string about;
  std::string form;  // text, boolean, number, port, list, any
  bool required = false;
};

struct IxitTable {
  std::string name;
  std::string about;
  std::vector<IxitField> fields;
};

Loaded<std::vector<IxitTable>> load_ixit_tables(const PlanLibrary& library, const std::string& method);

/// Everything that is wrong with the declaration of a DUT file: names, completeness, contradictions; what
/// `assay declare check` does. Secrets are not needed. With a plan, also what that plan asks of the device's entry.
std::vector<Error> check_dut_declaration(const SourceText& source, const PlanLibrary& library,
                                         const Plan* plan = nullptr);

/// File name -> JSON Schema 2020-12 text, from the key tables ("dut.schema.json" …).
std::map<std::string, std::string> schemas();

/// The bytes of every file in `dictionaries/`, which probes read, for the same folder.
Result<std::vector<SourceText>> data_sources(const PlanLibrary& library);

/// The bytes of every file that the last load of this plan read, for the bundle's inputs/ folder.
Result<std::vector<SourceText>> plan_sources(const PlanLibrary& library, const Plan& plan);

}  // namespace assay
