#include <algorithm>

#include "probes/wire/mqtt.hpp"
#include "probes/wire/mqtt_packets.hpp"
#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

/// Brokers that mind the id of the client: a wrong one gets what a wrong password gets.

namespace {

constexpr char kNotAuthorized = 5;
constexpr char kWrongId = 2;

struct IdBroker {
  std::function<bool(const wire::MqttHello&)> takes_id;
  std::string password = "letmein1";  // of hub; the tester's account is owner with own-pass9
  char wrong_id = kNotAuthorized;
  std::vector<std::string> ids{};

  char judge(const std::string& packet) {
    const auto parse = wire::parse_mqtt_packet(packet);
    const auto hello = wire::read_mqtt_hello(parse.packet);
    if (!hello) {
      return 1;
    }
    ids.push_back(hello->client_id);
    if (!takes_id(*hello)) {
      return wrong_id;
    }
    const bool right = (hello->username == "hub" && packet.ends_with(password)) ||
                       (hello->username == "owner" && packet.ends_with("own-pass9"));
    return right ? 0 : kNotAuthorized;
  }
};

fake::PeerMaker serve(IdBroker& broker) {
  return [&broker](int) -> Peer {
    return [&broker](std::string_view written, Line& line) {
      if (written.starts_with("\x10")) {
        line.say("\x20\x02\x00"s + broker.judge(std::string{written}));
      } else if (written.starts_with("\x82")) {
        line.say("\x90\x03\x00\x01\x00"s);
      } else if (!written.empty()) {
        line.close();
      }
    };
  };
}

fake::Run ask(IdBroker& broker, const Dut& dut = {}) {
  FakeNetwork network;
  network.tcp[kPort] = serve(broker);
  return attack(network, pairs({{"hub", "letmein0"}, {"hub", "letmein1"}}), without_blanks(), dut);
}

bool begins_with_hub(const wire::MqttHello& hello) {
  return hello.client_id.starts_with("hub-");
}

bool is_its_name(const wire::MqttHello& hello) {
  return hello.username && hello.client_id == *hello.username;
}

Dut with_account(std::string password = "own-pass9") {
  Dut dut;
  dut.accounts = {{"admin", "owner", Secret{std::move(password), "env:OWNER"}}};
  return dut;
}

Dut naming(const std::string& id, Dut dut = {}, const std::string& account = {}) {
  dut.brokers = {{{Transport::tcp, 4000}, id, account}};
  return dut;
}

std::size_t found(const fake::Run& run) {
  REQUIRE(run.record.facts.contains("credentials.accepted"));
  return run.record.value("credentials.accepted").as_array().size();
}

std::string why(const fake::Run& run) {
  return run.record.is_unobserved("credentials.accepted") ? run.record.reasons.at("credentials.accepted")
                                                          : std::string{};
}

}  // namespace

TEST_CASE(
    "A password of a broker is found with the client id that the DUT file names, and one that is not its is none") {
  IdBroker broker{begins_with_hub};
  CHECK(found(ask(broker, naming("hub-{random}"))) == 1);
  broker.ids.clear();
  CHECK(found(ask(broker, naming("hub-1"))) == 1);
  CHECK(std::all_of(broker.ids.begin(), broker.ids.end(), [](const auto& id) { return id == "hub-1"; }));
  broker.password = "another";
  CHECK(found(ask(broker, naming("hub-{random}"))) == 0);
  CHECK(found(ask(broker, naming("hub-{random}", with_account(), "admin"))) == 0);
}

TEST_CASE("An account of the DUT file that a broker ought to take shows whether it takes our client id") {
  IdBroker broker{begins_with_hub};
  CHECK(why(ask(broker, naming("", with_account(), "admin"))).find("id of ours") != std::string::npos);
  CHECK(why(ask(broker, naming("cam-{random}", with_account(), "admin"))).find("DUT file names") != std::string::npos);
  auto dut = with_account();
  MessageInterface interface;
  interface.port = {Transport::tcp, 4000};
  interface.protocol = "mqtt";
  interface.security = "none";
  interface.setting = MessageSetting{{}, "name", "Hub"};
  interface.setting->change.body = "{value}";
  dut.messages = {interface};
  CHECK(why(ask(broker, dut)).find("id of ours") != std::string::npos);
  dut.messages.front().setting->change.body = "{password} {value}";  // CONNECT carries no login then
  CHECK(found(ask(broker, dut)) == 0);
  CHECK(found(ask(broker, with_account())) == 0);  // which need not be one of the broker
}

TEST_CASE("A broker that takes a name only as the client of that name is understood by an account of the DUT file") {
  IdBroker broker{is_its_name};
  CHECK(found(ask(broker, with_account())) == 1);
  CHECK(found(ask(broker, naming("{username}"))) == 1);
  auto several = with_account();
  several.accounts.insert(several.accounts.begin(), {"visitor", "web", Secret{"of-the-page", "env:WEB"}});
  CHECK(found(ask(broker, several)) == 1);
  broker.password = "another";
  CHECK(found(ask(broker, naming("", with_account(), "admin"))) == 0);
  IdBroker any{[](const auto&) { return true; }};
  CHECK(found(ask(any, with_account("wrong"))) == 1);
  CHECK(std::none_of(any.ids.end() - 3, any.ids.end(), [](const auto& id) { return id == "hub"; }));
}

TEST_CASE("A broker that says it takes no such client id has refused no password") {
  IdBroker broker{begins_with_hub, "letmein1", kWrongId};
  const auto run = ask(broker);
  CHECK(why(run).find("takes no client with an id of ours") != std::string::npos);
  CHECK(run.record.is_unobserved("credentials.open"));
  CHECK(found(ask(broker, naming("hub-{random}"))) == 1);
  broker.takes_id = is_its_name;
  CHECK(found(ask(broker, with_account())) == 1);
}

TEST_CASE("With one client id for all, logins follow each other") {
  for (const auto& [id, at_once] :
       {std::pair{"hub-{random}", true}, std::pair{"hub-1", false}, std::pair{"hub-{username}", false}}) {
    IdBroker broker{begins_with_hub};
    FakeNetwork network;
    network.at_once = 64;
    network.tcp[kPort] = serve(broker);
    auto parameters = without_blanks();
    parameters["connections"] = 4;
    const auto run = attack(network, many_pairs(20, 0), parameters, naming(id));
    CHECK(found(run) == 0);
    CHECK((run.record.artifacts.size() > 1) == at_once);
  }
}
