#include "harness/lab/placeholders.hpp"

#include "tests/support/catch.hpp"

namespace assay {
namespace {

Placeholders some() {
  Placeholders names;
  names.set("dir", "/d");
  names.set("port:http", "80");
  names.set("loop", "{dir}");
  return names;
}

TEST_CASE("Placeholders are filled in wherever they stand") {
  const auto filled = some().fill("{dir}/www {port:http}{dir}", "here");
  REQUIRE(filled);
  CHECK(*filled == "/d/www 80/d");
}

TEST_CASE("Braces that hold no placeholder stay as they are") {
  const std::string text = "server { listen 1; } {} {1} {a b} { dir } {dir.x} ${dir} {dir: } {dir:} {\n} {";
  const auto filled = some().fill(text, "here");
  REQUIRE(filled);
  CHECK(*filled == text);
}

TEST_CASE("A filled-in value is not searched again") {
  const auto filled = some().fill("{loop}", "here");
  REQUIRE(filled);
  CHECK(*filled == "{dir}");
}

TEST_CASE("An unknown placeholder is an error that names the known ones and the place") {
  const auto filled = some().fill("{port:htttp}", "daemon httpd");
  REQUIRE_FALSE(filled);
  CHECK(filled.error().kind == ErrorKind::bad_input);
  CHECK(filled.error().where == "daemon httpd");
  CHECK(filled.error().what == "there is no placeholder {port:htttp}; known are {dir}, {loop}, {port:http}");
}

}  // namespace
}  // namespace assay
