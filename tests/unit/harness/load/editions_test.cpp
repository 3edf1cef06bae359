// What lets several editions and standards share cases: `like`, mappings, further standards; and the terms of a
// standard.
#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

using Lines = std::vector<std::string>;

/// A second edition of the fixture's standard and method, whose case is like that of the first.
void add_second_edition(const TemporaryLibrary& library, const std::string& test_case) {
  library.write("standards/s2.yaml", R"(assay: standard/1
id: S@2
title: A standard, second edition
terms:
  passwords: {words: passwords are used, shown_by: 'ixit_declared("1-AuthMech") and any(ixit("1-AuthMech"); true)'}
  network: {words: it is on a network}
provisions:
  - {id: "S@2:5.1-1", title: First, modality: shall, when: [passwords]}
  - {id: "S@2:5.1-2", title: Second, modality: should, when: [passwords, network]}
)");
  library.write("cases/m2/method.yaml", R"(assay: method/1
id: M@2
title: A method, second edition
standard: S@2
ixit_tables: {1-AuthMech: {about: Logins}, 28-LogIntf: {about: Interfaces}}
renamed: {15-Intf: 28-LogIntf}
)");
  library.write("cases/m2/c.yaml", "assay: cases/1\nmethod: M@2\ncases:\n" + test_case);
  library.write("schemes/x/two.yaml", R"(assay: plan/1
id: y/1
title: Newer
scheme: {name: A scheme, owner: Somebody, document: D 2}
standard: S@2
method: M@2
cases_from: [M@2]
requirements:
  - {id: "S@2:5.1-1"}
)");
}

const std::string kLike = "  - id: M@2:5.1-1-1\n    covers: S@2:5.1-1\n    like: M@1:5.1-1-1\n";

/// A standard of a scheme's own, whose one provision is supported by the fixture's.
void add_scheme_standard(const TemporaryLibrary& library, const std::string& gap, const std::string& cases_from) {
  library.write("standards/own.yaml", R"(assay: standard/1
id: OWN@1
title: A scheme's own
provisions:
  - {id: "OWN@1:p", title: Paragraph, modality: shall}
)");
  library.write("cases/own/method.yaml", R"(assay: method/1
id: OWN@1
title: A scheme's own
standard: OWN@1
declares_by: M@1
)");
  library.write("cases/own/c.yaml", R"(assay: cases/1
method: OWN@1
cases:
  - id: OWN@1:p-1
    covers: OWN@1:p
    title: What is left
    units: [{id: a, title: Look, closes: assessor, manual: {question: Is it so}}]
)");
  library.write("crosswalk/own.yaml", "assay: mapping/1\nfrom: OWN@1\nto: S@1\nrows:\n  - {id: \"OWN@1:p\", " + gap +
                                          "supported_by: [\"S@1:5.1-1\"]}\n");
  library.write("schemes/x/own.yaml", R"(assay: plan/1
id: own/1
title: Own
scheme: {name: A scheme, owner: Somebody, document: D 3}
standard: OWN@1
method: M@1
cases_from: )" + cases_from + R"(
requirements:
  - {id: "OWN@1:p"}
)");
}

std::vector<std::string> case_ids(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& one : plan.cases) {
    out.push_back(one.id);
  }
  return out;
}

}  // namespace

TEST_CASE("editions: a case like another takes over what it does not say, with the new names of tables") {
  const TemporaryLibrary library;
  add_second_edition(library, kLike);
  const auto plan = library.load("y/1");
  REQUIRE(lines(plan.errors) == Lines{});
  const auto& one = plan.value->cases.at(0);
  CHECK(one.id == "M@2:5.1-1-1");
  CHECK(one.covers == "S@2:5.1-1");
  CHECK(one.title == "A case");
  CHECK(one.applies == "ixit_declared(\"28-LogIntf\")");
  REQUIRE(one.units.size() == 2);
  CHECK(one.units[0].expect == "ixit(\"28-LogIntf\") | .port");
  CHECK(one.units[1].manual->question == "Is it so");
}

TEST_CASE("editions: units of a like case are replaced, added and left out by id") {
  const TemporaryLibrary library;
  const std::string own =
      "[{id: a, title: Other, closes: assessor, manual: {question: What}}, "
      "{id: c, title: New, planned_probe: firmware}]";
  add_second_edition(library, kLike + "    title: Renewed\n    without: [b]\n    units: " + own + "\n");
  const auto plan = library.load("y/1");
  REQUIRE(lines(plan.errors) == Lines{});
  const auto& one = plan.value->cases.at(0);
  CHECK(one.title == "Renewed");
  REQUIRE(one.units.size() == 2);
  CHECK(one.units[0].title == "Other");
  CHECK(one.units[1].id == "c");
}

TEST_CASE("editions: mistakes in like and without are placed") {
  const TemporaryLibrary library;
  add_second_edition(library, kLike + "    without: [x]\n");
  CHECK(library.errors("y/1") == Lines{"testplans/cases/m2/c.yaml:7:15: M@1:5.1-1-1 has no unit \"x\""});
  add_second_edition(library, "  - id: M@2:5.1-1-1\n    covers: S@2:5.1-1\n    like: M@1:5.1-1-2\n");
  CHECK(library.errors("y/1") == Lines{"testplans/cases/m2/c.yaml:6:11: the library has no case \"M@1:5.1-1-2\" that "
                                       "stands on its own; did you mean \"M@1:5.1-1-1\"?"});
  add_second_edition(library, "  - id: M@2:5.1-1-1\n    covers: S@2:5.1-1\n");
  CHECK(library.errors("y/1").size() == 2);  // title and units
}

TEST_CASE("editions: terms make the condition, and the IXIT can show that they hold") {
  const TemporaryLibrary library;
  add_second_edition(library, kLike + "  - id: M@2:5.1-2-1\n    covers: S@2:5.1-2\n    like: M@1:5.1-1-1\n");
  library.change("schemes/x/two.yaml", slurp(library.path("schemes/x/two.yaml")), "5.1-1\"}", "5.1-2\"}");
  auto plan = library.load("y/1");
  REQUIRE(lines(plan.errors) == Lines{});
  CHECK(plan.value->requirements[0].condition == "support(\"5.1-2\") != \"N/A\"");  // "network" cannot be shown
  CHECK(plan.value->requirements[0].condition_words == "passwords are used, and it is on a network");
  library.change("schemes/x/two.yaml", slurp(library.path("schemes/x/two.yaml")), "5.1-2\"}", "5.1-1\"}");
  plan = library.load("y/1");
  CHECK(plan.value->requirements[0].condition ==
        "support(\"5.1-1\") != \"N/A\" or ((ixit_declared(\"1-AuthMech\") and any(ixit(\"1-AuthMech\"); true)))");
  library.change("standards/s2.yaml", slurp(library.path("standards/s2.yaml")), "when: [passwords]", "when: [pasword]");
  CHECK(library.errors("y/1") == Lines{"testplans/standards/s2.yaml:8:61: this standard has no term \"pasword\"; did "
                                       "you mean \"passwords\"?"});
}

TEST_CASE("editions: a mapping makes another standard's cases evidence") {
  const TemporaryLibrary library;
  add_scheme_standard(library, "", "[M@1]");
  const auto plan = library.load("own/1");
  REQUIRE(lines(plan.errors) == Lines{});
  CHECK(case_ids(*plan.value) == Lines{"M@1:5.1-1-1"});
  CHECK(plan.value->requirements[0].evidence_from == Lines{"S@1:5.1-1"});
  CHECK(plan.value->ics_names == Lines{"5.1-1", "5.1-2"});
  CHECK(is_evidence_for(plan.value->cases[0], plan.value->requirements[0]));
}

TEST_CASE("editions: what a mapping leaves open needs a case of its own") {
  const TemporaryLibrary library;
  add_scheme_standard(library, "gap: the label, ", "[M@1]");
  CHECK(library.errors("own/1") == Lines{"testplans/schemes/x/own.yaml:9:10: no case of M@1 covers what the mapping "
                                         "leaves open of OWN@1:p (the label): add one"});
  add_scheme_standard(library, "gap: the label, ", "[M@1, OWN@1]");
  const auto plan = library.load("own/1");
  REQUIRE(lines(plan.errors) == Lines{});
  CHECK(case_ids(*plan.value) == Lines{"OWN@1:p-1", "M@1:5.1-1-1"});
}

TEST_CASE("editions: requirements may come from further standards") {
  const TemporaryLibrary library;
  add_scheme_standard(library, "", "[M@1]");
  auto plan = TemporaryLibrary::plan();
  plan.replace(plan.find("method: M@1"), 0, "further_standards: [OWN@1]\n");
  plan.replace(plan.find("parameters:"), 0, "  - {id: \"OWN@1:p\"}\n");
  library.write("schemes/x/one.yaml", plan);
  const auto loaded = library.load();
  REQUIRE(lines(loaded.errors) == Lines{});
  CHECK(loaded.value->requirements.size() == 2);
  CHECK(case_ids(*loaded.value) == Lines{"M@1:5.1-1-1"});
}

TEST_CASE("declaration: tables, fields and forms are those of the edition") {
  const TemporaryLibrary library;
  library.change("cases/m/method.yaml", TemporaryLibrary::method(), "{about: Logins}",
                 "{about: Logins, fields: {id: {about: Name, required: true}, port: {about: Ports, form: port}, "
                 "per_device: {about: Unique, form: boolean}}}");
  const std::string dut =
      "assay: dut/1\ndevice: {vendor: V, model: M}\nsamples: [{id: A, at: {lan: 10.0.0.1}}]\nscope: [10.0.0.1]\n"
      "standard: M@1\nixit:\n  1-AuthMech:\n";
  const auto check = [&](const std::string& entry) {
    return lines(validate_file({"d", dut + "    - " + entry + "\n"}, library.library(), catalogue()));
  };
  CHECK(check("{id: AM-1, port: [tcp/80, tcp/443], per_device: true, x-note: as seen}") == Lines{});
  CHECK(check("{id: AM-1, per_devise: true}") ==
        Lines{"d:8:18: IXIT 1-AuthMech has no field \"per_devise\"; did you mean \"per_device\"?; notes of your own "
              "begin with x-"});
  CHECK(check("{id: AM-1, per_device: \"true\"}") ==
        Lines{"d:8:30: the field \"per_device\" of IXIT 1-AuthMech must be true or false"});
}
