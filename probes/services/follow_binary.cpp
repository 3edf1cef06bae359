#include "probes/services/follow.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/coap.hpp"
#include "probes/wire/mqtt.hpp"

/// Services that talk in binary messages over TCP: MQTT and CoAP.
namespace assay::probes::services {

namespace {

constexpr int kCoapRounds = 16;

void note_connack(const wire::MqttConnack& connack, const Place& place, Sighting& sighting) {
  sighting.protocol = "mqtt";
  sighting.details["mqtt_version"] = connack.version5 ? "5" : "3.1.1";
  sighting.details["connack_code"] = connack.code;
  sighting.details["anonymous"] = connack.code == 0;
  if (wire::asks_for_credentials(connack)) {
    add_login(sighting, "mqtt", place.clear());
  }
}

}  // namespace

std::string mqtt_hello(std::uint8_t level) {
  wire::MqttConnect connect;
  connect.client_id = "assay" + sessions::random_word(12);
  connect.level = level;
  return wire::mqtt_connect(connect);
}

asio::awaitable<Result<>> follow_mqtt(sessions::Channel& channel, const Place& place, std::string first,
                                      Sighting& sighting) {
  const auto parse = wire::parse_connack(first);
  if (parse.state != wire::Parse::complete) {
    co_return Result<>{};
  }
  note_connack(parse.connack, place, sighting);
  if (parse.connack.code == 0) {
    auto bytes = wire::mqtt_disconnect();
    co_await channel.say_goodbye(std::move(bytes));
  }
  co_return Result<>{};
}

std::string coap_tcp_hello() {
  wire::CoapMessage settings;
  settings.code = wire::kCoapCsm;
  return wire::encode_coap_tcp(settings);
}

asio::awaitable<Result<>> follow_coap_tcp(sessions::Channel& channel, const Place& place, Sighting& sighting) {
  const auto token = sessions::random_bytes(8);
  const auto request = wire::coap_get(".well-known/core", 0, token);
  auto bytes = wire::encode_coap_tcp(request);
  auto sent = co_await channel.send(std::move(bytes));
  std::string pending;
  for (int round = 0; sent && round < kCoapRounds; ++round) {
    auto part = co_await channel.receive(place.timers.reply);
    if (!part) {
      break;
    }
    pending += *part;
    auto parse = wire::parse_coap_tcp(pending);
    while (parse.state == wire::Parse::complete) {
      if (parse.message.token == token && parse.message.code >= 0x40) {
        sighting.protocol = "coap";
        sighting.details["code"] = wire::coap_code(parse.message.code);
        sighting.details["resources"] = wire::printable(parse.message.payload, 2048);
        co_return Result<>{};
      }
      pending.erase(0, parse.used);
      parse = wire::parse_coap_tcp(pending);
    }
    if (parse.state == wire::Parse::malformed) {
      break;
    }
  }
  co_return Result<>{};
}

}  // namespace assay::probes::services
