#include <string>

#include "harness/expr/expr.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace assay;

json::object service(const char* endpoint, bool reachable, const char* protocol = "http") {
  return {{"id", "o2"},
          {"endpoint", endpoint},
          {"sample", "A"},
          {"vantage", "lan"},
          {"completion", "completed"},
          {"error", ""},
          {"facts", json::object{{"service.reachable", reachable}, {"service.protocol", protocol}}},
          {"absent", json::array{}},
          {"unobserved", json::object{}},
          {"coverage", json::object{}},
          {"evidence", json::object{{"service.reachable", json::array{"aa"}}}}};
}

json::object document(json::object ixit, const json::object& seen) {
  auto ports = seen;
  ports["endpoint"] = nullptr;
  ports["id"] = "o1";
  ports["facts"] = json::object{{"ports.open", json::array{json::object{{"endpoint", "tcp/23"}}}}};
  ports["coverage"] = json::object{{"tcp", json::object{{"ranges", "1-1024,8080"}}}};
  ports["evidence"] = json::object{{"ports.open", json::array{"bb"}}};
  return {{"dut", json::object{{"samples", json::array{json::object{{"id", "A"}}}}}},
          {"ics", json::object{}},
          {"ixit", std::move(ixit)},
          {"mud",
           json::array{json::object{{"offered", true}, {"transport", "tcp"}, {"first_port", 8000}, {"last_port", 8009}},
                       json::object{{"offered", true}, {"transport", "udp"}, {"first_port", 99}, {"last_port", 99}},
                       json::object{{"offered", false}, {"transport", "tcp"}, {"first_port", 23}, {"last_port", 23}}}},
          {"obs", json::object{{"services", json::array{seen}}, {"ports", json::array{ports}}}},
          {"specs", json::object{{"services", json::array{"service.reachable", "service.protocol", "service.logins"}},
                                 {"ports", json::array{"ports.open"}}}},
          {"names", json::object{{"ics", json::array{}}, {"ixit", json::array{"13-SoftServ", "15-Intf"}}}}};
}

json::object table() {
  return {{"15-Intf",
           json::array{json::object{{"id", "IF-1"}, {"port", json::array{"tcp/80", "udp/53"}}, {"service", "http"}},
                       json::object{{"id", "IF-2"}, {"port", "tcp/22"}, {"status", "disabled"}}}}};
}

Evaluated run(const std::string& program, json::object ixit, const json::object& seen) {
  const Evaluation evaluation{program, "c.yaml:1:1", document(std::move(ixit), seen), nullptr};
  auto out = evaluate({&evaluation, 1}).front();
  CAPTURE(program);
  CHECK(out.error == "");
  return out;
}

std::string what(const Evaluated& evaluated) {
  REQUIRE(evaluated.items.size() == 1);
  return std::string{std::string_view{evaluated.items[0].at("what").as_string()}};
}

const std::string kUndeclared = R"(obs("services") | undeclared(["15-Intf", "13-SoftServ"]))";
const std::string kDoubts = R"(obs("services") | declaration_doubts(["15-Intf", "13-SoftServ"]))";

}  // namespace

TEST_CASE("declared and observed: what is there and not declared is a finding that names service, port and vantage") {
  const auto found = run(kUndeclared, table(), service("tcp/23", true, "telnet"));
  CHECK(what(found) == "tcp/23 (telnet) is reachable from lan, and IXIT 15-Intf and 13-SoftServ do not name it");
  CHECK(found.items[0].at("evidence") == json::value(json::array{"aa"}));
  CHECK(found.missing.empty());
  CHECK(run(kUndeclared, table(), service("tcp/23", false)).items.empty());
  CHECK(run(kUndeclared, table(), service("tcp/80", true)).items.empty());
  CHECK(run(kUndeclared, table(), service("tcp/22", true)).items.empty());  // declared disabled: another unit's matter
}

TEST_CASE("declared and observed: without the first table nothing is undeclared, and the table is missing") {
  const auto found = run(kUndeclared, {}, service("tcp/23", true));
  CHECK(found.items.empty());
  CHECK(found.missing == std::vector<std::string>{"IXIT 15-Intf (not declared)"});
}

TEST_CASE("declared and observed: what is declared and cannot be reached is a doubt that names it") {
  CHECK(what(run(kDoubts, table(), service("udp/53", false))) ==
        "udp/53 (IXIT 15-Intf IF-1 http) is declared and could not be reached from lan");
  CHECK(run(kDoubts, table(), service("tcp/22", false)).items.empty());
  CHECK(run(kDoubts, table(), service("udp/53", true)).items.empty());
}

TEST_CASE("declared and observed: what only the MUD file declares is a doubt, not a finding") {
  CHECK(run(kUndeclared, table(), service("tcp/8001", true)).items.empty());
  CHECK(what(run(kDoubts, table(), service("tcp/8001", true))) ==
        "tcp/8001 (http) is reachable from lan, the MUD file declares it, and IXIT 15-Intf and 13-SoftServ do not "
        "name it");
  CHECK(run(kUndeclared, table(), service("tcp/23", true)).items.size() == 1);  // the device's own connection
}

TEST_CASE("declared and observed: endpoints to look at are the open ones, the fixed ones and the declared UDP ones") {
  const auto found =
      run(R"([obs("ports") | service_endpoints(["15-Intf"]; ["udp/161"])])", table(), service("tcp/23", true));
  CHECK(json::serialize(found.items.at(0)) == R"(["tcp/23","udp/161","udp/53","udp/99"])");
  const auto expected =
      run(R"([declared_services(["15-Intf", "13-SoftServ"]) | .endpoint])", table(), service("tcp/23", true));
  CHECK(json::serialize(expected.items.at(0)) == R"(["tcp/80","udp/53"])");
}

TEST_CASE("declared and observed: logins to try are those seen, and those of protocols that have one") {
  const auto endpoints = [](const char* endpoint, const char* protocol) {
    const auto found = run(R"([obs("services") | login_endpoints])", table(), service(endpoint, true, protocol));
    return json::serialize(found.items.at(0));
  };
  CHECK(endpoints("tcp/2222", "ssh") == R"(["tcp/2222"])");
  CHECK(endpoints("tcp/6379", "redis") == R"(["tcp/6379"])");
  CHECK(endpoints("tcp/5432", "postgresql") == R"(["tcp/5432"])");
  CHECK(endpoints("tcp/80", "http") == R"(["tcp/80"])");  // what its pages ask for is not known
  CHECK(endpoints("udp/161", "snmp") == R"(["udp/161"])");
  CHECK(endpoints("udp/5684", "dtls") == R"(["udp/5684"])");
  CHECK(endpoints("udp/623", "ipmi") == R"(["udp/623"])");
  CHECK(endpoints("udp/5683", "coap") == "[]");
  auto page = service("tcp/80", true);
  page["facts"].as_object()["service.logins"] = json::array{};
  CHECK(json::serialize(run(R"([obs("services") | login_endpoints])", table(), page).items.at(0)) == "[]");
  page["facts"].as_object()["service.logins"] = json::array{json::object{{"dialect", "http-form"}}};
  CHECK(json::serialize(run(R"([obs("services") | login_endpoints])", table(), page).items.at(0)) == R"(["tcp/80"])");
  // What the DUT file says how to log in to shows no login by itself.
  auto described = document(table(), service("tcp/80", true));
  described["dut"].as_object()["logins"] = json::array{"tcp/80", "tcp/8443"};
  const Evaluation evaluation{R"([obs("services") | login_endpoints])", "c.yaml:1:1", described, nullptr};
  CHECK(json::serialize(evaluate({&evaluation, 1}).front().items.at(0)) == R"(["tcp/80"])");
}

TEST_CASE("declared and observed: all mechanisms of a mail relay are one login") {
  const auto left = run(R"(["smtp-login", "smtp-plain", "http-form"] | other_logins("smtp-plain"))", table(),
                        service("tcp/25", true, "smtp"));
  CHECK(json::serialize(left.items.at(0)) == R"(["http-form"])");
  const auto both = run(R"(["snmp-community", "snmp-user", "onvif"] | other_logins(["snmp-community", "snmp-user"]))",
                        table(), service("udp/161", true, "snmp"));
  CHECK(json::serialize(both.items.at(0)) == R"(["onvif"])");
  const auto all = run(R"(["ssh-password"] | other_logins(null))", table(), service("tcp/22", true, "ssh"));
  CHECK(json::serialize(all.items.at(0)) == R"(["ssh-password"])");
}

namespace {

/// A document with one scan of UDP ports, in which `open` answered.
Evaluated run_udp(const std::string& program, json::object ixit, json::array open, std::int64_t answered = 1) {
  const json::object seen{
      {"id", "o3"},
      {"endpoint", nullptr},
      {"sample", "A"},
      {"vantage", "lan"},
      {"completion", "completed"},
      {"error", ""},
      {"facts",
       json::object{{"udp.open", std::move(open)},
                    {"udp.unreliable", json::array{json::object{{"endpoint", "udp/7-9"}, {"reason", "no answer"}}}}}},
      {"absent", json::array{}},
      {"unobserved", json::object{}},
      {"coverage", json::object{{"udp", json::object{{"asked", 44}, {"answered", answered}}}}},
      {"evidence", json::object{{"udp.open", json::array{"aa"}}}}};
  auto all = document(std::move(ixit), service("tcp/23", true));
  all["obs"].as_object()["udp"] = json::array{seen};
  all["specs"].as_object()["udp"] = json::array{"udp.open", "udp.unreliable"};
  const Evaluation evaluation{program, "c.yaml:1:1", std::move(all), nullptr};
  auto out = evaluate({&evaluation, 1}).front();
  CHECK(out.error == "");
  return out;
}

const std::string kUndeclaredUdp = R"(obs("udp") | undeclared_udp(["15-Intf", "13-SoftServ"]))";
const std::string kUdpDoubts = R"(obs("udp") | udp_doubts)";

}  // namespace

TEST_CASE("declared and observed: a UDP port that answers and is not declared is a finding with its protocol") {
  const json::object snmp{{"endpoint", "udp/161"}, {"protocol", "snmp-v1"}};
  const json::object dns{{"endpoint", "udp/53"}, {"protocol", "dns"}};
  const json::object in_mud{{"endpoint", "udp/99"}, {"protocol", "unknown"}};
  const auto found = run_udp(kUndeclaredUdp, table(), {snmp, dns, in_mud});
  CHECK(what(found) == "udp/161 (snmp-v1) answers from lan, and IXIT 15-Intf and 13-SoftServ do not name it");
  CHECK(found.items[0].at("endpoint") == json::value("udp/161"));
  CHECK(found.items[0].at("evidence") == json::value(json::array{"aa"}));
  CHECK(run_udp(kUndeclaredUdp, table(), {}).items.empty());
  const auto without = run_udp(kUndeclaredUdp, {}, {snmp});
  CHECK(without.items.empty());
  CHECK(without.missing == std::vector<std::string>{"IXIT 15-Intf (not declared)"});
}

TEST_CASE("declared and observed: UDP ports without a reliable answer are doubts, and so is a device that is silent") {
  CHECK(what(run_udp(kUdpDoubts, table(), {})) == "udp/7-9 gave no reliable answer (no answer)");
  const auto silent = run_udp(kUdpDoubts, table(), {}, 0);
  REQUIRE(silent.items.size() == 2);
  CHECK(std::string_view{silent.items[1].at("what").as_string()}.starts_with("None of 44 UDP ports answered"));
}

TEST_CASE(
    "declared and observed: a device that broke under the scan is the first doubt, then come the ports it left open") {
  const json::object broke{{"kind", "stopped_answering"}, {"words", "the device stopped answering"}};
  const json::object slow{{"kind", "answers_late"}, {"words", "it was asked more slowly"}};
  const json::object port{{"endpoint", "tcp/7-9"}, {"reason", "no answer"}};
  auto seen = service("tcp/23", true);
  seen["endpoint"] = nullptr;
  seen["facts"] = json::object{{"ports.behaviour", json::array{slow, broke}}, {"ports.unreliable", json::array{port}}};
  seen["coverage"] = json::object{{"tcp", json::object{{"asked", 44}, {"answered", 1}}}};
  auto all = document(table(), service("tcp/23", true));
  all["obs"].as_object()["ports"] = json::array{seen};
  all["specs"].as_object()["ports"] = json::array{"ports.behaviour", "ports.unreliable"};
  const Evaluation evaluation{R"(obs("ports") | port_doubts)", "c.yaml:1:1", std::move(all), nullptr};
  const auto out = evaluate({&evaluation, 1}).front();
  CHECK(out.error == "");
  REQUIRE(out.items.size() == 2);
  CHECK(out.items[0].at("what") == json::value("the device stopped answering"));
  CHECK(out.items[1].at("what") == json::value("tcp/7-9 gave no reliable answer (no answer)"));
}

TEST_CASE("declared and observed: the tables that a program names are known when a plan is loaded") {
  const auto uses = names_used(kUndeclared);
  REQUIRE(uses.size() == 3);
  CHECK(uses[1].function == "ixit_declared");
  CHECK(uses[1].name == "15-Intf");
  CHECK(uses[2].name == "13-SoftServ");
  const Evaluation evaluation{R"(obs("services") | undeclared(["15-Int"]))", "c.yaml:1:1",
                              document(table(), service("tcp/23", true)), nullptr};
  CHECK(evaluate({&evaluation, 1}).front().error.find("unknown IXIT table") != std::string::npos);
}

TEST_CASE("sweep and service: what contradicts itself between two looks is a doubt with both pieces of evidence") {
  const std::string program = R"(obs("services") | sweep_contradictions("ports"))";
  const auto gone = run(program, table(), service("tcp/23", false));
  CHECK(what(gone) == "tcp/23 accepted in the sweep and could not be reached afterwards");
  CHECK(json::serialize(gone.items[0].at("evidence")) == R"(["bb","aa"])");
  CHECK(json::serialize(gone.items[0].at("observation")) == R"(["o1","o2"])");
  CHECK(what(run(program, table(), service("tcp/8080", true))) ==
        "tcp/8080 did not accept in the sweep and could be reached afterwards");
  CHECK(run(program, table(), service("tcp/23", true)).items.empty());
  CHECK(run(program, table(), service("tcp/80", false)).items.empty());
  CHECK(run(program, table(), service("tcp/9000", true)).items.empty());  // the sweep did not ask it
  CHECK(run(program, table(), service("udp/53", true)).items.empty());
  auto elsewhere = service("tcp/23", false);
  elsewhere["sample"] = "B";
  auto document_of_two = document(table(), elsewhere);
  document_of_two["obs"].as_object()["ports"].as_array()[0].as_object()["sample"] = "A";
  const Evaluation evaluation{program, "c.yaml:1:1", document_of_two, nullptr};
  CHECK(evaluate({&evaluation, 1}).front().items.empty());
}
