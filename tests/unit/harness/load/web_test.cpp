#include "harness/load/parts.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

const std::string kBegin =
    "assay: dut/1\ndevice: {vendor: V, model: M}\nsamples: [{id: A, at: {lan: 10.20.0.5}}]\nscope: "
    "[10.20.0.0/28]\nweb:\n  - {";

std::vector<std::string> wrong(const std::string& entry) {
  return lines(load_dut({"dut.yaml", kBegin + entry + "}\n"}).errors);
}

}  // namespace

TEST_CASE("dut: a web interface is read with its requests and pages") {
  const auto dut = load_dut(
      {"dut.yaml", kBegin + "port: tcp/443, log_out: {method: GET, path: /bye}, set_up: {exec: ./up.sh, within: 2min}, "
                            "setting: {page: /s, body: 'n={value}', read: /s, value: Hub}, "
                            "pages: [{path: /u, roles: [admin]}], "
                            "change_password: {path: /p, body: '{\"new\": \"{password}\"}'}}\n"});
  CHECK(lines(dut.errors) == std::vector<std::string>{});
  REQUIRE(dut.value);
  REQUIRE(dut.value->web.size() == 1);
  const auto& web = dut.value->web.front();
  CHECK(web.port.text() == "tcp/443");
  CHECK(web.log_out->path == "/bye");
  CHECK(web.set_up->exec == "./up.sh");
  CHECK(web.set_up->within_ms == 120'000);
  CHECK(web.setting->read == "/s");
  CHECK(web.pages.front().roles == std::vector<std::string>{"admin"});
  CHECK(web.change_password->body == R"({"new": "{password}"})");
}

TEST_CASE("dut: a web interface that could not be used is refused with its place") {
  CHECK(wrong("port: udp/1").size() == 1);
  CHECK(wrong("port: tcp/1, log_out: {path: bye}").size() == 1);
  CHECK(wrong("port: tcp/1, log_out: {method: POST}").size() == 1);
  CHECK(wrong("port: tcp/1, change_password: {path: /p, body: 'a=b'}").size() == 1);
  CHECK(wrong("port: tcp/1, change_password: {exec: x, prompt: 'set {password}'}").size() == 1);
  CHECK(wrong("port: tcp/1, change_password: {path: /p, body: '{\"a\": {password}'}").size() == 1);
  CHECK(wrong("port: tcp/1, change_password: {prompt: 'set it'}").size() == 1);
  CHECK(wrong("port: tcp/1}\n  - {port: tcp/1").size() == 1);
  CHECK(wrong("port: tcp/1, log_out: {path: /o, headers: ['no header']}").size() == 1);
  CHECK(wrong("port: tcp/1, log_out: {path: /o, headers: ['X-T: {token}']}").size() == 1);
  CHECK(wrong("port: tcp/1, log_out: {path: /o, token: cookie T}").size() == 1);
  CHECK(wrong("port: tcp/1, log_out: {path: /o, headers: ['X-T: {token}'], token: somewhere}").size() == 1);
  CHECK(wrong("port: tcp/1, set_up: {exec: x, headers: ['X-T: 1']}").size() == 1);
  CHECK(wrong("port: tcp/1, log_out: {method: GET, path: /o, body: '{\"a\": 1}'}").size() == 1);
}

TEST_CASE("dut: a setting may be changed by GET, by a form or a link of a page too") {
  for (const auto* where : {"path: /set", "page: /s", "page: /s, path: /set"}) {
    CAPTURE(where);
    const auto dut = load_dut({"dut.yaml", kBegin + "port: tcp/443, setting: {method: GET, " + where +
                                               ", body: 'name={value}', read: /s, value: Hub}}\n"});
    CHECK(lines(dut.errors) == std::vector<std::string>{});
    REQUIRE(dut.value);
    CHECK(dut.value->web.front().setting->change.method == "GET");
  }
}

TEST_CASE("dut: headers of a request and where their token is are read") {
  const auto dut =
      load_dut({"dut.yaml", kBegin + "port: tcp/443, log_out: {path: /bye, headers: ['X-T: {token}', 'X-R: hub'], "
                                     "token: '/api/csrf#/data/token'}}\n"});
  CHECK(lines(dut.errors) == std::vector<std::string>{});
  REQUIRE(dut.value);
  const auto& log_out = *dut.value->web.front().log_out;
  CHECK(log_out.headers == Later<std::string>{"X-T: {token}", "X-R: hub"});
  CHECK(log_out.token == Later<std::string>{"/api/csrf#/data/token"});
}

TEST_CASE("password rules: a mark stands where its kind needs it, and only a blank value is blank") {
  const auto faults = [](const std::string& entry) {
    return lines(validate_file({"r.yaml", "assay: password-rules/1\nid: r\ntitle: T\nsource: S\nweak:\n  - {" + entry +
                                              ", source: s, confidence: reasoned}\n"},
                               PlanLibrary{std::filesystem::path{ASSAY_SOURCE_DIR} / "testplans"}, catalogue()));
  };
  CHECK(faults("kind: short, value: \"{random:5}\"").empty());
  CHECK(faults("kind: username, value: admin").size() == 1);
  CHECK(faults("kind: previous, value: \"{old}\"").empty());
  CHECK(faults("kind: short, value: \"\"").size() == 1);
  CHECK(faults("kind: blank, value: x").size() == 1);
  CHECK(faults("kind: doubled, value: \"kk{random:8}\", schemes: [cls-iot-gateway, cls-iot]").empty());
  CHECK(faults("kind: short, value: x, schemes: [CLS of gateways]").size() == 1);
}
