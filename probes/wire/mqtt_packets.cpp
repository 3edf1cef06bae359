#include "probes/wire/mqtt_packets.hpp"

#include <algorithm>

#include "probes/wire/mqtt_fields.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMostFilters = 32;
constexpr std::uint8_t kWithProperties = 5;

std::string read_text(Reader& reader) {
  const auto size = reader.u16();
  return std::string{reader.take(size)};
}

/// Properties are passed over: nothing here depends on them.
bool pass_properties(Reader& reader, std::uint8_t level) {
  std::uint32_t size = 0;
  if (level < kWithProperties) {
    return true;
  }
  if (!read_mqtt_length(reader, size)) {
    return false;
  }
  reader.take(size);
  return !reader.failed();
}

std::string framed(MqttKind kind, std::uint8_t flags, std::string body) {
  return encode_mqtt_packet({kind, flags, std::move(body)});
}

}  // namespace

MqttPacketParse parse_mqtt_packet(std::string_view bytes) {
  MqttPacketParse parse;
  if (bytes.empty()) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader reader{bytes};
  const std::uint32_t head = reader.u8();
  const auto kind = head >> 4U;
  if (kind < static_cast<std::uint32_t>(MqttKind::connect) || kind > static_cast<std::uint32_t>(MqttKind::disconnect)) {
    return parse;
  }
  std::uint32_t length = 0;
  const bool whole = read_mqtt_length(reader, length);
  if ((!whole && !reader.failed()) || length > kMostMqttPacket) {
    return parse;
  }
  if (!whole || reader.rest().size() < length) {
    parse.state = Parse::need_more;
    return parse;
  }
  parse.packet.kind = static_cast<MqttKind>(kind);
  parse.packet.flags = static_cast<std::uint8_t>(head & 15U);
  parse.packet.body = reader.take(length);
  parse.used = bytes.size() - reader.rest().size();
  parse.state = Parse::complete;
  return parse;
}

std::string encode_mqtt_packet(const MqttPacket& packet) {
  std::string out;
  put_u8(out, static_cast<std::uint32_t>(packet.kind) << 4U | packet.flags);
  put_mqtt_length(out, packet.body.size());
  return out + packet.body;
}

std::optional<MqttHello> read_mqtt_hello(const MqttPacket& packet) {
  Reader reader{packet.body};
  MqttHello hello;
  const auto protocol = read_text(reader);
  hello.level = reader.u8();
  const std::uint32_t flags = reader.u8();
  hello.keep_alive_s = reader.u16();
  const bool known =
      (protocol == "MQTT" && (hello.level == 4 || hello.level == 5)) || (protocol == "MQIsdp" && hello.level == 3);
  if (packet.kind != MqttKind::connect || reader.failed() || !known || !pass_properties(reader, hello.level)) {
    return std::nullopt;
  }
  hello.client_id = read_text(reader);
  hello.will = (flags & 0x04U) != 0;
  if (hello.will) {
    if (!pass_properties(reader, hello.level)) {
      return std::nullopt;
    }
    read_text(reader);
    read_text(reader);
  }
  if ((flags & 0x80U) != 0) {
    hello.username = read_text(reader);
  }
  if ((flags & 0x40U) != 0) {
    read_text(reader);
    hello.password = true;
  }
  return reader.failed() ? std::nullopt : std::optional{hello};
}

std::optional<MqttWish> read_mqtt_wish(const MqttPacket& packet, std::uint8_t level) {
  Reader reader{packet.body};
  MqttWish wish;
  wish.id = reader.u16();
  if (packet.kind != MqttKind::subscribe || reader.failed() || !pass_properties(reader, level)) {
    return std::nullopt;
  }
  while (!reader.rest().empty()) {
    auto topic = read_text(reader);
    const std::uint32_t options = reader.u8();
    if (reader.failed() || topic.empty() || (options & 3U) == 3 || wish.filters.size() >= kMostFilters) {
      return std::nullopt;
    }
    wish.filters.push_back({std::move(topic), static_cast<std::uint8_t>(options & 3U)});
  }
  return wish.filters.empty() ? std::nullopt : std::optional{std::move(wish)};
}

std::optional<MqttNote> read_mqtt_note(const MqttPacket& packet, std::uint8_t level) {
  Reader reader{packet.body};
  MqttNote note;
  note.retain = (packet.flags & 1U) != 0;
  note.quality = static_cast<std::uint8_t>(packet.flags >> 1U & 3U);
  note.topic = read_text(reader);
  if (note.quality > 0) {
    note.id = reader.u16();
  }
  if (packet.kind != MqttKind::publish || note.quality == 3 || reader.failed() || !pass_properties(reader, level)) {
    return std::nullopt;
  }
  note.payload = reader.rest();
  return note;
}

std::optional<std::uint16_t> read_mqtt_id(const MqttPacket& packet) {
  Reader reader{packet.body};
  const auto id = reader.u16();
  return reader.failed() ? std::nullopt : std::optional{id};
}

std::string mqtt_connack(std::uint8_t level, std::uint8_t code) {
  std::string body;
  put_u8(body, 0);
  put_u8(body, code);
  if (level >= kWithProperties) {
    put_u8(body, 0);
  }
  return framed(MqttKind::connack, 0, std::move(body));
}

std::string mqtt_suback(std::uint8_t level, std::uint16_t id, const std::vector<std::uint8_t>& codes) {
  std::string body;
  put_u16(body, id);
  if (level >= kWithProperties) {
    put_u8(body, 0);
  }
  for (const auto code : codes) {
    put_u8(body, code);
  }
  return framed(MqttKind::suback, 0, std::move(body));
}

std::string mqtt_unsuback(std::uint8_t level, std::uint16_t id) {
  std::string body;
  put_u16(body, id);
  if (level >= kWithProperties) {
    put_u16(body, 0);  // no properties, and success of the one filter that is usual
  }
  return framed(MqttKind::unsuback, 0, std::move(body));
}

std::string mqtt_publish(std::uint8_t level, const MqttNote& note) {
  std::string body;
  put_mqtt_text(body, note.topic);
  if (note.quality > 0) {
    put_u16(body, note.id);
  }
  if (level >= kWithProperties) {
    put_u8(body, 0);
  }
  const auto flags =
      static_cast<std::uint8_t>(static_cast<std::uint32_t>(note.quality) << 1U | (note.retain ? 1U : 0U));
  return framed(MqttKind::publish, flags, body + note.payload);
}

std::string mqtt_acknowledge(MqttKind kind, std::uint16_t id) {
  std::string body;
  put_u16(body, id);
  const std::uint8_t flags = kind == MqttKind::pubrel ? 2 : 0;
  return framed(kind, flags, std::move(body));
}

std::string mqtt_pingresp() {
  return framed(MqttKind::pingresp, 0, {});
}

bool mqtt_topic_matches(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') != filter.starts_with('$')) {
    return false;  // no wildcard at the start reaches what is the broker's own
  }
  while (true) {
    const auto level = filter.substr(0, filter.find('/'));
    const auto part = topic.substr(0, topic.find('/'));
    if (level == "#") {
      return true;
    }
    if (level != "+" && level != part) {
      return false;
    }
    const bool more_filter = level.size() < filter.size();
    const bool more_topic = part.size() < topic.size();
    if (!more_topic) {
      return !more_filter || filter.substr(level.size()) == "/#";
    }
    if (!more_filter) {
      return false;
    }
    filter.remove_prefix(level.size() + 1);
    topic.remove_prefix(part.size() + 1);
  }
}

}  // namespace assay::wire
