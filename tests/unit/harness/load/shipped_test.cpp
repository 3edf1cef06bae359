#include <algorithm>

#include "harness/load/key_docs.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

const std::filesystem::path kSource = ASSAY_SOURCE_DIR;
const PlanLibrary kLibrary{kSource / "testplans"};

constexpr const char* kRegenerate =
    "regenerate with `assay validate --write-schemas testplans/schemas` or `unit_load '[write]'`";

struct DocPart {
  const char* file;
  const char* name;
  const Table* table;
};

const DocPart kDocParts[] = {
    {"docs/dut-format.md", "dut", &kDutTable},
    {"docs/dut-format.md", "job", &kJobTable},
    {"docs/dut-format.md", "dictionary", &kDictionaryTable},
    {"docs/dut-format.md", "payloads", &kPayloadsTable},
    {"docs/updates.md", "attacks", &kAttacksTable},
    {"docs/dut-format.md", "fingerprints", &kFingerprintsTable},
    {"docs/dut-format.md", "known-keys", &kKnownKeysTable},
    {"docs/plan-format.md", "standard", &kStandardTable},
    {"docs/plan-format.md", "method", &kMethodTable},
    {"docs/plan-format.md", "cases", &kCasesTable},
    {"docs/plan-format.md", "policy", &kPolicyTable},
    {"docs/plan-format.md", "password-rules", &kPasswordRulesTable},
    {"docs/plan-format.md", "mapping", &kMappingTable},
    {"docs/plan-format.md", "plan", &kPlanTable},
    {"docs/crosswalk.md", "arrangements", &kArrangementsTable},
    {"docs/plan-format.md", "approval", &kApprovalTable},
    {"docs/people.md", "answers", &kAnswersTable},
    {"docs/people.md", "reviews", &kReviewsTable},
    {"docs/people.md", "waivers", &kWaiversTable},
};

/// The span between the marks of a generated part, or npos.
std::pair<std::size_t, std::size_t> part_of(const std::string& text, const std::string& name) {
  const auto mark = "<!-- keys: " + name + " -->\n";
  const auto begin = text.find(mark);
  const auto end = text.find("<!-- /keys -->", begin);
  if (begin == std::string::npos || end == std::string::npos) {
    return {std::string::npos, std::string::npos};
  }
  return {begin + mark.size(), end};
}

}  // namespace

// One by one the program validates them in tests/architecture/plans_test.py.
TEST_CASE("the shipped library loads as a whole") {
  const auto plans = load_plans(kLibrary, catalogue());
  CHECK(lines(plans.errors) == std::vector<std::string>{});
  REQUIRE(plans.value);
  CHECK(!plans.value->empty());
  CHECK(lines(load_cases(kLibrary, catalogue()).errors) == std::vector<std::string>{});
  CHECK(lines(load_dictionaries(kLibrary).errors) == std::vector<std::string>{});
  const auto data = load_probe_data(kLibrary);
  CHECK(lines(data.errors) == std::vector<std::string>{});
  CHECK(data.value->dictionaries.contains("iot-common"));
  CHECK(!data.value->payloads.empty());
  CHECK(data.value->attacks.at("update").attacks.size() > 40);
  CHECK(data.value->fingerprints.size() > 20);
  CHECK(data.value->known_keys.size() > 100);
  CHECK(data.value->password_rules.contains("baseline-passwords"));
  const auto policies = load_policies(kLibrary);
  CHECK(lines(policies.errors) == std::vector<std::string>{});
  CHECK(policies.value->size() >= 3);
  CHECK(lines(load_approvals(kLibrary).errors) == std::vector<std::string>{});
  CHECK(lines(load_crosswalk(kLibrary).errors) == std::vector<std::string>{});
}

TEST_CASE("each scheme that shipped password rules name is one of a shipped plan") {
  const auto plans = load_plans(kLibrary, catalogue());
  const auto data = load_probe_data(kLibrary);
  REQUIRE(plans.value);
  REQUIRE(data.value);
  std::size_t named = 0;
  for (const auto& weak : data.value->password_rules.at("baseline-passwords").weak) {
    for (const auto& scheme : weak.schemes) {
      INFO(weak.value << " of " << scheme);
      CHECK(std::any_of(plans.value->begin(), plans.value->end(),
                        [&](const auto& plan) { return plan.id.starts_with(scheme + "/"); }));
      ++named;
    }
  }
  CHECK(named > 0);
}

TEST_CASE("each level of a scheme has all that the level below has, with the same parameters") {
  const auto plans = load_plans(kLibrary, catalogue());
  REQUIRE(plans.value);
  std::map<std::string, const Plan*> by_id;
  for (const auto& plan : *plans.value) {
    by_id[plan.id] = &plan;
  }
  std::size_t compared = 0;
  for (const auto& plan : *plans.value) {
    if (plan.extends.empty()) {
      continue;
    }
    INFO(plan.id);
    const auto& below = *by_id.at(plan.extends.front());
    CHECK(plan.requirements.size() > below.requirements.size());
    for (const auto& requirement : below.requirements) {
      CHECK(std::find(plan.requirements.begin(), plan.requirements.end(), requirement) != plan.requirements.end());
    }
    for (const auto& [name, value] : below.parameters) {
      CHECK(plan.parameters.at(name) == value);
    }
    ++compared;
  }
  CHECK(compared >= 3);
}

TEST_CASE("the schema files are those of the key tables") {
  for (const auto& [name, text] : schemas()) {
    INFO(name << " differs: " << kRegenerate);
    const bool same = slurp(kLibrary.root / "schemas" / name) == text;
    CHECK(same);
  }
  CHECK(schemas().size() == 19);
}

TEST_CASE("the tables of the docs are those of the key tables") {
  for (const auto& part : kDocParts) {
    INFO(part.file << ", part " << part.name << ": " << kRegenerate);
    const auto text = slurp(kSource / part.file);
    const auto [begin, end] = part_of(text, part.name);
    REQUIRE(begin != std::string::npos);
    const bool same = text.substr(begin, end - begin) == key_docs(*part.table);
    CHECK(same);
  }
}

TEST_CASE("the examples of the docs are valid files") {
  std::size_t count = 0;
  for (const std::string file : {"docs/dut-format.md", "docs/plan-format.md", "docs/crosswalk.md"}) {
    const auto text = slurp(kSource / file);
    const std::string fence = "```yaml\nassay: ";
    for (auto at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
      const auto begin = at + std::string{"```yaml\n"}.size();
      const SourceText example{file + " example", text.substr(begin, text.find("\n```", begin) + 1 - begin)};
      INFO(example.text);
      CHECK(lines(validate_file(example, kLibrary, catalogue())) == std::vector<std::string>{});
      ++count;
    }
  }
  CHECK(count == 15);
}

// Hidden: writes what the tests above compare. Run with `unit_load '[write]'`.
TEST_CASE("write the generated schemas and tables of the docs", "[.][write]") {
  for (const auto& [name, text] : schemas()) {
    std::ofstream(kLibrary.root / "schemas" / name, std::ios::binary) << text;
  }
  for (const auto& part : kDocParts) {
    auto text = slurp(kSource / part.file);
    const auto [begin, end] = part_of(text, part.name);
    REQUIRE(begin != std::string::npos);
    text.replace(begin, end - begin, key_docs(*part.table));
    std::ofstream(kSource / part.file, std::ios::binary) << text;
  }
}
