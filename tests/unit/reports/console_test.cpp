#include <filesystem>
#include <sstream>
#include <string>

#include "harness/model/display.hpp"
#include "reports/common/reading.hpp"
#include "reports/console/report.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_bundle.hpp"

using assay::ConsoleOptions;
using assay::TempFolder;

namespace {

/// The report names the bundle's folder: the golden one is opened as "bundle" in a folder of its own.
class AtHome {
 public:
  AtHome() : before_(std::filesystem::current_path()) { std::filesystem::current_path(folder_.path()); }

  ~AtHome() { std::filesystem::current_path(before_); }

  AtHome(const AtHome&) = delete;
  AtHome& operator=(const AtHome&) = delete;

 private:
  TempFolder folder_;
  std::filesystem::path before_;
};

std::string console_of(const assay::Bundle& bundle, const ConsoleOptions& options) {
  std::ostringstream out;
  assay::write_console_report(bundle, options, out);
  return out.str();
}

std::string golden_console(const ConsoleOptions& options) {
  const AtHome home;
  assay::golden::write("bundle");
  return console_of(assay::golden::open("bundle"), options);
}

/// Without what sets a colour: from ESC to "m".
std::string without_escapes(std::string text) {
  for (auto at = text.find('\x1b'); at != std::string::npos; at = text.find('\x1b', at)) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  return text;
}

}  // namespace

TEST_CASE("The console report of the golden bundle is the golden one") {
  CHECK(assay::golden::difference("console.txt", golden_console({})).empty());
}

TEST_CASE("The verbose console report adds cases, units and the limits of the run") {
  const auto verbose = golden_console({.colour = false, .verbose = true, .width = 100});
  CHECK(assay::golden::difference("console-verbose.txt", verbose).empty());
  CHECK(verbose.find("Limits of this run") != std::string::npos);
}

TEST_CASE("The console report of an open run says so and names no verdict") {
  const AtHome home;
  assay::golden::write_open("bundle");
  const auto text = console_of(assay::golden::open("bundle"), {});
  CHECK(assay::golden::difference("console-open.txt", text).empty());
  CHECK(text.find("The run is still open: no verdicts yet.") != std::string::npos);
  CHECK(text.find("PASS") == std::string::npos);
}

TEST_CASE("Colour adds escapes and changes no letter") {
  const auto plain = golden_console({});
  const auto coloured = golden_console({.colour = true, .verbose = false, .width = 100});
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(coloured.find("\x1b[1;31m✗ FAIL\x1b[0m") != std::string::npos);
  CHECK(without_escapes(coloured) == plain);
}

TEST_CASE("No line of the console report is wider than asked") {
  for (const int width : {60, 80, 100, 200}) {
    std::istringstream lines{golden_console({.colour = false, .verbose = true, .width = width})};
    for (std::string line; std::getline(lines, line);) {
      INFO(width << ": " << line);
      CHECK(assay::display_width(line) <= static_cast<std::size_t>(width));
    }
  }
}

TEST_CASE("A width that makes no sense is taken as the narrowest that can be read") {
  CHECK(golden_console({.colour = false, .verbose = false, .width = -5}) ==
        golden_console({.colour = false, .verbose = false, .width = 40}));
}

TEST_CASE("A device's text can neither steer the terminal nor reorder the line") {
  const auto text = golden_console({.colour = false, .verbose = true, .width = 100});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find('\0') == std::string::npos);
  CHECK(text.find("\xE2\x80\xAE") == std::string::npos);
  CHECK(text.find("⟨U+202E⟩") != std::string::npos);
}

TEST_CASE("What is open is said once for all units that wait for the same thing") {
  assay::RequirementVerdict requirement;
  requirement.id = "S@1:5.1-1";
  requirement.verdict = assay::Verdict::inconclusive;
  assay::CaseVerdict item;
  item.id = "T@1:5.1-1-1";
  for (const auto* id : {"T@1:5.1-1-1/a/tcp/22", "T@1:5.1-1-1/a/tcp/80"}) {
    assay::UnitVerdict unit;
    unit.id = id;
    unit.verdict = assay::Verdict::inconclusive;
    unit.open = {{"IXIT 1-AuthMech is not declared", "", "", "", {}, {}}};
    unit.remedy = "Declare IXIT 1-AuthMech.";
    item.units.push_back(unit);
  }
  requirement.cases = {item};
  const auto items = assay::reports::open_items({}, requirement);
  REQUIRE(items.size() == 1);
  CHECK(items[0].what == "IXIT 1-AuthMech is not declared");
  CHECK(items[0].closes.empty());
  CHECK(items[0].units.size() == 2);
}

TEST_CASE("What would close a unit is the missing probe or an answer, and never the remedy for failing") {
  assay::Plan plan;
  assay::Case planned;
  planned.id = "T@1:5.1-1-1";
  planned.units.resize(4);
  planned.units[0].id = "a";
  planned.units[0].planned_probe = "update";
  planned.units[1].id = "b";
  planned.units[1].manual = assay::ManualStep{"Is it so?", "the manual", "", "", "", {}};
  planned.units[2].id = "c";
  planned.units[3].id = "d";
  plan.cases = {planned};
  assay::CaseVerdict item;
  item.id = planned.id;
  for (const auto* id : {"a", "b", "c", "d"}) {
    assay::UnitVerdict unit;
    unit.id = planned.id + "/" + id;
    unit.verdict = assay::Verdict::not_tested;
    unit.because = std::string{"because of "} + id;
    unit.remedy = "Do something.";
    item.units.push_back(unit);
  }
  item.units[1].open = {{"Is it so?", "", "it is so", "", {}, {}}};
  item.units[3].open = {{"nothing came", "tcp/80", "", "", {}, {"o1"}}};
  assay::RequirementVerdict requirement;
  requirement.verdict = assay::Verdict::not_tested;
  requirement.cases = {item};
  const auto items = assay::reports::open_items(plan, requirement);
  REQUIRE(items.size() == 4);
  CHECK(items[0].closes == "The probe “update”, which this build does not have.");
  CHECK(items[0].waits_for == assay::reports::WaitsFor::probe);
  CHECK(items[1].waits_for == assay::reports::WaitsFor::answer);
  CHECK(items[2].waits_for == assay::reports::WaitsFor::other);
  CHECK(items[1].what == "Is it so?");
  CHECK(items[1].closes == "An assessor's answer. Look at: the manual");
  CHECK(items[2].closes.empty());
  CHECK(items[3].what == "tcp/80: nothing came");
  CHECK(items[3].closes.empty());
}

TEST_CASE("The limits of a run name what was not allowed, not run, cut short and assumed") {
  const TempFolder folder;
  auto plan = assay::golden::run_plan();
  plan.steps[0].allowed = false;
  plan.steps[0].intrusiveness = assay::Intrusiveness::destructive;
  auto made = assay::evidence::create_bundle(folder.path() / "b", plan, {}, assay::golden::clock());
  REQUIRE(made);
  assay::Observation cut;
  cut.id = "o1";
  cut.invocation.probe = "credentials";
  cut.completion = assay::Completion::timed_out;
  cut.error = "no answer";
  cut.coverage = {{"login", assay::json::object{{"skipped_budget", 12}, {"skipped_stopped", 0}}}};
  REQUIRE((*made)->append("observation", {{"observation", assay::to_json(cut)}}));
  const auto bundle = assay::golden::open(folder.path() / "b");
  std::vector<std::string> kinds;
  for (const auto& limit : assay::reports::limits(bundle, bundle.observations())) {
    kinds.push_back(limit.kind);
  }
  CHECK(kinds == std::vector<std::string>{"assumption", "assumption", "left out", "applicability open", "not allowed",
                                          "not run", "not completed", "limited", "open"});
}

TEST_CASE("Many findings and many open things are cut short unless everything is asked for") {
  const AtHome home;
  auto made = assay::evidence::create_bundle("b", assay::golden::run_plan(), {}, assay::golden::clock());
  REQUIRE(made);
  auto verdicts = assay::golden::verdicts();
  auto& units = verdicts.requirements[6].cases[0].units;
  units[0].findings.resize(7, {"again", "", "", "", {}, {}});
  for (int i = 0; i < 20; ++i) {
    units[2].open.push_back({"missing " + std::to_string(i), "", "", "", {}, {}});
  }
  REQUIRE((*made)->close(verdicts));
  const auto bundle = assay::golden::open("b");
  const auto brief = console_of(bundle, {});
  CHECK(brief.find("- and 2 more, in the report") != std::string::npos);
  CHECK(brief.find("missing 19") == std::string::npos);
  CHECK(brief.find("5.3-2: The probe “update”, which this build does not have.") != std::string::npos);
  const auto verbose = console_of(bundle, {.colour = false, .verbose = true, .width = 100});
  CHECK(verbose.find("in the report") == std::string::npos);
  CHECK(verbose.find("missing 19") != std::string::npos);
}

TEST_CASE("A fact is told in lines, bounded, and a value in a value as JSON") {
  using assay::json::array;
  using assay::json::object;
  using Lines = std::vector<std::string>;
  CHECK(assay::reports::lines_of("text") == Lines{"text"});
  CHECK(assay::reports::lines_of(true) == Lines{"yes"});
  CHECK(assay::reports::lines_of(nullptr) == Lines{"null"});
  CHECK(assay::reports::lines_of(array{}) == Lines{"none"});
  CHECK(assay::reports::lines_of(array{object{{"endpoint", "tcp/80"}, {"reason", "syn-ack"}}, "x"}) ==
        Lines{"endpoint tcp/80, reason syn-ack", "x"});
  CHECK(assay::reports::lines_of(object{{"offered", array{"http", 2}}, {"deep", array{object{{"a", 1}}}}}) ==
        Lines{"offered: http, 2", "deep: [{\"a\":1}]"});
  CHECK(assay::reports::lines_of(array{1, 2, 3, 4}, 2) == Lines{"1", "2", "and 2 more, in the journal"});
}

TEST_CASE("A time is made readable only when it is one") {
  CHECK(assay::reports::readable_time("2026-11-23T18:00:00.123456789Z") == "2026-11-23 18:00:00 UTC");
  CHECK(assay::reports::readable_time("yesterday") == "yesterday");
  CHECK(assay::reports::readable_time("") == "");
  CHECK(assay::reports::readable_time("2026-11-23T18:00:0xZ") == "2026-11-23T18:00:0xZ");
}
