#include "harness/lab/resolve.hpp"

#include "tests/support/catch.hpp"

namespace assay::lab {
namespace {

EmulationRequest request_with(DaemonSpec daemon) {
  EmulationRequest out;
  out.name = "camera";
  out.spec.ports = {{"http", Endpoint{Transport::tcp, 80}}};
  out.spec.daemons = {std::move(daemon)};
  return out;
}

DaemonSpec daemon(std::vector<std::string> argv) {
  DaemonSpec out;
  out.name = "httpd";
  out.argv = std::move(argv);
  return out;
}

TEST_CASE("In namespaces a device has its real ports and programs are found by name") {
  auto spec = daemon({"sh", "-c", "{address}:{port:http} {dir}"});
  spec.ready = {"http"};
  const auto resolved = resolve(request_with(spec), Isolation::user_namespaces, "/d");
  REQUIRE(resolved);
  CHECK(resolved->endpoints.at("http").text() == "tcp/80");
  REQUIRE(resolved->device.daemons.size() == 1);
  const auto& argv = resolved->device.daemons[0].argv;
  CHECK(argv[0].ends_with("/sh"));
  CHECK(argv[2] == "10.66.0.2:80 /d");
  CHECK(resolved->device.daemons[0].ready == std::vector{Endpoint{Transport::tcp, 80}});
}

TEST_CASE("A daemon of another isolation is left out") {
  auto spec = daemon({"sh"});
  spec.modes = {Isolation::root_namespaces};
  const auto resolved = resolve(request_with(spec), Isolation::user_namespaces, "/d");
  REQUIRE(resolved);
  CHECK(resolved->device.daemons.empty());
}

TEST_CASE("A missing program is named, with the daemon that needs it") {
  const auto missing = resolve(request_with(daemon({"no-such-program"})), Isolation::user_namespaces, "/d");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::unsupported);
  CHECK(missing.error().what == "daemon httpd needs the program \"no-such-program\", which is not installed");
  auto spec = daemon({"sh"});
  spec.needs = {"no-such-helper"};
  const auto helper = resolve(request_with(spec), Isolation::user_namespaces, "/d");
  REQUIRE_FALSE(helper);
  CHECK(helper.error().what.find("no-such-helper") != std::string::npos);
}

TEST_CASE("A daemon without a program, or waiting for an unknown port, is refused") {
  CHECK_FALSE(resolve(request_with(daemon({})), Isolation::user_namespaces, "/d"));
  auto spec = daemon({"sh"});
  spec.ready = {"https"};
  const auto unknown = resolve(request_with(spec), Isolation::user_namespaces, "/d");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::bad_input);
}

TEST_CASE("What an isolation hides is said: for all devices, and for this one") {
  auto request = request_with(daemon({"sh"}));
  request.spec.cannot_show["user_namespaces"] = {"No groups."};
  const auto user = resolve(request, Isolation::user_namespaces, "/d");
  const auto root = resolve(request, Isolation::root_namespaces, "/d");
  REQUIRE(user);
  REQUIRE(root);
  CHECK(user->cannot_show == std::vector<std::string>{"No groups."});
  CHECK(root->cannot_show.empty());
}

TEST_CASE("The DUT file gets the pace, and the namespace it is probed from where there is one") {
  const auto resolved = resolve(request_with(daemon({"sh"})), Isolation::user_namespaces, "/d");
  REQUIRE(resolved);
  const auto in_namespace = fill_dut(*resolved, "at: {address}\n{lab}\n", "/proc/7/ns/net");
  REQUIRE(in_namespace);
  CHECK(*in_namespace ==
        "at: 10.66.0.2\npace: {profile: fast, guesses_per_login: 15}\nlab:\n  vantages:\n    lan: {netns: "
        "/proc/7/ns/net}\n");
  CHECK(*fill_dut(*resolved, "lab: {{vantages}}", "/proc/7/ns/net") ==
        "lab: {vantages: {lan: {netns: /proc/7/ns/net}}}");
  CHECK(*fill_dut(*resolved, "lab: {{vantages}}", "") == "lab: {vantages: {}}");
  const auto without = fill_dut(*resolved, "{lab}\n", "");
  REQUIRE(without);
  CHECK(*without == "pace: {profile: fast, guesses_per_login: 15}\n");
}

TEST_CASE("The tester's side has an address and ports that the device and the DUT file both know") {
  auto request = request_with(daemon({"sh", "-c", "{tester}:{tester:updates}"}));
  request.spec.tester_ports = {{"updates", Endpoint{Transport::tcp, 8443}}};
  const auto apart = resolve(request, Isolation::user_namespaces, "/d");
  REQUIRE(apart);
  CHECK(apart->device.daemons.at(0).argv.at(2) == "10.66.0.1:8443");
  CHECK(*fill_dut(*apart, "serve: {port: {tester:updates}}", "") == "serve: {port: 8443}");
  const auto together = resolve(request, Isolation::loopback, "/d");
  REQUIRE(together);
  const auto chosen = together->tester_ports.at("updates").port;
  CHECK(chosen > 1023);
  CHECK(together->device.daemons.at(0).argv.at(2) == "127.0.0.1:" + std::to_string(chosen));
}

TEST_CASE("A folder with variants is its first one unless another is named") {
  auto request = request_with(daemon({"sh", "-c", "{variant}"}));
  CHECK(resolve(request, Isolation::user_namespaces, "/d")->device.daemons.at(0).argv.at(2).empty());
  request.spec.variants = {{"sound", "Sound"}, {"weak", "Weak"}};
  CHECK(resolve(request, Isolation::user_namespaces, "/d")->device.daemons.at(0).argv.at(2) == "sound");
  request.variant = "weak";
  CHECK(resolve(request, Isolation::user_namespaces, "/d")->device.daemons.at(0).argv.at(2) == "weak");
  request.variant = "other";
  const auto unknown = resolve(request, Isolation::user_namespaces, "/d");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().what == "the device has no variant \"other\"");
}

}  // namespace
}  // namespace assay::lab
