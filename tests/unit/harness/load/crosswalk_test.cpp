#include <array>

#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

const std::string kFile = R"(assay: arrangements/1
id: arrangements
title: Recognition
schemes:
  far-label: {name: A label far away, owner: Somebody}
arrangements:
  - id: one
    between: here and there
    from: {label: x at level 1, schemes: [x], levels: ["1"]}
    to: {label: the label far away, schemes: [far-label], levels: [gold]}
    kind: label
    gives: The label.
    scope: everything
    scope_in: [camera]
    scope_out: [door-lock]
    agreed: "2024-10-16"
    effective: "2025-01-01"
    strength: sourced
    source: an announcement
products:
  - {id: medical, classes: [medical], schemes: [x], because: Out of scope., strength: sourced, source: a law}
)";

/// The errors of the library with `from` in the file replaced by `to`.
std::vector<std::string> errors_with(const std::string& from, const std::string& to) {
  TemporaryLibrary library;
  auto text = kFile;
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  library.write("crosswalk/a.yaml", text);
  return lines(load_crosswalk(library.library()).errors);
}

}  // namespace

TEST_CASE("crosswalk: arrangements and product rules are read") {
  TemporaryLibrary library;
  library.write("crosswalk/a.yaml", kFile);
  const auto read = load_crosswalk(library.library());
  CHECK(lines(read.errors) == std::vector<std::string>{});
  REQUIRE(read.value);
  REQUIRE(read.value->arrangements.size() == 1);
  const auto& one = read.value->arrangements.front();
  CHECK(one.from.names("x/1"));
  CHECK_FALSE(one.from.names("x/2"));
  CHECK_FALSE(one.from.names("y/1"));
  CHECK(one.to.names("far-label/gold"));
  CHECK(one.kind == ArrangementKind::label);
  CHECK(one.effective == "2025-01-01");
  CHECK(one.scope_out == std::vector<std::string>{"door-lock"});
  REQUIRE(read.value->products.size() == 1);
  CHECK(read.value->products.front().classes == std::vector<std::string>{"medical"});
}

TEST_CASE("crosswalk: each fault is told at its place") {
  const std::vector<std::array<std::string, 3>> rows = {
      {"schemes: [x], levels: [\"1\"]", "schemes: [xx], levels: [\"1\"]",
       "testplans/crosswalk/a.yaml:9:43: neither the library's plans nor \"schemes\" of this file have the scheme "
       "\"xx\"; did you mean \"x\"?"},
      {"levels: [\"1\"]", "levels: [\"9\"]",
       "testplans/crosswalk/a.yaml:9:56: these schemes have no plan of level \"9\"; known: 1"},
      {"scope_in: [camera]", "scope_in: [camera, door-lock]",
       "testplans/crosswalk/a.yaml:15:17: \"door-lock\" is in scope_in too"},
      {"agreed: \"2024-10-16\"\n    effective: \"2025-01-01\"\n", "ended: undated\n",
       "testplans/crosswalk/a.yaml:7:5: an arrangement needs \"agreed\" or \"effective\""},
      {"strength: sourced\n    source: an", "ended: \"2024-12-31\"\n    strength: sourced\n    source: an",
       "testplans/crosswalk/a.yaml:18:5: the arrangement ends before it begins (2025-01-01)"},
      {"id: medical", "id: one", "testplans/crosswalk/a.yaml:21:10: there is a row \"one\" already"},
  };
  for (const auto& row : rows) {
    INFO(row[1]);
    CHECK(errors_with(row[0], row[1]) == std::vector<std::string>{row[2]});
  }
}

TEST_CASE("crosswalk: words and days are checked") {
  CHECK(errors_with("[camera]", "[camra]").front().find("camera") != std::string::npos);
  CHECK(errors_with("2025-01-01", "2025-02-29").size() == 1);
  CHECK(errors_with("kind: label", "kind: recognised").size() == 1);
}
