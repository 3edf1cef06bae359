#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

using Lines = std::vector<std::string>;

/// Errors of plan x/1 after a change of one file of the fixture.
Lines after(const std::string& name, const std::string& text, const std::string& from, const std::string& to) {
  const TemporaryLibrary library;
  library.change(name, text, from, to);
  return library.errors();
}

Lines cases_after(const std::string& from, const std::string& to) {
  return after("cases/m/c.yaml", TemporaryLibrary::cases(), from, to);
}

Lines plan_after(const std::string& from, const std::string& to) {
  return after("schemes/x/one.yaml", TemporaryLibrary::plan(), from, to);
}

/// Errors of plan x/2, which extends x/1, with a change.
Lines child_after(const std::string& from, const std::string& to) {
  const TemporaryLibrary library;
  library.change("cases/m/c.yaml", TemporaryLibrary::cases(), "cases:\n",
                 "cases:\n  - id: M@1:5.1-2-1\n    covers: S@1:5.1-2\n    title: T\n"
                 "    units: [{id: a, title: T, planned_probe: firmware}]\n");
  library.change("schemes/x/two.yaml", TemporaryLibrary::child_plan(), from, to);
  return library.errors("x/2");
}

const std::string kCases = "testplans/cases/m/c.yaml:";
const std::string kPlan = "testplans/schemes/x/one.yaml:";
const std::string kChild = "testplans/schemes/x/two.yaml:";
const std::string kStandard = "testplans/standards/s.yaml:";

}  // namespace

TEST_CASE("plan: a small library becomes a plan") {
  const TemporaryLibrary library;
  const auto loaded = library.load();
  REQUIRE(lines(loaded.errors) == Lines{});
  const auto& plan = *loaded.value;
  CHECK(plan.id == "x/1");
  CHECK(plan.scheme == Scheme{"A scheme", "Somebody", "D 1", false});
  CHECK_FALSE(plan.approval);
  CHECK(plan.standard == "S@1");
  CHECK(plan.method == "M@1");
  CHECK(plan.ics_names == Lines{"5.1-1", "5.1-2"});
  CHECK(plan.ixit_tables == Lines{"1-AuthMech", "15-Intf"});
  CHECK(plan.parameters == json::object{{"tls", json::object{{"minimum", 1}}}});
  REQUIRE(plan.requirements.size() == 1);
  CHECK(plan.requirements[0] == Requirement{"S@1:5.1-1",
                                            "First",
                                            Modality::shall,
                                            "support(\"5.1-1\") != \"N/A\"",
                                            "passwords are used",
                                            {},
                                            "",
                                            Strength::derived,
                                            "",
                                            "this",
                                            "that",
                                            "those",
                                            "x/1",
                                            kPlan + "9:5"});
  CHECK(plan.inputs == std::vector<InputFile>{{"testplans/cases/m/c.yaml", ""},
                                              {"testplans/cases/m/method.yaml", ""},
                                              {"testplans/schemes/x/one.yaml", ""},
                                              {"testplans/standards/s.yaml", ""}});
}

TEST_CASE("plan: a case arrives with defaults, order and places") {
  const TemporaryLibrary library;
  const auto plan = library.load();
  REQUIRE(plan.value.has_value());
  REQUIRE(plan.value->cases.size() == 1);
  const auto& a_case = plan.value->cases[0];
  CHECK(a_case.id == "M@1:5.1-1-1");
  CHECK(a_case.states == Lines{"initialised"});
  CHECK(a_case.vantages == Lines{"lan"});
  CHECK(a_case.samples == 1);
  CHECK(a_case.where == kCases + "4:5");
  CHECK(a_case.where_applies == kCases + "7:14");
  REQUIRE(a_case.units.size() == 2);
  const auto& unit = a_case.units[0];
  REQUIRE(unit.observe.size() == 2);
  CHECK(to_json(unit.observe[0]) == to_json(Observe{"ports", "ports", "", json::object{{"tcp", "all"}}, ""}));
  CHECK(to_json(unit.observe[1]) ==
        to_json(Observe{"services", "services", "obs(\"ports\") | fact(\"ports.open\")[] | .endpoint", json::object{},
                        kCases + "13:50"}));
  CHECK(unit.expand == "services");
  CHECK(unit.needs == Lines{"service.protocol"});
  CHECK(unit.where == kCases + "9:9");
  CHECK(unit.where_expect == kCases + "15:17");
  CHECK(unit.where_fail == kCases + "18:11");
  CHECK(unit.where_inconclusive == kCases + "21:23");
  CHECK(unit.can_pass);
  CHECK(a_case.units[1].closes == Closes::assessor);
  CHECK(a_case.units[1].manual == ManualStep{"Is it so", "", "", "", "", {"photo"}});
}

TEST_CASE("plan: a state pair observes before and after its trigger") {
  const std::string from = "manual: {question: Is it so, attachments: [photo]}";
  const auto unit = [&](const std::string& text) {
    return TemporaryLibrary::cases().replace(TemporaryLibrary::cases().find(from), from.size(), text);
  };
  const TemporaryLibrary library;
  library.change("cases/m/c.yaml",
                 unit("probe: ports\n        pair: {trigger: services_off, ask: Switch it off}\n"
                      "        fail: changes(\"ports.open\") | .stayed[]"),
                 "assay:", "assay:");
  const auto loaded = library.load();
  REQUIRE(lines(loaded.errors) == Lines{});
  const auto& read = loaded.value->cases[0].units[1];
  REQUIRE(read.observe.size() == 2);
  CHECK(read.observe[0].alias == "before");
  CHECK(read.observe[1].alias == "after");
  CHECK(read.pair == Later<StatePair>{{"services_off", "", "Switch it off", {"after"}}});
  CHECK(is_after_trigger(read, "after"));
  CHECK_FALSE(is_after_trigger(read, "before"));
  const std::string half =
      "26:15: a pair needs an alias before the trigger and one after it: name the later ones in \"after\"";
  const std::string ports = "{probe: ports}";
  const std::string pair = "\n        pair: {trigger: services_off";
  CHECK(cases_after(from, "observe: {a: " + ports + "}" + pair + ", after: [a]}") == Lines{kCases + half});
  CHECK(cases_after(from, "observe: {a: " + ports + ", b: " + ports + "}" + pair + "}") == Lines{kCases + half});
  CHECK(cases_after(from, "observe: {a: " + ports + ", b: " + ports + "}" + pair + ", after: [c]}") ==
        Lines{kCases + "26:15: this unit has no alias \"c\"; known: a, b"});
  CHECK(cases_after(from, "probe: ports" + pair + "}\n        fail: changes(\"ports.opne\")") ==
        Lines{kCases + "27:24: changes(\"ports.opne\"): no probe that fail can read declares this fact; did you mean "
                       "\"ports.open\"?"});
}

TEST_CASE("plan: the short form of observe is one alias with the probe's name") {
  const TemporaryLibrary library;
  library.change("cases/m/c.yaml", TemporaryLibrary::cases(), "manual: {question: Is it so, attachments: [photo]}",
                 "probe: credentials\n        with: {vendor: false}\n        for_each: '\"tcp/22\"'\n"
                 "        expand: credentials\n        fail: fact(\"credentials.accepted\")[]");
  const auto plan = library.load();
  REQUIRE(lines(plan.errors) == Lines{});
  CHECK(plan.value->cases[0].units[1].observe ==
        std::vector<Observe>{
            {"credentials", "credentials", "\"tcp/22\"", json::object{{"vendor", false}}, kCases + "27:20"}});
}

TEST_CASE("plan: mistakes in units are told with place and nearest name") {
  const std::vector<std::tuple<std::string, std::string, std::string>> rows{
      {"probe: ports,", "probe: port,", "12:26: this build has no probe \"port\"; did you mean \"ports\"?"},
      {"{tcp: all}", "{tpc: all}", "12:40: probe ports has no parameter \"tpc\"; did you mean \"tcp\"?"},
      {"{tcp: all}", "{tcp: 80}", "12:45: parameter \"tcp\" of probe ports must be of kind text"},
      {"with: {tcp: all}", "for_each: '\"tcp/1\"'",
       "12:33: the probe ports looks at the device: leave \"for_each\" out"},
      {"needs: [service.protocol]", "needs: [service.protocl]",
       "16:17: no probe of this unit declares the fact \"service.protocl\"; did you mean \"service.protocol\"?"},
      {"expand: services", "expand: service", "14:17: this unit has no alias \"service\"; did you mean \"services\"?"},
      {"        expand: services\n", "", "14:9: \"expect\" names endpoints that \"expand\" must reach: add \"expand\""},
      {"fact(\"service.protocol\"; \"\")", "fact(\"service.protokol\"; \"\")",
       "19:28: fact(\"service.protokol\"): no probe that fail can read declares this fact; did you mean "
       "\"service.protocol\"?"},
      {"          obs(\"services\")\n", "          obs(\"servces\")\n",
       "18:16: obs(\"servces\"): fail knows no such alias; did you mean \"services\"?"},
      {"'obs(\"ports\") |", "'obs(\"services\") |",
       "13:55: obs(\"services\"): for_each knows no such alias; known: ports"},
      {"fact(\"ports.open\")", "fact(\"service.banner\")",
       "13:71: fact(\"service.banner\"): no probe that for_each can read declares this fact; known: ports.open, "
       "ports.filtered, ports.unreliable, ports.closed"},
      {"expect: ixit(\"15-Intf\")", "expect: ixit(\"15-Itf\")",
       "15:23: ixit(\"15-Itf\"): the method has no such IXIT table; did you mean \"15-Intf\"?"},
      {"ixit_declared(\"15-Intf\")", "support(\"5.1-9\") == \"Y\"",
       "7:23: support(\"5.1-9\"): the standard has no such provision; did you mean \"5.1-1\"?"},
      {"ixit_declared(\"15-Intf\")", "fact(\"ports.open\") == []",
       "7:20: fact(\"ports.open\") is not possible in applies: it is decided before anything is observed"},
      {"manual: {question: Is it so, attachments: [photo]}", "planned_probe: ports",
       "25:24: the probe ports is in this build: use it in \"observe\""},
      {"manual: {question: Is it so, attachments: [photo]}", "remedy: none",
       "22:9: nothing settles this unit: give it one of observe, probe, manual, planned_probe"},
      {"manual: {question: Is it so, attachments: [photo]}", "planned_probe: firmware\n        for_each: '\"tcp/1\"'",
       "26:9: \"for_each\" stands beside \"probe\", or inside an alias of \"observe\""},
      {"        expand: services\n", "        expand: services\n        probe: ports\n",
       "15:9: write either \"probe\" or \"observe\": probe is short for observe with one alias"},
      {"id: b", "id: a", "22:13: this case has a unit \"a\" already"},
      {"id: M@1:5.1-1-1", "id: N@1:5.1-1-1",
       "4:9: \"N@1:5.1-1-1\" does not belong here: ids of this file begin with \"M@1:\""},
  };
  for (const auto& [from, to, error] : rows) {
    CHECK(cases_after(from, to) == Lines{kCases + error});
  }
}

TEST_CASE("plan: an endpoint probe needs for_each") {
  CHECK(cases_after(", for_each: 'obs(\"ports\") | fact(\"ports.open\")[] | .endpoint'", "") ==
        Lines{kCases + "13:29: the probe services looks at endpoints: add \"for_each\" that yields them"});
}

TEST_CASE("plan: with an unknown probe its facts are not told as well") {
  CHECK(cases_after("{probe: services,", "{probe: sevices,") ==
        Lines{kCases + "13:29: this build has no probe \"sevices\"; did you mean \"services\"?"});
}

TEST_CASE("plan: a program that does not compile is told at its first line") {
  const auto errors = cases_after("| {what: \"telnet\", endpoint: .endpoint}", "| {what: \"telnet\"");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].starts_with(kCases + "18:11: "));
  const auto unknown_function = cases_after("ixit_declared(\"15-Intf\")", "suport(\"5.1-1\")");
  REQUIRE(unknown_function.size() == 1);
  CHECK(unknown_function[0].starts_with(kCases + "7:14: "));
  CHECK(unknown_function[0].find("suport") != std::string::npos);
}

TEST_CASE("plan: a requirement needs a provision, its modality and a case") {
  CHECK(plan_after("S@1:5.1-1", "S@1:5.1-7") ==
        Lines{kPlan + "9:10: S@1 has no provision \"S@1:5.1-7\"; did you mean \"S@1:5.1-1\"?"});
  CHECK(plan_after("modality: shall", "modality: should") ==
        Lines{kPlan + "9:33: the modality of S@1:5.1-1 is shall in S@1 (" + kStandard + "5:9)"});
  CHECK(plan_after("S@1:5.1-1\", modality: shall", "S@1:5.1-2\"") ==
        Lines{kPlan + "9:10: no case of M@1 covers S@1:5.1-2: add one"});
  CHECK(plan_after("requirements:\n", "requirements:\n  - {id: \"S@1:5.1-1\"}\n") ==
        Lines{kPlan + "10:10: the requirement \"S@1:5.1-1\" is written twice; the first is at " + kPlan + "9:5"});
}

TEST_CASE("plan: editions have to be in the library") {
  CHECK(plan_after("standard: S@1", "standard: S@2") ==
        Lines{kPlan + "5:1: the library has no standard \"S@2\"; did you mean \"S@1\"?"});
  CHECK(plan_after("method: M@1", "method: M@2") ==
        Lines{kPlan + "6:1: the library has no method \"M@2\"; did you mean \"M@1\"?"});
  CHECK(plan_after("cases_from: [M@1]", "cases_from: [M@1, N@1]") ==
        Lines{kPlan + "7:19: the library has no method \"N@1\"; did you mean \"M@1\"?"});
  CHECK(plan_after("method: M@1\n", "") ==
        Lines{kPlan + "1:1: the plan lacks the key \"method\": only a plan that extends another may leave it out"});
  CHECK(cases_after("covers: S@1:5.1-1", "covers: S@1:5.9-1") ==
        Lines{kCases + "5:13: S@1 has no provision \"S@1:5.9-1\"; did you mean \"S@1:5.1-1\"?",
              kPlan + "9:10: no case of M@1 covers S@1:5.1-1: add one"});
}

TEST_CASE("plan: a standard's conditions and ids are checked") {
  const auto standard_after = [](const std::string& from, const std::string& to) {
    return after("standards/s.yaml", TemporaryLibrary::standard(), from, to);
  };
  CHECK(standard_after("support(\"5.1-1\")", "support(\"5.1-11\")") ==
        Lines{kStandard + "8:26: support(\"5.1-11\"): the standard has no such provision; did you mean \"5.1-1\"?"});
  CHECK(standard_after("support(\"5.1-1\")", "obs(\"ports\")") ==
        Lines{kStandard +
              "8:22: obs(\"ports\") is not possible in a condition: it is decided before anything is observed"});
  CHECK(standard_after("S@1:5.1-2", "S@1:5.1-1") ==
        Lines{kStandard + "10:10: the provision \"S@1:5.1-1\" is written twice; the first is at " + kStandard + "5:9"});
}

TEST_CASE("plan: a child takes over what its parent says and adds to it") {
  const TemporaryLibrary library;
  library.change("cases/m/c.yaml", TemporaryLibrary::cases(), "cases:\n",
                 "cases:\n  - id: M@1:5.1-2-1\n    covers: S@1:5.1-2\n    title: T\n"
                 "    units: [{id: a, title: T, planned_probe: firmware}]\n");
  library.write("schemes/x/two.yaml", TemporaryLibrary::child_plan());
  const auto plan = library.load("x/2");
  REQUIRE(lines(plan.errors) == Lines{});
  CHECK(plan.value->extends == Lines{"x/1"});
  CHECK(plan.value->scheme.name == "A scheme");
  CHECK(plan.value->method == "M@1");
  CHECK(plan.value->parameters == json::object{{"tls", json::object{{"minimum", 1}}}, {"other", 2}});
  REQUIRE(plan.value->requirements.size() == 2);
  CHECK(plan.value->requirements[0].level == "x/1");
  CHECK(plan.value->requirements[1].level == "x/2");
  CHECK(plan.value->requirements[1].modality == Modality::should);
  REQUIRE(plan.value->cases.size() == 2);
  CHECK(plan.value->cases[1].id == "M@1:5.1-2-1");
  CHECK(library.load("x/1").value->cases.size() == 1);
}

TEST_CASE("plan: a child may not change what it inherits; both places are told") {
  CHECK(child_after("{other: 2}", "{tls: {minimum: 0}}") ==
        Lines{kChild + "7:14: the parameter \"tls\" is inherited (" + kPlan + "10:14) and may not be changed"});
  CHECK(child_after("{other: 2}", "{tls: {minimum: 1}}") == Lines{});
  CHECK(child_after("  - {id: \"S@1:5.1-2\"}\n", "  - {id: \"S@1:5.1-1\"}\n") ==
        Lines{kChild + "6:10: the requirement \"S@1:5.1-1\" is inherited from x/1 (" + kPlan +
              "9:5) and may not be changed: leave it out"});
  CHECK(child_after("extends: x/1\n", "extends: x/1\nmethod: N@1\n")[0] ==
        kChild + "5:9: \"method\" is M@1 in x/1 (" + kPlan + "6:1) and may not be changed");
}

TEST_CASE("plan: extends has to lead somewhere, and not in a circle") {
  CHECK(child_after("extends: x/1", "extends: x/0")[0].starts_with(kChild + "4:10: the library has no plan \"x/0\""));
  CHECK(child_after("extends: x/1", "extends: x/2")[0] ==
        kChild + "4:10: the plans extend each other in a circle: \"x/2\" is extended on the way here");
  const TemporaryLibrary library;
  library.change("schemes/x/one.yaml", TemporaryLibrary::plan(), "title: Level 1\n", "title: Level 1\nextends: x/2\n");
  library.write("schemes/x/two.yaml", TemporaryLibrary::child_plan());
  const auto errors = library.errors("x/1");
  CHECK(std::find(errors.begin(), errors.end(),
                  kChild + "4:10: the plans extend each other in a circle: \"x/1\" is extended on the way here") !=
        errors.end());
}

TEST_CASE("plan: an unknown plan is told with the nearest") {
  const TemporaryLibrary library;
  CHECK(library.errors("x/3") == Lines{"the library has no plan \"x/3\"; did you mean \"x/1\"?"});
  CHECK(lines(load_plan({library.path("nowhere")}, "x/1", catalogue()).errors)
            .back()
            .ends_with("nowhere: there is no plan library here"));
}

TEST_CASE("plan: an id belongs to one file, a case to one place") {
  const TemporaryLibrary library;
  library.write("schemes/x/same.yaml", TemporaryLibrary::plan());
  CHECK(library.errors() ==
        Lines{"testplans/schemes/x/same.yaml:2:5: the id \"x/1\" is taken already by " + kPlan + "2:5"});
  CHECK(lines(list_plans(library.library()).errors) == library.errors());
  const TemporaryLibrary other;
  other.write("cases/m/d.yaml", TemporaryLibrary::cases());
  CHECK(other.errors() == Lines{"testplans/cases/m/d.yaml:4:9: the case \"M@1:5.1-1-1\" is written twice; the first is "
                                "at " +
                                kCases + "4:9"});
}

TEST_CASE("plan: a file that cannot be read as YAML is told whatever plan is asked for") {
  const TemporaryLibrary library;
  library.write("cases/other/broken.yaml", "a: [1\n");
  const auto errors = library.errors();
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].starts_with("testplans/cases/other/broken.yaml:"));
}

TEST_CASE("plan: a mistake in another plan does not stop this one") {
  const TemporaryLibrary library;
  library.write("schemes/y/one.yaml", "assay: plan/1\nid: y/1\nunknown: 1\n");
  CHECK(library.errors() == Lines{});
  CHECK(list_plans(library.library()).errors.size() == 3);
}

TEST_CASE("plan: its sources are the bytes of its inputs, in their order") {
  const TemporaryLibrary library;
  auto plan = *library.load().value;
  const auto sources = plan_sources(library.library(), plan);
  REQUIRE(sources.has_value());
  REQUIRE(sources->size() == 4);
  CHECK((*sources)[2].path == "testplans/schemes/x/one.yaml");
  CHECK((*sources)[2].text == TemporaryLibrary::plan());
  plan.inputs = {{"testplans/../../secret", ""}};
  CHECK(plan_sources(library.library(), plan).error().what == "the plan names a file outside of the library");
  plan.inputs = {{"testplans/gone.yaml", ""}};
  CHECK(plan_sources(library.library(), plan).error().where == "testplans/gone.yaml");
}

TEST_CASE("plan: places do not depend on how the library's folder is written") {
  const TemporaryLibrary library;
  for (const std::string root : {"", "/", "/./", "/../testplans"}) {
    const auto plan = load_plan({library.library().root.string() + root}, "x/1", catalogue());
    REQUIRE(lines(plan.errors) == Lines{});
    CHECK(plan.value->requirements[0].where == kPlan + "9:5");
    CHECK(plan.value->inputs[0].path == "testplans/cases/m/c.yaml");
    CHECK(plan_sources({library.library().root.string() + root}, *plan.value).has_value());
  }
}

TEST_CASE("library: plans, cases and dictionaries are listed") {
  const TemporaryLibrary library;
  library.write("schemes/x/two.yaml", TemporaryLibrary::child_plan());
  const auto plans = list_plans(library.library());
  REQUIRE(plans.value.has_value());
  REQUIRE(plans.value->size() == 2);
  CHECK((*plans.value)[1].id == "x/2");
  CHECK((*plans.value)[1].scheme.name == "A scheme");
  CHECK((*plans.value)[1].path == library.path("schemes/x/two.yaml"));
  CHECK(load_cases(library.library(), catalogue()).value->size() == 1);
  library.write("dictionaries/d.yaml",
                "assay: dictionary/1\nid: d\ntitle: T\nsource: S\ncredentials: [{username: a, password: b}]\n");
  const auto dictionaries = load_dictionaries(library.library());
  REQUIRE(dictionaries.value.has_value());
  CHECK(dictionaries.value->at("d").credentials.size() == 1);
}

TEST_CASE("plan: a file that the plan does not need is not read, and validate tells what is wrong with it") {
  TemporaryLibrary library;
  library.write("cases/other.yaml", "assay: cases/1\nmethod: OTHER@1\ncases: [oops\n");
  const auto plan = load_plan(library.library(), "x/1", catalogue());
  CHECK(lines(plan.errors) == std::vector<std::string>{});
  const SourceText broken{"other.yaml", slurp(library.library().root / "cases/other.yaml")};
  CHECK_FALSE(validate_file(broken, library.library(), catalogue()).empty());
}

TEST_CASE("plan: a file is found by what its head says, however that is written") {
  for (const auto* head :
       {"assay: plan/1\nid: x/9\n", "# a comment\nassay: \"plan/1\"\nid: \"x/9\"\n", "{assay: plan/1, id: x/9,\n",
        "id: x/9\nassay: plan/1\n", "assay: plan/1   # a plan\nid: x/9   # the ninth\n"}) {
    CAPTURE(head);
    TemporaryLibrary library;
    const std::string rest =
        head[0] == '{' ? "title: t, extends: x/1, requirements: []}\n" : "title: t\nextends: x/1\nrequirements: []\n";
    library.write("schemes/x/nine.yaml", head + rest);
    const auto plan = load_plan(library.library(), "x/9", catalogue());
    CHECK(lines(plan.errors) == std::vector<std::string>{});
  }
}
