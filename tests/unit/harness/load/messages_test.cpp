#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

const std::string kBegin =
    "assay: dut/1\ndevice: {vendor: V, model: M}\nsamples: [{id: A, at: {lan: 10.20.0.5}}]\nscope: "
    "[10.20.0.0/28]\nmessages:\n  - {";
const std::string kCoap = "port: udp/5683, protocol: coap, setting: {path: /n, body: '{value}', read: /n, value: V}";
const std::string kMqtt =
    "port: tcp/1883, protocol: mqtt, setting: {topic: name, body: '{value}', read: name, value: V}";

std::vector<std::string> wrong(const std::string& entry) {
  return lines(load_dut({"dut.yaml", kBegin + entry + "}\n"}).errors);
}

}  // namespace

TEST_CASE("dut: an interface of messages is read with what it sends") {
  const auto dut =
      load_dut({"dut.yaml", kBegin + kCoap +
                                ", security: psk, set_up_as: label, set_up: {exec: ./up.sh, within: 2min}, "
                                "change_password: {method: PUT, path: '/p?u={username}', "
                                "body: '{\"new\": \"{password}\"}', expect: '2.04'}}\n  - {" +
                                kMqtt + ", set_up: {topic: s, body: '{password}', answer: s/+, expect: ok}}\n"});
  CHECK(lines(dut.errors) == std::vector<std::string>{});
  REQUIRE(dut.value);
  REQUIRE(dut.value->messages.size() == 2);
  const auto& coap = dut.value->messages.front();
  CHECK(coap.security == "psk");
  CHECK(coap.set_up_as == "label");
  CHECK(coap.set_up->exec == "./up.sh");
  CHECK(coap.set_up->within_ms == 120'000);
  CHECK(coap.change_password->method == "PUT");
  CHECK(coap.change_password->expect == "2.04");
  CHECK(coap.setting->change.method == "POST");
  const auto& mqtt = dut.value->messages.back();
  CHECK(mqtt.security == "none");
  CHECK(mqtt.set_up->answer == "s/+");
  CHECK(mqtt.setting->read == "name");
}

TEST_CASE("dut: an interface of messages that could not be used is refused with its place") {
  CHECK(wrong(kCoap).empty());
  CHECK(wrong(kMqtt).empty());
  CHECK(wrong("port: tcp/5683, protocol: coap, setting: {path: /n, body: '{value}', read: /n, value: V}").size() == 1);
  CHECK(wrong("port: udp/5683, protocol: coap").size() == 1);
  CHECK(wrong(kCoap + ", security: tls").size() == 1);
  CHECK(wrong(kMqtt + ", security: tls").empty());
  CHECK(wrong(kMqtt + ", security: psk").empty());
  CHECK(wrong(kCoap + ", set_up: {topic: s, body: '{password}'}").size() == 1);
  CHECK(wrong(kMqtt + ", set_up: {path: /s, body: '{password}'}").size() == 1);
  CHECK(wrong(kMqtt + ", set_up: {topic: s/#, body: '{password}'}").size() == 1);
  CHECK(wrong(kMqtt + ", set_up: {topic: s, body: '{password}', expect: ok}").size() == 1);
  CHECK(wrong(kCoap + ", set_up: {path: s, body: '{password}'}").size() == 1);
  CHECK(wrong(kCoap + ", set_up: {path: /s, body: 'x'}").size() == 1);
  CHECK(wrong(kCoap + ", set_up: {path: /s, body: '{password}', expect: '204'}").size() == 1);
  CHECK(wrong(kCoap + ", set_up: {path: /s, body: '{\"a\": {password}'}").size() == 1);
  CHECK(wrong(kCoap + ", set_up: {exec: x, path: /s, body: '{password}'}").size() == 1);
  CHECK(wrong(kCoap + "}\n  - {" + kCoap).size() == 1);
}

TEST_CASE("dut: what a broker wants of a client is read, and its account is one of the file") {
  const std::string begin =
      "assay: dut/1\ndevice: {vendor: V, model: M}\nsamples: [{id: A, at: {lan: 10.20.0.5}}]\nscope: "
      "[10.20.0.0/28]\naccounts: [{role: admin, username: hub, secret: word}]\nbrokers:\n  - {";
  const auto good = load_dut(
      {"dut.yaml", begin + "port: tcp/1883, client_id: 'hub-{random}', account: admin}\n  - {port: tcp/8883}\n"});
  CHECK(lines(good.errors) == std::vector<std::string>{});
  REQUIRE(good.value);
  CHECK(good.value->brokers ==
        Later<Broker>{{{Transport::tcp, 1883}, "hub-{random}", "admin"}, {{Transport::tcp, 8883}, "", ""}});
  for (const std::string wrong :
       {"port: udp/1883", "port: tcp/1883, account: owner", "client_id: x", "port: tcp/1883}\n  - {port: tcp/1883"}) {
    INFO(wrong);
    CHECK(load_dut({"dut.yaml", begin + wrong + "}\n"}).errors.size() == 1);
  }
}
