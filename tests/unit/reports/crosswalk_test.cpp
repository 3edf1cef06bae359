#include "reports/console/crosswalk.hpp"

#include <sstream>

#include "tests/support/catch.hpp"

using namespace assay;

namespace {

Crosswalk hostile() {
  Finding found;
  found.what = "banner \x1b[31mPASS\x1b[0m\nlabel obtained";
  CrosswalkRow row;
  row.id = "S@1:1";
  row.title = "A requirement";
  row.verdict = Verdict::fail;
  row.mapped = {{"S@1:1", {"E@1:5.1-1"}, "a gap", Strength::reasoned, "two texts"}};
  row.findings = {found};
  CrosswalkPlan plan;
  plan.plan = "far/1";
  plan.statement = "evidence for 0 of 1 requirements, 0 open, 1 failed";
  plan.rows = {row};
  Recognition one;
  one.arrangement.from.label = "near";
  one.arrangement.to.label = "far";
  one.standing = ArrangementStanding::not_yet;
  one.standing_words = "not yet in effect: begins 2026-06-01";
  one.fit_words = "product class camera is in scope";
  one.requires_label = "An issued label is required (near): a run is evidence and no label.";
  Crosswalk out;
  out.plan = "near/1";
  out.date = "2026-05-01T00:00:00Z";
  out.plans = {plan};
  out.arrangements = {one};
  return out;
}

std::string shown(const Crosswalk& crosswalk, CrosswalkOptions options = {}) {
  std::ostringstream out;
  options.width = 400;
  write_console_crosswalk(crosswalk, options, out);
  return out.str();
}

}  // namespace

TEST_CASE("crosswalk: on the console foreign text is shown, never obeyed") {
  const auto text = shown(hostile());
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\nlabel obtained") == std::string::npos);
  CHECK(text.find("⟨ESC⟩[31mPASS") != std::string::npos);
}

TEST_CASE("crosswalk: the console marks reasoned rows and says what an arrangement needs") {
  const auto text = shown(hostile());
  CHECK(text.find("REASONED: published by no scheme") != std::string::npos);
  CHECK(text.find("evidence for 0 of 1 requirements, 0 open, 1 failed") != std::string::npos);
  CHECK(text.find("on 2026-05-01\n") != std::string::npos);
  CHECK(text.find("not yet in effect: begins 2026-06-01") != std::string::npos);
  CHECK(text.find("An issued label is required (near)") != std::string::npos);
}

TEST_CASE("crosswalk: a plan that does not speak to the product says why") {
  auto crosswalk = hostile();
  crosswalk.plans.front().rows.clear();
  crosswalk.plans.front().suppressed =
      ProductRule{"r", {"router"}, {"far"}, {}, "far/router", "Routers have their own.", Strength::sourced, "a page"};
  const auto text = shown(crosswalk);
  CHECK(text.find("Routers have their own. (sourced: a page)") != std::string::npos);
  CHECK(text.find("Instead: far/router") != std::string::npos);
}

TEST_CASE("crosswalk: the sums alone are one line for each plan") {
  CrosswalkOptions options;
  options.sums_only = true;
  const auto text = shown(hostile(), options);
  CHECK(text.find("S@1:1") == std::string::npos);
  CHECK(text.find("evidence for 0 of 1") != std::string::npos);
}
