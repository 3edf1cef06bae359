#include "harness/judge/recognition.hpp"

#include <algorithm>
#include <tuple>

#include "harness/load/load.hpp"
#include "tests/support/catch.hpp"

using namespace assay;

namespace {

Arrangement dated(std::string agreed, std::string effective, std::string ended = "") {
  Arrangement out;
  out.agreed = std::move(agreed);
  out.effective = std::move(effective);
  out.ended = std::move(ended);
  return out;
}

const CrosswalkData& shipped() {
  static const auto loaded = load_crosswalk(PlanLibrary{std::filesystem::path{ASSAY_SOURCE_DIR} / "testplans"})
                                 .value.value_or(CrosswalkData{});
  return loaded;
}

const Arrangement& row(const std::string& id) {
  const auto& rows = shipped().arrangements;
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.id == id; });
  REQUIRE(found != rows.end());
  return *found;
}

std::string rule_for(const std::string& plan, const std::string& product_class) {
  const auto* rule = suppressing_rule(shipped(), plan, product_class);
  return rule == nullptr ? "" : rule->id;
}

}  // namespace

TEST_CASE("recognition: where an arrangement stands on a day") {
  using S = ArrangementStanding;
  const std::vector<std::tuple<Arrangement, std::string, ArrangementStanding>> rows = {
      {dated("2024-10-16", "2025-01-01"), "2024-12-31T23:59:59Z", S::not_yet},
      {dated("2024-10-16", "2025-01-01"), "2025-01-01T00:00:00Z", S::in_force},
      {dated("2024-10-16", "2025-01-01", "2026-12-31"), "2026-12-30", S::in_force},
      {dated("2024-10-16", "2025-01-01", "2026-12-31"), "2026-12-31", S::ended},
      {dated("2024-10-16", "2025-01"), "2024-12-31", S::not_yet},
      {dated("2024-10-16", "2025-01"), "2025-01-15", S::unclear},
      {dated("2024-10-16", "2025-01"), "2025-02-01", S::in_force},
      {dated("2024-10-16", "2025-01-01", "2026"), "2026-06-01", S::unclear},
      {dated("2024-10-16", "2025-01-01", "2026"), "2027-01-01", S::ended},
      {dated("2024-10-16", ""), "2024-10-15", S::not_yet},
      {dated("2024-10-16", ""), "2026-01-01", S::unclear},
      {dated("2021-10", "", "undated"), "2026-01-01", S::ended},
  };
  for (const auto& [arrangement, day, standing] : rows) {
    INFO(arrangement.agreed << " " << arrangement.effective << " " << arrangement.ended << " on " << day);
    CHECK(standing_on(arrangement, day) == standing);
  }
}

TEST_CASE("recognition: how a product class lies to a scope") {
  Arrangement open;
  open.scope_out = {"medical"};
  Arrangement listed;
  listed.scope_in = {"camera"};
  listed.scope_out = {"door-lock"};
  CHECK(fit_of(open, "camera") == ScopeFit::in);
  CHECK(fit_of(open, "medical") == ScopeFit::out);
  CHECK(fit_of(open, "other") == ScopeFit::not_named);
  CHECK(fit_of(open, "unknown") == ScopeFit::unknown);
  CHECK(fit_of(listed, "camera") == ScopeFit::in);
  CHECK(fit_of(listed, "door-lock") == ScopeFit::out);
  CHECK(fit_of(listed, "speaker") == ScopeFit::not_named);
}

TEST_CASE("recognition: the shipped rows begin on their days") {
  using S = ArrangementStanding;
  const std::vector<std::tuple<std::string, std::string, ArrangementStanding>> rows = {
      {"sg-kr", "2024-12-31", S::not_yet},  {"sg-kr", "2025-01-01", S::in_force},
      {"kr-sg", "2025-01-01", S::in_force}, {"sg-uk", "2025-12-31", S::not_yet},
      {"sg-uk", "2026-01-01", S::in_force}, {"jp-uk", "2025-12-31", S::not_yet},
      {"uk-jp", "2026-01-01", S::in_force}, {"sg-jp", "2026-05-31", S::not_yet},
      {"sg-jp", "2026-06-01", S::in_force}, {"jp-sg", "2026-06-01", S::in_force},
      {"fi-sg", "2026-06-01", S::ended},    {"sg-de-consumer", "2026-06-01", S::unclear},
  };
  for (const auto& [id, day, standing] : rows) {
    INFO(id << " on " << day);
    CHECK(standing_on(row(id), day) == standing);
  }
}

TEST_CASE("recognition: the shipped scopes and product rules") {
  for (const std::string id : {"de-sg-consumer", "sg-de-consumer"}) {
    CHECK(fit_of(row(id), "door-lock") == ScopeFit::out);
    CHECK(fit_of(row(id), "smoke-detector") == ScopeFit::out);
    CHECK(fit_of(row(id), "camera") == ScopeFit::in);
    CHECK(fit_of(row(id), "router") == ScopeFit::not_named);
  }
  CHECK(fit_of(row("sg-de-router"), "router") == ScopeFit::in);
  CHECK(rule_for("uk-psti/1", "medical") == "medical-uk");
  CHECK(rule_for("en-18031/1", "medical") == "medical-red");
  CHECK(rule_for("bsi-itsik/consumer", "router") == "router-de");
  CHECK(rule_for("bsi-itsik/router", "router").empty());
  CHECK(rule_for("jc-star/1", "battery-sensor-without-ip") == "sensor-jp");
  CHECK(rule_for("jc-star/1", "sensor").empty());
  CHECK(rule_for("uk-psti/1", "camera").empty());
}

TEST_CASE("recognition: only arrangements from the plan's own label are said") {
  std::vector<std::string> ids;
  for (const auto& one : recognitions(shipped(), "cls-iot/3", "2026-11-24T00:00:00Z", "camera")) {
    ids.push_back(one.arrangement.id);
    CHECK_FALSE(one.standing_words.empty());
    CHECK_FALSE(one.fit_words.empty());
  }
  CHECK(ids == std::vector<std::string>{"sg-fi", "sg-de-consumer", "sg-kr", "sg-uk"});
  CHECK(recognitions(shipped(), "cls-iot/1", "2026-11-24", "camera").size() == 2);  // the United Kingdom and Japan
}
