#include "probes/wire/mqtt.hpp"

#include "probes/wire/mqtt_fields.hpp"

namespace assay::wire {

namespace {

constexpr std::uint8_t kConnackType = 0x20;
constexpr std::uint8_t kSubackType = 0x90;
constexpr std::uint32_t kMaximumConnack = 4096;

bool known_reason(std::uint8_t code) {
  return code == 0 || (code >= 0x80 && code <= 0x9f);
}

}  // namespace

std::string mqtt_connect(const MqttConnect& connect) {
  std::string body;
  put_mqtt_text(body, "MQTT");
  put_u8(body, connect.level);
  put_u8(body, 0x02U | (connect.username ? 0x80U : 0U) | (connect.password ? 0x40U : 0U));
  put_u16(body, 30);
  if (connect.level >= 5) {
    put_u8(body, 0);
  }
  put_mqtt_text(body, connect.client_id);
  if (connect.username) {
    put_mqtt_text(body, *connect.username);
  }
  if (connect.password) {
    put_mqtt_text(body, *connect.password);
  }
  std::string out;
  put_u8(out, 0x10);
  put_mqtt_length(out, body.size());
  return out + body;
}

std::string mqtt_subscribe(std::uint8_t level, std::string_view topic) {
  std::string body;
  put_u16(body, 1);
  if (level >= 5) {
    put_u8(body, 0);
  }
  put_mqtt_text(body, topic);
  put_u8(body, 0);
  std::string out;
  put_u8(out, 0x82);
  put_mqtt_length(out, body.size());
  return out + body;
}

MqttSuback parse_suback(std::string_view bytes) {
  MqttSuback parse;
  if (bytes.empty()) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader reader{bytes};
  std::uint32_t length = 0;
  if (reader.u8() != kSubackType) {
    return parse;
  }
  if (!read_mqtt_length(reader, length)) {
    parse.state = reader.failed() ? Parse::need_more : Parse::malformed;
    return parse;
  }
  if (length < 3 || length > kMaximumConnack) {
    return parse;
  }
  if (reader.rest().size() < length) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader body{reader.take(length)};
  if (body.u16() != 1) {
    return parse;
  }
  parse.code = static_cast<std::uint8_t>(body.rest().back());
  parse.state = Parse::complete;
  return parse;
}

std::string mqtt_disconnect() {
  return std::string{"\xe0\x00", 2};
}

MqttConnackParse parse_connack(std::string_view bytes) {
  MqttConnackParse parse;
  if (bytes.empty()) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader reader{bytes};
  if (reader.u8() != kConnackType) {
    return parse;
  }
  std::uint32_t length = 0;
  if (!read_mqtt_length(reader, length)) {
    parse.state = reader.failed() ? Parse::need_more : Parse::malformed;
    return parse;
  }
  if (length < 2 || length > kMaximumConnack) {
    return parse;
  }
  if (reader.rest().size() < length) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader body{reader.take(length)};
  const auto flags = body.u8();
  parse.connack.session_present = (flags & 1U) != 0;
  parse.connack.code = body.u8();
  if (flags > 1) {
    return parse;
  }
  if (length == 2) {
    // Brokers that know only MQTT 5 answer older clients with its code for a wrong version, in the old frame.
    parse.state = parse.connack.code <= 5 || parse.connack.code == 0x84 ? Parse::complete : Parse::malformed;
  } else {
    std::uint32_t properties = 0;
    parse.connack.version5 = true;
    const bool fits = read_mqtt_length(body, properties) && body.rest().size() == properties;
    parse.state = fits && known_reason(parse.connack.code) ? Parse::complete : Parse::malformed;
  }
  parse.used = bytes.size() - reader.rest().size();
  return parse;
}

bool asks_for_credentials(const MqttConnack& connack) {
  if (connack.version5) {
    return connack.code == 0x86 || connack.code == 0x87;
  }
  return connack.code == 4 || connack.code == 5;
}

bool refuses_client_id(const MqttConnack& connack) {
  return connack.code == (connack.version5 ? 0x85 : 2);
}

}  // namespace assay::wire
