#include "harness/load/load.hpp"
#include "tests/unit/harness/expr/update_facts.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

/// Which bad packages the case of TR-03148 asks for.
using namespace assay;
using namespace assay::update_facts;

namespace {

/// What a unit of the library's cases asks.
Unit unit_of_case(const std::string& case_id, const std::string& unit) {
  const PlanLibrary library{std::filesystem::path{ASSAY_SOURCE_DIR} / "testplans"};
  const auto cases = load_cases(library, load_fixtures::catalogue());
  REQUIRE(cases.value);
  for (const auto& one : *cases.value) {
    for (const auto& found : one.units) {
      if (one.id == case_id && found.id == unit) {
        return found;
      }
    }
  }
  FAIL("no unit " << case_id << "/" << unit);
  return {};
}

}  // namespace

TEST_CASE("updates: a package with a wrong date is asked for where the image shows a date, and nowhere else") {
  const auto unit = unit_of_case("TR03148P@1.2:E.5-packages", "offered");
  UpdateFacts facts;
  facts.images = {json::object{{"mechanism", "UM-1"}, {"created", 1000}},
                  json::object{{"mechanism", "UM-2"}, {"created", nullptr}}};
  facts.not_tried = {not_tried("date-lied", "UM-2"), not_tried("no-signature", "UM-1")};
  CHECK(facts.run(unit.inconclusive).items.empty());
  facts.not_tried.push_back(not_tried("date-lied", "UM-1"));
  CHECK(first_of(facts.run(unit.inconclusive)) == "An attack, on UM-1: not tried, for the format has nothing like it");
  facts.not_tried.push_back(not_tried("flip-signature", "UM-2"));
  CHECK(facts.run(unit.inconclusive).items.size() == 2);
  CHECK(facts.run(unit.fail).items.empty());
  facts.attempts.push_back(attempt("date-lied", "UM-1", true));
  CHECK(facts.run(unit.fail).items.size() == 1);
}
