#include <algorithm>

#include "harness/load/check.hpp"
#include "harness/load/declaration.hpp"
#include "harness/load/dut.hpp"
#include "harness/load/load_device.hpp"
#include "harness/load/mud.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/plan_builder.hpp"
#include "harness/load/read.hpp"
#include "harness/load/record.hpp"
#include "harness/load/words.hpp"

namespace assay {

namespace {

/// Conditions of a standard, cases of a method, a plan with all it inherits.
std::vector<Error> validate_library_file(const SourceText& source, const PlanLibrary& library,
                                         const ProbeCatalogue& probes) {
  const Library files(library, {"cases", "crosswalk", "policies", "schemes", "standards"}, &source);
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
    read_method(file, files, programs);
  } else if (file.kind == "mapping/1") {
    read_mapping(file, files);
  } else if (file.kind == "arrangements/1") {
    CrosswalkData rows;
    read_arrangements(file, files, rows);
  } else {
    for (auto* method : files.of_kind("method/1")) {
      method->check();
    }
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
  if (kind->tag == "plan/1" || kind->tag == "cases/1" || kind->tag == "standard/1" || kind->tag == "method/1" ||
      kind->tag == "mapping/1" || kind->tag == "arrangements/1") {
    return validate_library_file(source, library, probes);
  }
  if (kind->tag == "device/1") {
    return load_device(source).errors;
  }
  if (kind->tag == "expected/1") {
    return load_expected(source).errors;
  }
  if (kind->tag == "reviews/1") {
    return load_reviews(source).errors;
  }
  check_table(*root, *kind->table, faults);
  if (kind->tag == "dut/1") {
    check_dut_rules(*root, faults);
    updates_of(*root, faults);
    const Library files(library, {"cases", "standards"});
    check_declaration(*root, files, DeclarationCheck::names, faults);
  } else if (kind->tag == "dictionary/1") {
    dictionary_of(*root, faults);
  } else if (kind->tag == "payloads/1") {
    payloads_of(*root, faults);
  } else if (kind->tag == "attacks/1") {
    attacks_of(*root, faults);
  } else if (kind->tag == "fingerprints/1") {
    fingerprints_of(*root, faults);
  } else if (kind->tag == "known-keys/1") {
    KnownKeys keys;
    add_known_keys(*root, keys, faults);
  } else if (kind->tag == "policy/1") {
    policy_of(*root, faults);
  } else if (kind->tag == "password-rules/1") {
    password_rules_of(*root, faults);
  }
  return faults.errors();
}

namespace {

/// What the plan asks of the device's entry beside ICS and IXIT.
void check_needs(const Node& root, const Plan& plan, Faults& faults) {
  const auto& device = child(root, "device");
  for (const auto& key : plan.needs) {
    const auto said = text_of(device, key, "unknown");
    if (said == "unknown") {
      faults.add(place_of(device, key), lacks_in_words(plan, key));
    }
  }
}

}  // namespace

std::vector<Error> check_dut_declaration(const SourceText& source, const PlanLibrary& library, const Plan* plan) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (!root || !check_file(*root, "dut/1", faults)) {
    return faults.errors();
  }
  check_dut_rules(*root, faults);
  const Library files(library, {"cases", "standards"});
  check_declaration(*root, files, DeclarationCheck::complete, faults);
  check_family_complete(*root, faults);
  Dut dut;
  read_declaration(*root, dut);
  read_mud(*root, std::filesystem::path{source.path}.parent_path(), dut, faults);
  check_mud(*root, dut, faults);
  if (plan != nullptr) {
    check_needs(*root, *plan, faults);
  }
  if (faults.empty()) {  // rules between parts that are wrong themselves would only say it again
    check_consistency(*root, files, faults);
  }
  return faults.errors();
}

}  // namespace assay
