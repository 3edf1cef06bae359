#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/load/programs.hpp"
#include "harness/load/syntax.hpp"

/// The parts of the library: standards, methods and cases, from trees whose keys have been checked.
namespace assay {

Dictionary dictionary_of(const Node& root, Faults& faults);

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

/// Checks the keys and that its standard is in the library.
void read_method(LibraryFile& file, const Library& library);

/// IXIT tables of a method, or of all methods when its own list is empty.
std::vector<std::string> ixit_tables_of(const LibraryFile* method, const Library& library);

/// What a case is checked against.
struct CaseContext {
  const StandardPart& standard;
  std::string standard_id;
  const std::vector<std::string>& ixit;
  const ProbeCatalogue& probes;
  Programs& programs;
};

/// The case, its units and programs checked. The file's keys have been checked before.
Case read_case(LibraryFile& file, const Node& node, const CaseContext& context);

/// The unit, checked against the probes.
Unit read_unit(LibraryFile& file, const Node& node, const CaseContext& context);

/// All cases of one file, checked against its method and standard.
std::vector<Case> read_cases_file(LibraryFile& file, const Library& library, const ProbeCatalogue& probes,
                                  Programs& programs);

/// Case ids begin with their method and are unique; unit ids are unique in their case. `seen` is shared by files.
void check_case_ids(LibraryFile& file, std::map<std::string, std::string>& seen);

}  // namespace assay
