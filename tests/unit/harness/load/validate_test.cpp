#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

using Lines = std::vector<std::string>;

Lines validate(const TemporaryLibrary& library, const std::string& path, const std::string& text) {
  return lines(validate_file({path, text}, library.library(), catalogue()));
}

std::string changed(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("validate: every kind of file is recognised by its assay line") {
  const TemporaryLibrary library;
  CHECK(validate(library, library.path("standards/s.yaml").string(), TemporaryLibrary::standard()) == Lines{});
  CHECK(validate(library, library.path("cases/m/method.yaml").string(), TemporaryLibrary::method()) == Lines{});
  CHECK(validate(library, library.path("cases/m/c.yaml").string(), TemporaryLibrary::cases()) == Lines{});
  CHECK(validate(library, library.path("schemes/x/one.yaml").string(), TemporaryLibrary::plan()) == Lines{});
  CHECK(validate(library, "j", "assay: job/1\nreport: {number: R}\n") == Lines{});
  CHECK(validate(library, "d", "assay: device/1\ntitle: T\nports: {http: tcp/80}\ndaemons: []\n") == Lines{});
  CHECK(validate(library, "e", "assay: expected/1\nexpectations: [{plan: x/1, fail: []}]\n") == Lines{});
  CHECK(validate(library, "d", "assay: device/1\ntitle: T\nports: {http: 80}\ndaemons: []\n") ==
        Lines{"d:3:15: \"http\" must be an endpoint such as tcp/443, not \"80\""});
  CHECK(validate(library, "e", "assay: expected/1\nexpectations: [{plan: x/1, fail: [], hold: {\"S@1:a\": FALI}}]\n") ==
        Lines{"e:2:54: \"S@1:a\" must be one of PASS, FAIL, INCONCLUSIVE, NOT_APPLICABLE, NOT_TESTED, NOT_CLAIMED, "
              "ERROR, not \"FALI\"; did you mean \"FAIL\"?"});
  CHECK(validate(library, "x", "assay: plans/1\n") ==
        Lines{"x:1:8: this build does not read \"plans/1\"; did you mean \"plan/1\"?"});
}

TEST_CASE("validate: the text given takes the place of the library's file") {
  const TemporaryLibrary library;
  const auto path = library.path("cases/m/c.yaml").string();
  CHECK(validate(library, path, changed(TemporaryLibrary::cases(), "expand: services", "expand: service")) ==
        Lines{path + ":14:17: this unit has no alias \"service\"; did you mean \"services\"?"});
}

TEST_CASE("validate: a copy outside of the library may repeat its ids") {
  const TemporaryLibrary library;
  CHECK(validate(library, "copy.yaml", TemporaryLibrary::cases()) == Lines{});
  CHECK(validate(library, "copy.yaml", TemporaryLibrary::plan()) == Lines{});
  CHECK(validate(library, "copy.yaml", TemporaryLibrary::standard()) == Lines{});
  CHECK(validate(library, "copy.yaml", TemporaryLibrary::method()) == Lines{});
}

TEST_CASE("validate: mistakes of each library file are told in it") {
  const TemporaryLibrary library;
  CHECK(validate(library, "c.yaml", changed(TemporaryLibrary::cases(), "method: M@1", "method: M@2"))[0] ==
        "c.yaml:2:9: the library has no method \"M@2\"; did you mean \"M@1\"?");
  CHECK(validate(library, "m.yaml", changed(TemporaryLibrary::method(), "standard: S@1", "standard: T@1")) ==
        Lines{"m.yaml:4:11: the library has no standard \"T@1\"; did you mean \"S@1\"?"});
  CHECK(validate(library, "s.yaml", changed(TemporaryLibrary::standard(), "modality: should", "modality: must")) ==
        Lines{"s.yaml:10:48: \"modality\" must be one of shall, should, not \"must\""});
  CHECK(validate(library, "p.yaml", changed(TemporaryLibrary::plan(), "S@1:5.1-1", "S@1:5.1-7")) ==
        Lines{"p.yaml:9:10: S@1 has no provision \"S@1:5.1-7\"; did you mean \"S@1:5.1-1\"?"});
  CHECK(validate(library, "t.yaml",
                 "assay: dictionary/1\nid: d\ntitle: T\nsource: S\n"
                 "credentials: [{username: a, password: b}, {username: a, password: b}]\n") ==
        Lines{"t.yaml:5:43: this pair is entry 1 already: trying it twice costs the device a login attempt"});
}

TEST_CASE("validate: a declaration is held against its edition, and needs no secrets") {
  const TemporaryLibrary library;
  const std::string head =
      "assay: dut/1\ndevice: {}\nsamples: [{id: A, at: {lan: 10.0.0.5}}]\nscope: [10.0.0.0/24]\n"
      "accounts: [{role: a, username: a, secret: env:ASSAY_NOT_SET_ANYWHERE}]\n";
  CHECK(validate(library, "dut.yaml", head + "standard: M@1\nics: {\"5.1-1\": {support: Y}}\nixit: {15-Intf: []}\n") ==
        Lines{});
  CHECK(validate(library, "dut.yaml",
                 head + "standard: M@1\nics: {\"5.1-4\": {support: Y}}\nixit: {15-Itf: [], 2-UserInfo: []}\n") ==
        Lines{"dut.yaml:7:7: S@1 has no provision \"5.1-4\"; did you mean \"5.1-1\"?",
              "dut.yaml:8:8: M@1 has no IXIT table \"15-Itf\"; did you mean \"15-Intf\"?",
              "dut.yaml:8:20: M@1 has no IXIT table \"2-UserInfo\"; known: 1-AuthMech, 15-Intf"});
  CHECK(validate(library, "dut.yaml", head + "standard: M@2\n") ==
        Lines{"dut.yaml:6:11: the library has no method \"M@2\"; did you mean \"M@1\"?"});
}
