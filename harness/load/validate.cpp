#include <algorithm>

#include "harness/load/check.hpp"
#include "harness/load/dut.hpp"
#include "harness/load/load_device.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/plan_builder.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

namespace assay {

namespace {

bool has(const std::vector<std::string>& known, const std::string& name) {
  return std::find(known.begin(), known.end(), name) != known.end();
}

/// ICS ids and IXIT tables of a DUT file against the edition it names.
void check_declaration(const Node& root, const Library& library, Faults& faults) {
  const auto* named = find(root, "standard");
  if (named == nullptr || !kEdition.matches(named->text)) {
    return;
  }
  const auto* method = library.find("method/1", named->text);
  if (method == nullptr) {
    faults.add(named->place,
               "the library has no method " + shown(named->text) + suggestion(named->text, library.ids("method/1")));
    return;
  }
  const auto tables = texts_of(method->root, "ixit_tables");
  for (const auto& key : child(root, "ixit").keys) {
    if (kTableName.matches(key.text) && !has(tables, key.text)) {
      faults.add(key.place, method->id + " has no IXIT table " + shown(key.text) + suggestion(key.text, tables));
    }
  }
  auto* standard = library.find("standard/1", text_of(method->root, "standard"));
  if (standard == nullptr) {
    return;
  }
  std::vector<std::string> provisions;
  for (const auto& provision : child(standard->root, "provisions").items) {
    provisions.emplace_back(short_id(text_of(provision, "id")));
  }
  for (const auto& key : child(root, "ics").keys) {
    if (kShortProvision.matches(key.text) && !has(provisions, key.text)) {
      faults.add(key.place, standard->id + " has no provision " + shown(key.text) + suggestion(key.text, provisions));
    }
  }
}

/// Conditions of a standard, cases of a method, a plan with all it inherits.
std::vector<Error> validate_library_file(const SourceText& source, const PlanLibrary& library,
                                         const ProbeCatalogue& probes) {
  const Library files(library, {"cases", "schemes", "standards"}, &source);
  auto& file = *files.given();
  Programs programs;
  if (file.kind == "plan/1") {
    build_plan(files, file, probes);
    return files.errors();
  }
  if (file.kind == "standard/1") {
    const auto tables = ixit_tables_of(nullptr, files);
    read_standard(file, &tables, programs);
  } else if (file.kind == "method/1") {
    read_method(file, files);
  } else {
    read_cases_file(file, files, probes, programs);
    std::map<std::string, std::string> seen;
    for (auto* other : files.of_kind("cases/1")) {
      // A copy outside of the library repeats its ids, and may.
      if (other == &file || files.given_is_inside()) {
        check_case_ids(*other, seen);
      }
    }
  }
  programs.compile();
  return file.faults.errors();
}

}  // namespace

std::vector<Error> validate_file(const SourceText& source, const PlanLibrary& library, const ProbeCatalogue& probes) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  const auto* kind = root ? check_kind(*root, faults) : nullptr;
  if (kind == nullptr) {
    return faults.errors();
  }
  if (kind->tag == "plan/1" || kind->tag == "cases/1" || kind->tag == "standard/1" || kind->tag == "method/1") {
    return validate_library_file(source, library, probes);
  }
  if (kind->tag == "device/1") {
    return load_device(source).errors;
  }
  if (kind->tag == "expected/1") {
    return load_expected(source).errors;
  }
  check_table(*root, *kind->table, faults);
  if (kind->tag == "dut/1") {
    check_dut_rules(*root, faults);
    const Library files(library, {"cases", "standards"});
    check_declaration(*root, files, faults);
  } else if (kind->tag == "dictionary/1") {
    dictionary_of(*root, faults);
  }
  return faults.errors();
}

}  // namespace assay
