#include <chrono>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/fresh_login.hpp"
#include "probes/sessions/psk_session.hpp"
#include "probes/wire/mqtt.hpp"

/// Brokers behind TLS with pre-shared keys, as libmosquitto's mosquitto_tls_psk_set() speaks to them. The library
/// connects by itself, past scope, pace and transcript; OpenSSL over memory makes the session and probes/wire/mqtt the
/// question inside.
namespace assay::probes::credentials {

namespace mqtt_psk {

namespace {

using Answer = sessions::PskLogin::Answer;

constexpr std::uint8_t kVersion311 = 4;

sessions::PskOffer offer_of(Door& door, std::string identity, std::string key, bool version13) {
  wire::MqttConnect connect;
  connect.client_id = "assay" + sessions::random_word(12);
  connect.level = kVersion311;
  sessions::PskOffer offer;
  offer.identity = std::move(identity);
  offer.key = std::move(key);
  offer.question = wire::mqtt_connect(connect);
  offer.version13 = version13;
  offer.conceal = [&door](std::string_view random) { door.record.conceal(random, "random of the client"); };
  return offer;
}

class MqttPskLogin final : public FreshLogin {
 public:
  MqttPskLogin(Door& door, bool version13) : FreshLogin(door, false), version13_(version13) {}

  std::string_view name() const override { return "mqtt-psk"; }

  bool clear() const override { return false; }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string identity,
                               Secret password) override {
    Told told;
    auto key = sessions::psk_of_word(password.reveal());
    if (key.empty()) {
      told.answer = Told::Answer::no;
      told.text = "there is no empty key";
      co_return told;
    }
    auto& line = *channel;
    auto offer = offer_of(door(), std::move(identity), std::move(key), version13_);
    sessions::PskOverChannel carrier{line};
    auto session = co_await sessions::log_in_psk(carrier, door().transcript, std::move(offer), door().timers.reply);
    if (!session) {
      told.error = session.error();
      co_return told;
    }
    read(*session, line.ended(), told);
    co_return told;
  }

 private:
  static void read(const sessions::PskLogin& session, bool ended, Told& told) {
    if (session.answer == Answer::accepted) {
      told.answer = Told::Answer::yes;
      told.proof = "TLS finished with " + session.suite + ", both sides having shown the key";
      const auto said = wire::parse_connack(session.reply);
      if (said.state == wire::Parse::complete) {
        told.proof += ", and CONNECT was answered inside with CONNACK " + std::to_string(said.connack.code);
      }
    } else if (session.answer == Answer::refused) {
      told.answer = Told::Answer::no;
      told.text = "alert " + session.alert;
    } else if (session.answer == Answer::silent) {
      told.answer = ended ? Told::Answer::cut : Told::Answer::unclear;
      told.text = ended ? "the end of the connection after the key was used" : "silence after the key was used";
    } else {
      told.text = session.answer == Answer::unheard ? "no answer of TLS" : "no key was asked for";
    }
  }

  bool version13_;
};

enum class Asked : std::uint8_t {
  key,
  newer,  // another version of TLS
  none,
};

/// What is asked for by these versions.
asio::awaitable<Result<Asked>> asks_for_key(Door& door, bool version13) {
  auto opened = co_await open_door(door, false);
  if (!opened) {
    co_return opened.error();
  }
  auto& line = **opened;
  const std::string nobody = "assay" + sessions::random_word(8);
  // Without a key the handshake ends here where one is asked for. TLS 1.3 asks for none: there one that nobody has
  // tells.
  const auto key = version13 ? sessions::random_bytes(16) : std::string{};
  auto offer = offer_of(door, nobody, key, version13);
  sessions::PskOverChannel carrier{line};
  auto told = co_await sessions::log_in_psk(carrier, door.transcript, std::move(offer), door.timers.reply);
  if (!told) {
    co_return told.error();
  }
  if (told->answer == Answer::silent || told->answer == Answer::refused) {
    co_return Asked::key;
  }
  co_return told->alert_number == sessions::kAlertProtocolVersion ? Asked::newer : Asked::none;
}

asio::awaitable<Result<Detection>> find(Door& door) {
  Detection found;
  for (const bool version13 : {false, true}) {
    auto asked = co_await asks_for_key(door, version13);
    if (!asked) {
      co_return asked.error();
    }
    if (*asked == Asked::key) {
      found.dialect = std::make_unique<MqttPskLogin>(door, version13);
      found.answered = true;
    }
    // Servers of older versions that pass over supported_versions refuse a hello of TLS 1.3 as they refuse a key.
    if (*asked != Asked::newer) {
      break;
    }
  }
  co_return found;
}

}  // namespace

}  // namespace mqtt_psk

asio::awaitable<Result<Detection>> detect_mqtt_psk(Door& door) {
  auto found = co_await mqtt_psk::find(door);
  co_return found;
}

}  // namespace assay::probes::credentials
