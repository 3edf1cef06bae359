#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/load/programs.hpp"
#include "harness/load/syntax.hpp"
#include "harness/model/fingerprint.hpp"
#include "harness/model/known_key.hpp"
#include "harness/model/password_rules.hpp"
#include "harness/model/policy.hpp"
#include "harness/model/update.hpp"

/// The parts of the library: standards, methods and cases, from trees whose keys have been checked.
namespace assay {

Dictionary dictionary_of(const Node& root, Faults& faults);
PayloadList payloads_of(const Node& root, Faults& faults);
AttackList attacks_of(const Node& root, Faults& faults);
std::vector<Fingerprint> fingerprints_of(const Node& root, Faults& faults);
void add_known_keys(const Node& root, KnownKeys& out, Faults& faults);
Policy policy_of(const Node& root, Faults& faults);
PasswordRules password_rules_of(const Node& root, Faults& faults);

/// A standard with the place of each provision.
struct StandardPart {
  std::vector<Provision> provisions;
  std::map<std::string, std::string> where;  // id -> file:line:column
  std::vector<std::string> ids;
  std::vector<std::string> short_ids;

  const Provision* find(std::string_view id) const;
};

/// Checks the keys, the ids and the conditions (their programs go to `programs`; `ixit` may be null).
StandardPart read_standard(LibraryFile& file, const std::vector<std::string>* ixit, Programs& programs);

/// Checks the keys and that what it names is in the library and in its own tables (its programs go to `programs`).
void read_method(LibraryFile& file, const Library& library, Programs& programs);

/// Checks the keys, and that every row names provisions of the two standards.
void read_mapping(LibraryFile& file, const Library& library);

/// Checks the keys, the schemes and levels it names, days and scopes; adds the rows to `out`.
void read_arrangements(LibraryFile& file, const Library& library, CrosswalkData& out);

/// The policy that `naming` names; a fault there when the library has none of that id.
LibraryFile* find_policy(LibraryFile& naming, const Node& id, const Library& library);

/// The method whose ICS and IXIT the cases of `method` read: itself, or the one it `declares_by`.
const LibraryFile* declaring_method(const LibraryFile* method, const Library& library);

/// IXIT tables that cases of a method may read, or those of all methods when it has none.
std::vector<std::string> ixit_tables_of(const LibraryFile* method, const Library& library);

/// What the cases of one method are checked against.
struct CaseContext {
  const Library& library;
  const LibraryFile* method = nullptr;
  StandardPart standard;          // its provisions may be covered
  std::vector<std::string> ics;   // what support() and ics() may name
  std::vector<std::string> ixit;  // what ixit() and declared() may name
  const ProbeCatalogue& probes;
  Programs& programs;
};

CaseContext case_context(const LibraryFile& method, const Library& library, const ProbeCatalogue& probes,
                         Programs& programs);

/// The case, its units and programs checked; with `like`, completed from the case it names. The file's keys have been
/// checked before.
Case read_case(LibraryFile& file, const Node& node, const CaseContext& context);

/// The unit, checked against the probes.
Unit read_unit(LibraryFile& file, const Node& node, const CaseContext& context);

/// All cases of one file, checked against its method and standard.
std::vector<Case> read_cases_file(LibraryFile& file, const Library& library, const ProbeCatalogue& probes,
                                  Programs& programs);

/// Case ids begin with their method and are unique; unit ids are unique in their case. `seen` is shared by files.
void check_case_ids(LibraryFile& file, std::map<std::string, std::string>& seen);

}  // namespace assay
