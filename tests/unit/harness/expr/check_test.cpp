#include <string>
#include <vector>

#include "harness/expr/expr.hpp"
#include "harness/expr/scan.hpp"
#include "tests/support/catch.hpp"

using namespace assay;

TEST_CASE("A program that compiles is accepted without being run") {
  CHECK(check_program("obs(\"ports\") | fact(\"ports.open\")[] | .endpoint", "a.yaml:1:2").has_value());
  CHECK(check_program("error(\"only when run\")", "a.yaml:1:2").has_value());
  CHECK(check_program("# why\ndef f(x): x + 1; f(2) # and so on", "a.yaml:1:2").has_value());
}

TEST_CASE("A program that does not compile is refused in one sentence with its place") {
  const auto syntax = check_program("1 +\n| 2", "a.yaml:7:9");
  REQUIRE_FALSE(syntax.has_value());
  CHECK(syntax.error().kind == ErrorKind::bad_input);
  CHECK(syntax.error().where == "a.yaml:7:9");
  CHECK(syntax.error().what ==
        "the expression does not compile: syntax error, unexpected '|' (line 2 of the expression)");
  const auto name = check_program("facts(\"x\")", "a.yaml:1:1");
  REQUIRE_FALSE(name.has_value());
  CHECK(name.error().what == "the expression does not compile: facts/1 is not defined (line 1 of the expression)");
  const auto shut = check_program("input", "a.yaml:1:1");
  REQUIRE_FALSE(shut.has_value());
  CHECK(shut.error().what.find("\"input\" is shut") == 0);
}

TEST_CASE("One program that does not compile spoils no other") {
  const std::vector<ProgramText> programs = {{"1", "a"}, {"2 +", "b"}, {"3", "c"}, {"nowhere", "d"}, {"[4", "e"}};
  const auto results = check_programs(programs);
  REQUIRE(results.size() == 5);
  CHECK(results[0].has_value());
  CHECK_FALSE(results[1].has_value());
  CHECK(results[2].has_value());
  CHECK_FALSE(results[3].has_value());
  CHECK(results[3].error().where == "d");
  CHECK_FALSE(results[4].has_value());
}

TEST_CASE("Literal names are found in code, not in strings and comments") {
  const std::string program =
      "obs(\"services\") | select(fact(\"service.tls\"; false) and support(\"5.1-1\") == \"Y\") # fact(\"no\")\n"
      "| {what: \"fact(\\\"no\\\") \\(fact(\"service.banner\"))\", x: ixit(.name), y: declared(\"15-Intf\"; "
      ".endpoint)}";
  const auto uses = names_used(program);
  REQUIRE(uses.size() == 5);
  CHECK(uses[0].function == "obs");
  CHECK(uses[0].name == "services");
  CHECK(uses[1].name == "service.tls");
  CHECK(uses[2].function == "support");
  CHECK(uses[3].name == "service.banner");
  CHECK(program.substr(uses[3].offset, 14) == "service.banner");
  CHECK(uses[4].function == "declared");
}

TEST_CASE("The scanner splits as jq does") {
  const auto tokens = expr::scan(".a.b[1.5e3] // @base64 \"x\\(.c)y\" | $v").tokens;
  std::string kinds;
  for (const auto& token : tokens) {
    kinds += std::to_string(static_cast<int>(token.kind));
  }
  CHECK(kinds == "11767775471772");  // .a .b [ 1.5e3 ] / / @base64 "…\\( ( .c ) | $v
  CHECK_FALSE(expr::scan("(]").problem.empty());
  CHECK_FALSE(expr::scan(std::string(5000, '[')).problem.empty());
}
