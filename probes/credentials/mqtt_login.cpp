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

wire::MqttConnect introduction(std::uint8_t level) {
  wire::MqttConnect connect;
  connect.client_id = "assay" + sessions::random_word(12);
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
  MqttLogin(Door& door, bool tls, std::uint8_t level) : FreshLogin(door, tls), level_(level) {}

  std::string_view name() const override { return "mqtt"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    LineTalk talk{std::move(channel), login_patience(door())};
    auto connect = introduction(level_);
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
      told.answer = Told::Answer::yes;
      told.proof = co_await prove(talk, level_);
      co_await talk.say_goodbye(wire::mqtt_disconnect());
    } else if (wire::asks_for_credentials(said)) {
      told.answer = Told::Answer::no;
    } else if (locks(said)) {
      told.answer = Told::Answer::locked;
    }
    co_return told;
  }

 private:
  std::uint8_t level_;
};

asio::awaitable<Result<Detection>> find(Door& door, bool tls) {
  Detection found;
  for (const auto level : kVersions) {
    auto opened = co_await open_door(door, tls);
    if (!opened) {
      co_return opened.error();
    }
    LineTalk talk{std::move(*opened), door.timers.reply};
    const auto packet = wire::mqtt_connect(introduction(level));
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
    found.dialect = std::make_unique<MqttLogin>(door, tls, level);
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
