#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// MQTT 3.1.1 and 5: as much as the first exchange needs.
namespace assay::wire {

struct MqttConnect {
  std::string client_id;
  std::uint8_t level = 4;  // 4: 3.1.1, 5: 5
  std::optional<std::string> username;
  std::optional<std::string> password;
};

std::string mqtt_connect(const MqttConnect& connect);
std::string mqtt_disconnect();

/// SUBSCRIBE to one topic with quality of service 0 and packet identifier 1.
std::string mqtt_subscribe(std::uint8_t level, std::string_view topic);

struct MqttConnack {
  bool session_present = false;
  std::uint8_t code = 0;  // return code (3.1.1) or reason code (5)
  bool version5 = false;  // the packet has the form of MQTT 5
};

struct MqttConnackParse {
  Parse state = Parse::malformed;
  MqttConnack connack;
  std::size_t used = 0;
};

/// Strict: only a CONNACK with its reserved bits clear, a known code and a consistent length is one.
MqttConnackParse parse_connack(std::string_view bytes);

struct MqttSuback {
  Parse state = Parse::malformed;
  std::uint8_t code = 0;  // the last one: 0x80 and above refuse
};

/// The answer to `mqtt_subscribe`; at most 4 KiB.
MqttSuback parse_suback(std::string_view bytes);

/// Not authorised, in the words of both versions (3.1.1: 4, 5; 5: 0x86, 0x87).
bool asks_for_credentials(const MqttConnack& connack);

/// The id of the client is not taken, whoever it is (3.1.1: 2; 5: 0x85).
bool refuses_client_id(const MqttConnack& connack);

}  // namespace assay::wire
