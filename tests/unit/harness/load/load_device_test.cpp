#include "harness/load/load_device.hpp"

#include "tests/support/catch.hpp"

namespace assay {
namespace {

constexpr auto kDevice = R"(assay: device/1
title: A camera
ports: {http: tcp/80, snmp: udp/161}
tester_ports: {updates: tcp/8443}
variants: [{name: sound, title: Sound}, {name: weak, title: Weak}]
accounts:
  - {username: admin, password: admin, uid: 1000}
certificates:
  - {name: maker}
  - {name: device, common_name: hub.example, names: [hub.example], key: rsa-2048, from_days: -400, to_days: -35, issuer: maker}
files:
  - {path: www/index.html, text: "hi {address}\n", mode: "0600", modes: [loopback]}
daemons:
  - {name: httpd, argv: [busybox, httpd, "{port:http}"], ready: [http], ready_file: run/x, needs: [ip], modes: [root_namespaces, user_namespaces]}
cannot_show: {loopback: [No filter]}
)";

TEST_CASE("Every key of a device file arrives where it belongs") {
  const auto loaded = load_device({"device.yaml", kDevice});
  REQUIRE(loaded.errors.empty());
  REQUIRE(loaded.value);
  DeviceSpec expected;
  expected.title = "A camera";
  expected.ports = {{"http", {Transport::tcp, 80}}, {"snmp", {Transport::udp, 161}}};
  expected.tester_ports = {{"updates", {Transport::tcp, 8443}}};
  expected.variants = {{"sound", "Sound"}, {"weak", "Weak"}};
  expected.accounts = {{"admin", "admin", 1000, "/", "/bin/sh"}};
  CertificateSpec maker;
  maker.name = "maker";
  expected.certificates = {maker, {"device", "hub.example", {"hub.example"}, "rsa-2048", -400, -35, "maker"}};
  expected.files = {{"www/index.html", "hi {address}\n", "0600", {Isolation::loopback}}};
  expected.daemons = {{"httpd",
                       {"busybox", "httpd", "{port:http}"},
                       {"http"},
                       "run/x",
                       {"ip"},
                       {Isolation::root_namespaces, Isolation::user_namespaces}}};
  expected.cannot_show = {{"loopback", {"No filter"}}};
  CHECK(to_json(*loaded.value) == to_json(expected));
}

TEST_CASE("Names that refer to nothing are errors at their place") {
  const auto loaded = load_device({"device.yaml",
                                   "assay: device/1\ntitle: t\nports: {http: tcp/80}\n"
                                   "certificates: [{name: a, issuer: b}]\n"
                                   "variants: [{name: w, title: t}, {name: w, title: u}]\n"
                                   "daemons:\n  - {name: d, argv: [sh], ready: [https]}\n"});
  CHECK_FALSE(loaded.value);
  REQUIRE(loaded.errors.size() == 3);
  CHECK(loaded.errors[0].where.rfind("device.yaml:4:", 0) == 0);
  CHECK(loaded.errors[0].what == "the issuer \"b\" must be a certificate earlier in the list");
  CHECK(loaded.errors[1].where.rfind("device.yaml:5:", 0) == 0);
  CHECK(loaded.errors[1].what == "there are two variants of this name");
  CHECK(loaded.errors[2].where == "device.yaml:7:35");
  CHECK(loaded.errors[2].what == "there is no port \"https\" in ports");
}

TEST_CASE("Expected verdicts are read with their isolations and words") {
  const auto loaded = load_expected({"expected.yaml", R"(assay: expected/1
expectations:
  - plan: cls-iot/1
    modes: [loopback]
    variants: [sound]
    fail: ["EN303645@2.1.1:5.1-1"]
    hold: {"EN303645@2.1.1:5.1-2": INCONCLUSIVE, "EN303645@2.1.1:5.2-1": NOT_TESTED}
    notes: [Why]
)"});
  REQUIRE(loaded.errors.empty());
  REQUIRE(loaded.value);
  const std::vector<Expectation> expected{
      {"cls-iot/1",
       {Isolation::loopback},
       {"sound"},
       {"EN303645@2.1.1:5.1-1"},
       {{"EN303645@2.1.1:5.1-2", Verdict::inconclusive}, {"EN303645@2.1.1:5.2-1", Verdict::not_tested}},
       {"Why"}}};
  CHECK(loaded.value->expectations == expected);
}

TEST_CASE("Every shipped device and its expectations load") {
  std::size_t devices = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(ASSAY_SOURCE_DIR) / "tests/devices")) {
    const auto name = entry.path().filename();
    const auto source =
        name == "device.yaml" || name == "expected.yaml" ? read_source(entry.path()) : Result<SourceText>{SourceText{}};
    REQUIRE(source);
    const auto errors = name == "device.yaml"     ? load_device(*source).errors
                        : name == "expected.yaml" ? load_expected(*source).errors
                                                  : std::vector<Error>{};
    for (const auto& error : errors) {
      UNSCOPED_INFO(describe(error));
    }
    CHECK(errors.empty());
    devices += name == "device.yaml" ? 1 : 0;
  }
  CHECK(devices >= 10);
}

}  // namespace
}  // namespace assay
