#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// MQTT 3.1, 3.1.1 and 5 as a broker reads and writes it, and PUBLISH of both sides. What a login needs of a client is
/// in mqtt.hpp.
namespace assay::wire {

enum class MqttKind : std::uint8_t {
  connect = 1,
  connack = 2,
  publish = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  subscribe = 8,
  suback = 9,
  unsubscribe = 10,
  unsuback = 11,
  pingreq = 12,
  pingresp = 13,
  disconnect = 14,
};

/// One packet in its frame.
struct MqttPacket {
  MqttKind kind = MqttKind::disconnect;
  std::uint8_t flags = 0;
  std::string body;
};

struct MqttPacketParse {
  Parse state = Parse::malformed;
  MqttPacket packet;
  std::size_t used = 0;
};

constexpr std::size_t kMostMqttPacket = std::size_t{64} << 10U;  // bytes; longer ones are malformed

/// The packet at the start of a stream.
MqttPacketParse parse_mqtt_packet(std::string_view bytes);

std::string encode_mqtt_packet(const MqttPacket& packet);

/// Of a CONNECT. A password is only known to be there.
struct MqttHello {
  std::uint8_t level = 0;  // 3: 3.1, 4: 3.1.1, 5: 5
  std::string client_id;
  std::optional<std::string> username;
  bool password = false;
  bool will = false;
  std::uint16_t keep_alive_s = 0;
};

std::optional<MqttHello> read_mqtt_hello(const MqttPacket& packet);

/// Of a SUBSCRIBE, at most 32 filters.
struct MqttWish {
  struct Filter {
    std::string topic;
    std::uint8_t quality = 0;  // that is asked for, 0 to 2
  };

  std::uint16_t id = 0;
  std::vector<Filter> filters;
};

std::optional<MqttWish> read_mqtt_wish(const MqttPacket& packet, std::uint8_t level);

/// Of a PUBLISH.
struct MqttNote {
  std::string topic;
  std::string payload;
  std::uint8_t quality = 0;
  bool retain = false;
  std::uint16_t id = 0;  // of quality 1 and 2
};

std::optional<MqttNote> read_mqtt_note(const MqttPacket& packet, std::uint8_t level);

/// Of the short packets: the identifier that they begin with.
std::optional<std::uint16_t> read_mqtt_id(const MqttPacket& packet);

std::string mqtt_connack(std::uint8_t level, std::uint8_t code);
std::string mqtt_suback(std::uint8_t level, std::uint16_t id, const std::vector<std::uint8_t>& codes);
std::string mqtt_unsuback(std::uint8_t level, std::uint16_t id);
std::string mqtt_publish(std::uint8_t level, const MqttNote& note);

/// PUBACK, PUBREC, PUBREL, PUBCOMP; their success is the same in all versions.
std::string mqtt_acknowledge(MqttKind kind, std::uint16_t id);

std::string mqtt_pingresp();

/// Whether a topic belongs to a filter with its wildcards (MQTT 5, 4.7).
bool mqtt_topic_matches(std::string_view filter, std::string_view topic);

}  // namespace assay::wire
