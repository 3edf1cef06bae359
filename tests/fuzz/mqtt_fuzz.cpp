#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "probes/wire/mqtt.hpp"
#include "probes/wire/mqtt_fields.hpp"
#include "probes/wire/mqtt_packets.hpp"

using namespace assay::wire;

namespace {

constexpr std::uint8_t kMqttLevels[] = {4, 5};

/// A length is below 2^28, and reads the same after it was written.
void read_length(std::string_view bytes) {
  Reader reader{bytes};
  std::uint32_t length = 0;
  if (!read_mqtt_length(reader, length)) {
    return;
  }
  std::string written;
  put_mqtt_length(written, length);
  Reader again{written};
  std::uint32_t same = 0;
  if (length >= 1U << 28U || !read_mqtt_length(again, same) || same != length || !again.rest().empty()) {
    std::abort();
  }
}

/// What a broker reads of a client is of the packet, and a note means the same after it was written and read again.
void read_as_broker(std::string_view bytes) {
  const auto parse = parse_mqtt_packet(bytes);
  if (parse.state != Parse::complete) {
    return;
  }
  if (parse.used > bytes.size() || parse.packet.body.size() > kMostMqttPacket) {
    std::abort();
  }
  const auto hello = read_mqtt_hello(parse.packet);
  if (hello && hello->client_id.size() > parse.packet.body.size()) {
    std::abort();
  }
  for (const auto level : kMqttLevels) {
    if (const auto wish = read_mqtt_wish(parse.packet, level)) {
      for (const auto& filter : wish->filters) {
        mqtt_topic_matches(filter.topic, "updates/hub");
      }
    }
    const auto note = read_mqtt_note(parse.packet, level);
    if (!note) {
      continue;
    }
    const auto again = parse_mqtt_packet(mqtt_publish(level, *note));
    const auto read = again.state == Parse::complete ? read_mqtt_note(again.packet, level) : std::nullopt;
    if (again.state == Parse::complete && (!read || read->topic != note->topic || read->payload != note->payload)) {
      std::abort();
    }
  }
}

}  // namespace

/// A complete CONNACK lies inside the bytes, and a longer input begins with the same packet.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  read_length(bytes);
  read_as_broker(bytes);
  if (parse_suback(bytes).state == Parse::complete && (static_cast<unsigned char>(bytes[0]) != 0x90 || size < 5)) {
    std::abort();
  }
  const auto parse = parse_connack(bytes);
  if (parse.state != Parse::complete) {
    return 0;
  }
  const auto again = parse_connack(bytes.substr(0, parse.used));
  if (parse.used > size || again.state != Parse::complete || again.connack.code != parse.connack.code) {
    std::abort();
  }
  return 0;
}
