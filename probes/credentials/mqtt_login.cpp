#include <algorithm>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/wire/mqtt.hpp"

/// Brokers of MQTT. libmosquitto (2.0) cannot be handed a descriptor: it connects by itself, past scope, pace and
/// transcript. The three packets that a login needs are built and read by probes/wire/mqtt.
namespace assay::probes::credentials {

namespace mqtt {

namespace {

constexpr std::uint8_t kVersion311 = 4;
constexpr std::uint8_t kVersion5 = 5;
constexpr std::uint8_t kVersions[] = {kVersion311, kVersion5};
constexpr std::uint8_t kRefuses = 0x80;

wire::Parse connack(std::string_view bytes) {
  return wire::parse_connack(bytes).state;
}

wire::Parse suback(std::string_view bytes) {
  return wire::parse_suback(bytes).state;
}

/// The client is refused for its version, not for who it is.
bool other_version(const wire::MqttConnack& answer) {
  return answer.code == 1 || answer.code == 0x84;
}

/// Banned, quota used up, connections come too fast (MQTT 5, 3.2.2.2).
bool locks(const wire::MqttConnack& answer) {
  return answer.version5 && (answer.code == 0x8a || answer.code == 0x97 || answer.code == 0x9f);
}

constexpr std::string_view kRandom = "{random}";
constexpr std::string_view kAnyId = "assay{random}";
constexpr std::string_view kIdOfName = "{username}";

/// What the DUT file says of the broker behind the door; null: nothing.
const Broker* declared_broker(const Door& door) {
  if (door.dut == nullptr) {
    return nullptr;
  }
  const auto& all = door.dut->brokers;
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.port == door.endpoint; });
  return found == all.end() ? nullptr : &*found;
}

/// The DUT file has an account that is to get in here: by `brokers`, or by `messages` where CONNECT carries its logins.
bool expects_account(const Door& door) {
  if (const auto* broker = declared_broker(door); broker != nullptr && !broker->account.empty()) {
    return true;
  }
  if (door.dut == nullptr || door.dut->accounts.empty()) {
    return false;
  }
  const auto& all = door.dut->messages;
  return std::any_of(all.begin(), all.end(), [&](const MessageInterface& one) {
    const auto carries = [](const std::string& text) { return text.find("{password}") != std::string::npos; };
    const bool by_messages = one.setting && (carries(one.setting->change.body) || carries(one.setting->change.topic) ||
                                             carries(one.setting->read));
    return one.port == door.endpoint && one.security != "psk" && !by_messages;
  });
}

std::string filled_id(std::string form, const std::string& username) {
  const auto fill = [&form](std::string_view mark, const std::string& text) {
    for (auto at = form.find(mark); at != std::string::npos; at = form.find(mark, at + text.size())) {
      form.replace(at, mark.size(), text);
    }
  };
  fill(kRandom, sessions::random_word(12));
  fill("{username}", username.empty() ? sessions::random_word(12) : username);
  return form;
}

/// How clients are called here; `named` by the DUT file.
struct ClientId {
  std::string form = std::string(kAnyId);
  bool named = false;
};

ClientId client_id_for(const Door& door) {
  const auto* broker = declared_broker(door);
  return broker == nullptr || broker->client_id.empty() ? ClientId{} : ClientId{broker->client_id, true};
}

wire::MqttConnect introduction(std::uint8_t level, const ClientId& id, const std::string& username) {
  wire::MqttConnect connect;
  connect.client_id = filled_id(id.form, username);
  connect.level = level;
  return connect;
}

/// What the broker lets a client do that was taken.
asio::awaitable<std::string> prove(LineTalk& talk, std::uint8_t level) {
  const auto packet = wire::mqtt_subscribe(level, "assay/" + sessions::random_word(12));
  auto answer = co_await talk.ask(packet, &suback);
  if (!answer) {
    co_return std::string{"CONNECT was answered with CONNACK 0"};
  }
  const auto code = wire::parse_suback(*answer).code;
  co_return code < kRefuses ? std::string{"CONNECT was answered with CONNACK 0, and a subscription was granted"}
                            : std::string{"CONNECT was answered with CONNACK 0, and a subscription was refused"};
}

class MqttLogin final : public FreshLogin {
 public:
  /// `id_refused`: the broker said to a visitor that it takes no such id of a client.
  MqttLogin(Door& door, bool tls, std::uint8_t level, bool id_refused)
      : FreshLogin(door, tls),
        level_(level),
        id_(client_id_for(door)),
        expects_account_(expects_account(door)),
        id_refused_(id_refused) {}

  std::string_view name() const override { return "mqtt"; }

  /// A broker ends the connection of a client when another one with its id comes, as that of the same name has.
  std::unique_ptr<Dialect> beside(Door& other) const override {
    return id_.form.find(kRandom) == std::string::npos ? nullptr : copy_of(*this, other);
  }

  /// Some brokers let an account in only as the client that is called as it is.
  bool turns() const override { return !id_.named; }

  void turn(bool otherwise) override { id_.form = otherwise ? kIdOfName : kAnyId; }

  std::string doubt() const override {
    const std::string whose = id_.named ? "that the DUT file names" : "of ours";
    if (taken_) {
      return {};
    }
    if (id_refused_) {
      return "the broker takes no client with an id " + whose + "; brokers of the DUT file may name one that it takes";
    }
    if (expects_account_) {
      return "the broker took no account of the DUT file with an id " + whose +
             ", and what a wrong id gets is what a wrong password gets; brokers of the DUT file may name the right one";
    }
    return {};
  }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    LineTalk talk{std::move(channel), login_patience(door())};
    auto connect = introduction(level_, id_, username);
    connect.username = username;
    connect.password = password.reveal();
    const auto packet = wire::mqtt_connect(connect);
    const auto shown = "CONNECT {" + username + ", " + password.name() + "}";
    auto answer = co_await talk.ask_concealed(packet, shown, &connack);
    if (!answer) {
      co_return broken(answer.error(), true);
    }
    const auto said = wire::parse_connack(*answer).connack;
    Told told;
    told.text = "CONNACK code " + std::to_string(said.code);
    if (said.code == 0) {
      taken_ = true;
      told.answer = Told::Answer::yes;
      told.proof = co_await prove(talk, level_);
      co_await talk.say_goodbye(wire::mqtt_disconnect());
    } else if (wire::asks_for_credentials(said)) {
      told.answer = Told::Answer::no;
    } else if (locks(said)) {
      told.answer = Told::Answer::locked;
    } else if (wire::refuses_client_id(said)) {
      id_refused_ = true;
      told.text += ": no client with this id";
    }
    co_return told;
  }

 private:
  std::uint8_t level_;
  ClientId id_;
  bool expects_account_;
  bool id_refused_;
  bool taken_ = false;  // some login was
};

asio::awaitable<Result<Detection>> find(Door& door, bool tls) {
  Detection found;
  for (const auto level : kVersions) {
    auto opened = co_await open_door(door, tls);
    if (!opened) {
      co_return opened.error();
    }
    LineTalk talk{std::move(*opened), door.timers.reply};
    const auto visitor = introduction(level, client_id_for(door), {});
    const auto packet = wire::mqtt_connect(visitor);
    auto answer = co_await talk.ask(packet, &connack);
    if (!answer) {
      if (sessions::ends_probe(answer.error().kind)) {
        co_return answer.error();
      }
      break;
    }
    const auto said = wire::parse_connack(*answer).connack;
    if (other_version(said) && level == kVersion311) {
      continue;
    }
    found.dialect = std::make_unique<MqttLogin>(door, tls, level, wire::refuses_client_id(said));
    if (said.code == 0) {
      found.open = true;
      found.open_proof = "without credentials " + co_await prove(talk, level);
      co_await talk.say_goodbye(wire::mqtt_disconnect());
    }
    break;
  }
  co_return found;
}

}  // namespace

}  // namespace mqtt

asio::awaitable<Result<Detection>> detect_mqtt(Door& door, bool tls) {
  return mqtt::find(door, tls);
}

}  // namespace assay::probes::credentials
