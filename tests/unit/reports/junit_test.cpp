#include <algorithm>
#include <sstream>

#include "reports/junit/report.hpp"
#include "reports/junit/xml.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_bundle.hpp"

using namespace assay;

namespace {

std::string report_of(const Bundle& bundle, JunitOpen open = JunitOpen::skipped) {
  std::ostringstream out;
  REQUIRE(write_junit_report(bundle, {open}, out));
  return out.str();
}

std::string golden_report(JunitOpen open = JunitOpen::skipped) {
  const TempFolder folder;
  golden::write(folder.path());
  return report_of(golden::open(folder.path()), open);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t out = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) {
    ++out;
  }
  return out;
}

}  // namespace

TEST_CASE("the JUnit report of the golden bundle is the golden one") {
  CHECK(golden::difference("junit.xml", golden_report()) == "");
}

TEST_CASE("every verdict has its JUnit outcome") {
  const auto text = golden_report();
  CHECK(count(text, "<testcase ") == 9);
  CHECK(count(text, "<failure type=\"FAIL\"") == 1);
  CHECK(count(text, "<error type=\"ERROR\"") == 1);
  CHECK(count(text, "<skipped type=\"INCONCLUSIVE\"") == 2);
  CHECK(count(text, "<skipped type=\"NOT_TESTED\"") == 1);
  CHECK(count(text, "<skipped type=\"NOT_APPLICABLE\"") == 1);
  CHECK(count(text, "<skipped type=\"NOT_CLAIMED\"") == 1);
  CHECK(count(text, "<skipped ") + count(text, "<failure ") + count(text, "<error ") == 7);
}

TEST_CASE("open units can be made to fail or to err, and nothing else changes") {
  const auto failing = golden_report(JunitOpen::failure);
  CHECK(golden::difference("junit-open-as-failure.xml", failing) == "");
  CHECK(count(failing, "<failure type=\"INCONCLUSIVE\"") == 2);
  CHECK(count(failing, "<failure type=\"NOT_TESTED\"") == 1);
  CHECK(count(failing, "<skipped ") == 2);
  const auto erring = golden_report(JunitOpen::error);
  CHECK(count(erring, "<error type=\"INCONCLUSIVE\"") == 2);
  CHECK(count(erring, "<failure ") == 1);
}

TEST_CASE("an open run never reads as green") {
  const TempFolder folder;
  golden::write_open(folder.path());
  const auto text = report_of(golden::open(folder.path()));
  CHECK(golden::difference("junit-open-run.xml", text) == "");
  CHECK(count(text, "<error ") == 1);
  CHECK(count(text, "<skipped ") == 7);
}

TEST_CASE("text for XML has only legal characters and no mark of its own") {
  CHECK(reports::xml_text("<a b=\"c\">&'</a>]]>") == "&lt;a b=&quot;c&quot;&gt;&amp;'&lt;/a&gt;]]&gt;");
  CHECK(reports::xml_text("a\nb\tc") == "a\nb\tc");
  CHECK(reports::xml_attribute("a\nb\tc<\"") == "a&#10;b&#9;c&lt;&quot;");
  CHECK(reports::xml_text("\xF0\x9D\x94\x98") == "\xF0\x9D\x94\x98");
  for (int byte = 0; byte < 0x20; ++byte) {
    const auto text = reports::xml_attribute(std::string(1, static_cast<char>(byte)));
    INFO(byte);
    CHECK_FALSE(text.empty());
    CHECK(std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  }
  for (const auto* illegal : {"\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xED\xA0\x80", "\xFF", "\xC0\x80"}) {
    const auto text = reports::xml_text(illegal);
    CHECK(text.find(illegal) == std::string::npos);
    CHECK_FALSE(text.empty());
  }
  CHECK(reports::xml_text("\xE2\x80\xAE").find("\xE2\x80\xAE") == std::string::npos);
}

TEST_CASE("a JUnit report that cannot be written is an error") {
  const TempFolder folder;
  golden::write(folder.path());
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  const auto written = write_junit_report(golden::open(folder.path()), {}, out);
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::io);
}
