#include <algorithm>
#include <sstream>

#include "reports/json/ascii.hpp"
#include "reports/json/report.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_bundle.hpp"

using namespace assay;

namespace {

std::string report_of(const Bundle& bundle) {
  std::ostringstream out;
  REQUIRE(write_json_report(bundle, out));
  return out.str();
}

std::string golden_report() {
  const TempFolder folder;
  golden::write(folder.path());
  return report_of(golden::open(folder.path()));
}

}  // namespace

TEST_CASE("the JSON report of the golden bundle is the golden one") {
  CHECK(golden::difference("report.json", golden_report()) == "");
}

TEST_CASE("the JSON report of an open run is the golden one and has no summary") {
  const TempFolder folder;
  golden::write_open(folder.path());
  const auto text = report_of(golden::open(folder.path()));
  CHECK(golden::difference("report-open.json", text) == "");
  const auto report = parse_json(text, "report");
  REQUIRE(report);
  CHECK(report->at("summary").is_null());
  CHECK(report->at("requirements").as_array().empty());
  CHECK(report->at("observations").as_array().size() == 9);
}

TEST_CASE("the JSON report is the same bytes wherever the bundle lies and whenever it is written") {
  CHECK(golden_report() == golden_report());
}

TEST_CASE("the JSON report keeps hostile text exactly and shows none of it to a terminal") {
  const auto text = golden_report();
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7F); }));
  const auto report = parse_json(text, "report");
  REQUIRE(report);
  const auto& banner = report->at("observations").at(1).at("facts").at("service.banner");
  CHECK(std::string_view{banner.as_string()} == golden::hostile());
}

TEST_CASE("evidence in the JSON report leads to the file and the observation to its event") {
  const TempFolder folder;
  golden::write(folder.path());
  const auto bundle = golden::open(folder.path());
  const auto report = parse_json(report_of(bundle), "report");
  REQUIRE(report);
  const auto& evidence =
      report->at("requirements").at(6).at("cases").at(0).at("units").at(0).at("findings").at(0).at("evidence").at(0);
  const auto path = std::string{std::string_view{evidence.at("path").as_string()}};
  CHECK(std::filesystem::file_size(folder.path() / path) == evidence.at("size").to_number<std::uintmax_t>());
  CHECK(evidence.at("media_type") == "text/plain");
  const auto sequence = report->at("observations").at(1).at("sequence").to_number<std::size_t>();
  CHECK(bundle.events().at(sequence - 1).data.at("observation").at("id") == "o2");
}

TEST_CASE("ASCII JSON is read back as the same value") {
  const json::value value = {{"a\x7F", json::array{1, -2, nullptr, true, json::object{}, json::array{}}},
                             {"\xC2\x80\xE2\x80\xAE\xF0\x9F\x98\x80\xEF\xBF\xBF", "\x01\"\\/\xC3\xA9"}};
  const auto text = reports::ascii_json(value);
  CHECK(text.find("\\u0080\\u202e\\ud83d\\ude00\\uffff") != std::string::npos);
  const auto again = parse_json(text, "text");
  REQUIRE(again);
  CHECK(*again == value);
}

TEST_CASE("a JSON report that cannot be written is an error") {
  const TempFolder folder;
  golden::write(folder.path());
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  const auto written = write_json_report(golden::open(folder.path()), out);
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::io);
}
