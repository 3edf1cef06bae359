#include "harness/plan/declared.hpp"

#include <algorithm>

#include "harness/expr/expr.hpp"

namespace assay {

namespace {

void read_program(const std::string& program, std::set<std::string>& tables) {
  for (const auto& use : names_used(program)) {
    if (use.function == "ixit" || use.function == "ixit_declared" || use.function == "declared") {
      tables.insert(use.name);
    }
  }
}

/// Tables that a sentence for a person names.
void read_text(const std::string& text, const Plan& plan, std::set<std::string>& tables) {
  for (const auto& table : plan.ixit_tables) {
    if (text.find(" " + table) != std::string::npos) {
      tables.insert(table);
    }
  }
}

}  // namespace

std::set<std::string> ixit_tables_read(const Plan& plan) {
  std::set<std::string> tables;
  for (const auto& requirement : plan.requirements) {
    read_program(requirement.condition, tables);
  }
  for (const auto& test_case : plan.cases) {
    read_program(test_case.applies, tables);
    for (const auto& unit : test_case.units) {
      for (const auto* program : {&unit.fail, &unit.inconclusive, &unit.expect}) {
        read_program(*program, tables);
      }
      for (const auto& observe : unit.observe) {
        read_program(observe.for_each, tables);
      }
      if (unit.manual) {
        read_text(unit.manual->look_at, plan, tables);
      }
    }
  }
  return tables;
}

std::vector<std::string> provisions_asked(const Plan& plan) {
  std::set<std::string> wanted;
  for (const auto& requirement : plan.requirements) {
    wanted.insert(short_id(requirement.id));
    for (const auto& provision : requirement.evidence_from) {
      wanted.insert(short_id(provision));
    }
  }
  std::vector<std::string> out;
  std::copy_if(plan.ics_names.begin(), plan.ics_names.end(), std::back_inserter(out),
               [&](const std::string& id) { return wanted.contains(id); });
  return out;
}

}  // namespace assay
