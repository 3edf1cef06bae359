#include "probes/first_use/message_line.hpp"
#include "probes/wire/coap.hpp"
#include "probes/wire/mqtt_packets.hpp"
#include "tests/unit/probes/first_use_support.hpp"

/// The first use and a change by messages of CoAP and MQTT.
namespace assay::probes::first_use {
extern const ProbeDescriptor kDescriptor;
}

namespace assay::probes::password_change {
extern const ProbeDescriptor kDescriptor;
}

namespace assay::password_tests {

namespace {

using wire::CoapMessage;

std::string query(const CoapMessage& message, std::string_view name) {
  for (const auto& option : message.options) {
    if (option.number == wire::kCoapUriQuery && option.value.starts_with(std::string{name} + "=")) {
      return option.value.substr(name.size() + 1);
    }
  }
  return {};
}

std::string member(const std::string& body, std::string_view name) {
  boost::system::error_code failed;
  const auto value = json::parse(body, failed);
  return failed || !value.is_object() || !value.get_object().contains(name)
             ? std::string{}
             : std::string{std::string_view{value.at(name).as_string()}};
}

bool admits(const Hub& hub, const std::string& password) {
  return (!hub.ready && hub.open) ||
         (hub.ready && (password == hub.password || (hub.keeps_old && !hub.before.empty() && password == hub.before)));
}

/// Code of the answer, and its payload.
std::pair<std::uint8_t, std::string> obey(Hub& hub, const CoapMessage& asked) {
  constexpr std::uint8_t kUnauthorised = 0x81;
  const auto path = wire::coap_path(asked);
  const auto given = query(asked, "pass");
  const bool named = query(asked, "user") == "maker" || path.starts_with("/maker/");
  hub.wrong_named += named && !admits(hub, given) ? 1 : 0;
  if (path == "/setup") {
    const auto wanted = member(asked.payload, "password");
    if (hub.ready || !is_strong(hub, wanted)) {
      return {wire::kCoapBadRequest, "no"};
    }
    hub.ready = true;
    hub.password = wanted;
    return {wire::kCoapCreated, "yes"};
  }
  if (!admits(hub, given)) {
    hub.wrong += 1;
    return {kUnauthorised, ""};
  }
  if (path.ends_with("/name")) {
    hub.name = asked.code == wire::kCoapPut ? asked.payload : hub.name;
    hub.names += asked.code == wire::kCoapPut ? 1 : 0;
    return {asked.code == wire::kCoapPut ? wire::kCoapChanged : wire::kCoapContent, hub.name};
  }
  const auto wanted = member(asked.payload, "new");
  const bool fits = is_strong(hub, wanted) && wanted != hub.password &&
                    (!hub.asks_old || member(asked.payload, "old") == hub.password);
  if (!fits) {
    return {wire::kCoapBadRequest, "a rule forbids it"};
  }
  hub.before = std::exchange(hub.password, wanted);
  return {wire::kCoapChanged, "the new one counts from now on"};
}

/// The block that is asked for, where the name is shown behind something.
void cut_up(Hub& hub, const CoapMessage& asked, CoapMessage& answer) {
  if (hub.before_name.empty() || asked.code != wire::kCoapGet || answer.code != wire::kCoapContent) {
    return;
  }
  const auto* option = wire::find_option(asked, wire::kCoapBlock2);
  const auto number = option == nullptr ? 0 : wire::coap_block_of(option->value)->number;
  hub.looks += number == 0 ? 1 : 0;
  const wire::CoapBlock block{number, true, 1};
  const auto whole = hub.before_name + answer.payload;
  const bool more = block.offset() + block.size() < whole.size();
  answer.payload = hub.endless ? std::string(block.size(), 'x') : whole.substr(block.offset(), block.size());
  wire::add_option(answer, wire::kCoapEtag, hub.changes_etag ? sessions::random_bytes(4) : "even");
  wire::add_option(answer, wire::kCoapBlock2, wire::coap_block({number, more || hub.endless, 1}));
}

/// Answers apart from the acknowledgement where a password is changed.
fake::UdpPeer coap_hub(std::shared_ptr<Hub> hub) {
  return [hub](std::string_view datagram) -> std::vector<std::string> {
    const auto parse = wire::parse_coap(datagram);
    if (parse.state != wire::Parse::complete || parse.message.code == 0) {
      return {};
    }
    const auto [code, payload] = obey(*hub, parse.message);
    CoapMessage answer;
    answer.type = CoapMessage::acknowledgement;
    answer.id = parse.message.id;
    std::vector<std::string> out;
    if (wire::coap_path(parse.message) == "/password") {
      out.push_back(wire::encode_coap(answer));
      answer.type = CoapMessage::confirmable;
      answer.id = 7;
    }
    answer.code = code;
    answer.token = parse.message.token;
    answer.payload = payload;
    cut_up(*hub, parse.message, answer);
    out.push_back(wire::encode_coap(answer));
    return out;
  };
}

MessageRecipe message(std::string method, std::string path, std::string body) {
  MessageRecipe out;
  out.method = std::move(method);
  out.path = std::move(path);
  out.body = std::move(body);
  return out;
}

Dut by_coap() {
  auto dut = described();
  dut.web.clear();
  MessageInterface entry;
  entry.port = Endpoint{Transport::udp, 5683};
  entry.protocol = "coap";
  entry.security = "none";
  entry.set_up = message("POST", "/setup", R"({"password": "{password}"})");
  entry.change_password = message("PUT", "/password?pass={login}", R"({"old": "{old}", "new": "{password}"})");
  entry.setting = MessageSetting{message("PUT", "/name?pass={password}", "{value}"), "/name?pass={password}", "Hub"};
  dut.messages.push_back(entry);
  return dut;
}

fake::Run by_coap(const ProbeDescriptor& probe, std::shared_ptr<Hub> hub, int budget = 40) {
  FakeNetwork network;
  network.budget = budget;
  network.udp[5683] = coap_hub(hub);
  auto run = fake::observe(probe, network, "udp/5683", {}, by_coap(), with_rules());
  CHECK(run.record.fault.empty());
  for (const auto& one : run.record.artifacts) {
    CHECK(one.bytes.find("Old4-word") == std::string::npos);
    check_hidden(run, one.bytes);
  }
  return run;
}

std::shared_ptr<Hub> fresh() {
  auto hub = std::make_shared<Hub>();
  hub->ready = false;
  hub->password.clear();
  return hub;
}

}  // namespace

TEST_CASE("A code of CoAP fits the one that is expected, or its class") {
  using probes::first_use::coap_code_fits;
  CHECK(coap_code_fits("2.04", ""));
  CHECK_FALSE(coap_code_fits("4.01", ""));
  CHECK(coap_code_fits("2.04", "2.04"));
  CHECK_FALSE(coap_code_fits("2.05", "2.04"));
  CHECK(coap_code_fits("4.05", "4.xx"));
  CHECK_FALSE(coap_code_fits("2.05", "4.xx"));
}

TEST_CASE("By CoAP: a sound change is taken, weak ones are refused, and the password is brought back") {
  auto hub = std::make_shared<Hub>();
  const auto run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(run.record.text("password.login") == "coap");
  CHECK(changed(run.record.value("password.change")));
  CHECK(run.record.value("password.old_asked").at("wrong_taken") == json::value(false));
  CHECK(taken(run, "password.weak").empty());
  CHECK(run.record.value("password.restored") == json::value(true));
  CHECK(hub->password == "Old4-word!x");
  CHECK(hub->name == "Hub");
}

TEST_CASE("By CoAP: each flaw of a change shows in its own fact") {
  auto hub = std::make_shared<Hub>();
  hub->keeps_old = true;
  auto run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(run.record.value("password.change").at("old_refused") == json::value(false));
  CHECK(hub->password == "Old4-word!x");

  hub = std::make_shared<Hub>();
  hub->asks_old = false;
  run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(run.record.value("password.old_asked").at("wrong_taken") == json::value(true));

  hub = std::make_shared<Hub>();
  hub->takes_all = true;
  run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(taken(run, "password.weak") == std::set<std::string>{"blank", "short", "username"});
  CHECK(hub->password == "Old4-word!x");
}

TEST_CASE("By CoAP: an answer in blocks is put together, and one whose blocks do not fit says nothing") {
  auto hub = std::make_shared<Hub>();
  hub->before_name = std::string(70, ' ');
  auto run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(changed(run.record.value("password.change")));
  CHECK(run.record.value("password.restored") == json::value(true));

  hub->changes_etag = true;
  hub->looks = 0;
  run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(run.record.reasons.at("password.change") == "the blocks of an answer of CoAP do not fit together");
  CHECK(hub->looks == 1);

  hub->changes_etag = false;
  hub->endless = true;
  hub->looks = 0;
  run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(run.record.reasons.at("password.change") == "an answer of CoAP has too many blocks");
  CHECK(hub->looks == 1);
}

TEST_CASE("By CoAP: a password that begins in one block and ends in the next is shown in neither") {
  auto hub = std::make_shared<Hub>();
  hub->before_name = std::string(25, ' ') + hub->password + std::string(40, '.');
  const auto run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(changed(run.record.value("password.change")));
  const auto shown = readable(run);
  CHECK(shown.find("     {secret") != std::string::npos);
  CHECK(shown.find("Old4-wo") == std::string::npos);
  CHECK(shown.find("rd!x....") == std::string::npos);
}

TEST_CASE("By CoAP: wrong logins stay within the budget") {
  for (int budget = 0; budget <= 6; ++budget) {
    CAPTURE(budget);
    auto hub = std::make_shared<Hub>();
    const auto run = by_coap(probes::password_change::kDescriptor, hub, budget);
    CHECK(hub->wrong <= budget);
    CHECK(hub->password == "Old4-word!x");
    CHECK(hub->name == "Hub");  // nothing is left of the look inside, wherever the budget ends
    CHECK(run.record.is_unobserved("password.change") == (budget < 4));
  }
}

TEST_CASE("By CoAP: a word that was left in the setting is taken back where the look inside ends early") {
  // It obeys everybody, so no login can be told from another.
  auto hub = fresh();
  hub->open = true;
  auto run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(run.record.is_unobserved("password.change"));
  CHECK(hub->name == "Hub");
  CHECK(hub->names > 1);

  // A login that is not let in leaves nothing, and is not sent a second time.
  hub = std::make_shared<Hub>();
  hub->password = "Another-1";
  run = by_coap(probes::password_change::kDescriptor, hub);
  CHECK(hub->wrong == 1);
}

TEST_CASE("By CoAP: a visitor is no wrong login of the account, or has a permit") {
  auto dut = by_coap();
  auto& setting = *dut.messages[0].setting;
  setting.change.path = setting.read = "/name?user={username}&pass={password}";
  auto hub = fresh();
  FakeNetwork network;
  network.udp[5683] = coap_hub(hub);
  auto run = fake::observe(probes::first_use::kDescriptor, network, "udp/5683", {}, dut, with_rules());
  CHECK(run.record.value("first_use.action").at("after") == json::value(false));
  CHECK(run.record.value("first_use.again") == json::value(false));
  // The right login with the strong password has a permit too.
  CHECK(hub->wrong_named > 0);
  CHECK(hub->wrong_named == network.permits["maker"] - 1);

  // Where the name stands in the path, the setting is not reached without it.
  setting.change.path = setting.read = "/{username}/name?pass={password}";
  hub = fresh();
  hub->open = true;
  FakeNetwork other;
  other.udp[5683] = coap_hub(hub);
  run = fake::observe(probes::first_use::kDescriptor, other, "udp/5683", {}, dut, with_rules());
  CHECK(run.record.value("first_use.action").at("before") == json::value(true));
  CHECK(run.record.value("first_use.action").at("after") == json::value(false));
  CHECK(hub->wrong_named < other.permits["maker"]);

  hub = fresh();
  FakeNetwork poor;
  poor.budget = 6;
  poor.udp[5683] = coap_hub(hub);
  fake::observe(probes::first_use::kDescriptor, poor, "udp/5683", {}, dut, with_rules());
  CHECK(hub->wrong_named <= 6);
}

TEST_CASE("By CoAP: a device that obeys before it is set up is told from one that does not") {
  auto hub = fresh();
  auto run = by_coap(probes::first_use::kDescriptor, hub);
  CHECK(run.record.value("first_use.action") ==
        json::value(json::object{{"before", false}, {"after", false}, {"control", true}}));
  CHECK(taken(run, "first_use.weak").empty());
  CHECK(run.record.value("first_use.set_up").at("status") == json::value(201));
  CHECK(run.record.value("first_use.again") == json::value(false));
  CHECK(hub->name == "Hub");

  hub = fresh();
  hub->open = true;
  run = by_coap(probes::first_use::kDescriptor, hub);
  CHECK(run.record.value("first_use.action").at("before") == json::value(true));
  CHECK(run.record.value("first_use.action").at("after") == json::value(false));
  CHECK(taken(run, "first_use.weak").empty());

  hub = fresh();
  hub->takes_all = true;
  run = by_coap(probes::first_use::kDescriptor, hub);
  CHECK(taken(run, "first_use.weak") == std::set<std::string>{"blank"});
  CHECK(run.record.is_unobserved("first_use.action"));
  CHECK(hub->name == "Hub");
}

TEST_CASE("By messages: without a recipe, or of a silent device, nothing is known") {
  FakeNetwork network;
  auto dut = by_coap();
  dut.messages[0].change_password.reset();
  auto run = fake::observe(probes::password_change::kDescriptor, network, "udp/5683", {}, dut, with_rules());
  CHECK(run.record.is_unobserved("password.change"));
  run = fake::observe(probes::password_change::kDescriptor, network, "udp/5684", {}, dut, with_rules());
  CHECK(run.record.is_unobserved("password.change"));
  network.udp[5683] = [](std::string_view) { return std::vector<std::string>{}; };
  run = fake::observe(probes::first_use::kDescriptor, network, "udp/5683", {}, by_coap(), with_rules());
  CHECK(run.record.is_unobserved("first_use.weak"));
}

namespace {

/// A broker with the hub behind it, on one topic for each step.
struct Broker {
  std::shared_ptr<Hub> hub;

  std::string answer(const wire::MqttPacket& packet, bool& in, std::string& subscribed) const {
    using wire::MqttKind;
    const auto said = [&](const std::string& topic, const std::string& text) {
      wire::MqttNote note;
      note.topic = topic;
      note.payload = text;
      return wire::mqtt_publish(4, note);
    };
    if (packet.kind == MqttKind::subscribe) {
      const auto wish = wire::read_mqtt_wish(packet, 4);
      subscribed = wish->filters.front().topic;
      const bool may = in || subscribed == "setup/result";
      return wire::mqtt_suback(4, wish->id, {static_cast<std::uint8_t>(may ? 0 : 0x80)}) +
             (may && subscribed == "name" ? said("name", hub->name) : std::string{});
    }
    const auto note = wire::read_mqtt_note(packet, 4);
    if (packet.kind != MqttKind::publish || !note) {
      return {};
    }
    if (!hub->acknowledges) {
      return {};
    }
    const auto taken = wire::mqtt_acknowledge(MqttKind::puback, note->id);
    if (note->topic == "name/set") {
      hub->name = in || (!hub->ready && hub->open) ? note->payload : hub->name;
      return taken;
    }
    const bool set_up = note->topic == "setup";
    const auto wanted = member(note->payload, set_up ? "password" : "new");
    const bool done = set_up ? !hub->ready && is_strong(*hub, wanted)
                             : in && is_strong(*hub, wanted) && wanted != hub->password &&
                                   (!hub->asks_old || member(note->payload, "old") == hub->password);
    if (done) {
      hub->before = std::exchange(hub->password, wanted);
      hub->ready = true;
    }
    return taken + said(note->topic + "/result", done ? "accepted" : "refused");
  }
};

fake::PeerMaker broker(std::shared_ptr<Hub> hub) {
  return [hub](int) -> Peer {
    auto in = std::make_shared<bool>(false);
    auto subscribed = std::make_shared<std::string>();
    return [hub, in, subscribed](std::string_view written, Line& line) {
      while (!written.empty()) {
        const auto parse = wire::parse_mqtt_packet(written);
        if (parse.state != wire::Parse::complete) {
          return;
        }
        written.remove_prefix(parse.used);
        if (parse.packet.kind != wire::MqttKind::connect) {
          line.say(Broker{hub}.answer(parse.packet, *in, *subscribed));
          continue;
        }
        const auto hello = wire::read_mqtt_hello(parse.packet);
        const auto body = std::string_view{parse.packet.body};
        *in = hello->username && hub->ready && body.ends_with(hub->password) && !hub->password.empty();
        hub->wrong += hello->username && !*in ? 1 : 0;
        line.say(wire::mqtt_connack(4, hello->username && !*in ? hub->refusal : std::uint8_t{0}));
      }
    };
  };
}

Dut by_mqtt() {
  auto dut = described();
  dut.web.clear();
  const auto note = [](std::string topic, std::string body) {
    MessageRecipe out;
    out.topic = topic;
    out.body = std::move(body);
    out.answer = topic + "/result";
    out.expect = "accepted";
    return out;
  };
  MessageInterface entry;
  entry.port = Endpoint{Transport::tcp, kPort};
  entry.protocol = "mqtt";
  entry.security = "none";
  entry.set_up = note("setup", R"({"password": "{password}"})");
  entry.change_password = note("password", R"({"old": "{old}", "new": "{password}"})");
  entry.setting = MessageSetting{{}, "name", "Hub"};
  entry.setting->change.topic = "name/set";
  entry.setting->change.body = "{value}";
  dut.messages.push_back(entry);
  return dut;
}

fake::Run by_mqtt(const ProbeDescriptor& probe, std::shared_ptr<Hub> hub) {
  FakeNetwork network;
  network.budget = 40;
  network.tcp[kPort] = broker(hub);
  auto run = fake::observe(probe, network, "tcp/4000", {}, by_mqtt(), with_rules());
  CHECK(run.record.fault.empty());
  for (const auto& one : run.record.artifacts) {
    CHECK(one.bytes.find("Old4-word") == std::string::npos);
    check_hidden(run, one.bytes);
  }
  return run;
}

}  // namespace

TEST_CASE("By MQTT: a change and each of its flaws") {
  auto hub = std::make_shared<Hub>();
  auto run = by_mqtt(probes::password_change::kDescriptor, hub);
  CHECK(run.record.text("password.login") == "mqtt");
  CHECK(changed(run.record.value("password.change")));
  CHECK(taken(run, "password.weak").empty());
  CHECK(run.record.value("password.restored") == json::value(true));
  CHECK(hub->password == "Old4-word!x");
  CHECK(hub->name == "Hub");

  hub = std::make_shared<Hub>();
  hub->asks_old = false;
  run = by_mqtt(probes::password_change::kDescriptor, hub);
  CHECK(run.record.value("password.old_asked").at("wrong_taken") == json::value(true));
  CHECK(hub->password == "Old4-word!x");
}

TEST_CASE("By MQTT: a broker that does not say what is asked is no refusal") {
  const auto said = [](std::uint8_t code, bool acknowledges, std::string_view fact) {
    auto hub = std::make_shared<Hub>();
    hub->refusal = code;
    hub->acknowledges = acknowledges;
    const auto run = by_mqtt(probes::password_change::kDescriptor, hub);
    const auto why = run.record.reasons.find(std::string{fact});
    return why == run.record.reasons.end() ? std::string{} : why->second;
  };
  CHECK(said(5, true, "password.change").empty());
  CHECK(said(4, true, "password.change").empty());
  CHECK(said(0x87, true, "password.change").empty());
  CHECK(said(3, true, "password.change") == "the broker answered CONNECT with code 3");
  CHECK(said(2, true, "password.change") == "the broker answered CONNECT with code 2");
  CHECK(said(0x88, true, "password.change") == "the broker answered CONNECT with code 136");
  CHECK(said(5, false, "password.change") == "the broker did not answer PUBLISH");
}

TEST_CASE("By MQTT: the set-up, and a setting that everybody may change before it") {
  auto hub = fresh();
  auto run = by_mqtt(probes::first_use::kDescriptor, hub);
  CHECK(run.record.value("first_use.action") ==
        json::value(json::object{{"before", false}, {"after", false}, {"control", true}}));
  CHECK(run.record.value("first_use.again") == json::value(false));
  CHECK(taken(run, "first_use.weak").empty());
  CHECK(hub->name == "Hub");

  hub = fresh();
  hub->open = true;
  run = by_mqtt(probes::first_use::kDescriptor, hub);
  CHECK(run.record.value("first_use.action").at("before") == json::value(true));
}

}  // namespace assay::password_tests
