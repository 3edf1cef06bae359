#include <random>

#include "probes/wire/coap.hpp"
#include "probes/wire/lwm2m.hpp"
#include "probes/wire/mqtt.hpp"
#include "probes/wire/mqtt_packets.hpp"
#include "tests/support/catch.hpp"

/// What the servers read and write that a device is updated by: blocks of CoAP, LwM2M, a broker's side of MQTT.
using namespace assay::wire;
using namespace std::string_literals;

namespace {

constexpr std::uint8_t kMqttLevels[] = {4, 5};

}  // namespace

TEST_CASE("CoAP: numbers take the bytes that they need") {
  CHECK(coap_number(0).empty());
  CHECK(coap_number(0x2a) == "\x2a");
  CHECK(coap_number(0x10000) == "\x01\x00\x00"s);
  CHECK(coap_number_of("") == 0);
  CHECK(coap_number_of("\x01\x00\x00"s) == 0x10000);
  CHECK_FALSE(coap_number_of("12345"));
}

TEST_CASE("CoAP: a block says its place, its size and whether more follows") {
  const CoapBlock block{33, true, 5};
  CHECK(block.size() == 512);
  CHECK(block.offset() == 33 * 512);
  CHECK(coap_block_of(coap_block(block)) == block);
  CHECK(coap_block({0, false, 0}).empty());
  CHECK(coap_block_of("") == CoapBlock{0, false, 0});
  CHECK_FALSE(coap_block_of("\x07"));               // the size that is reserved
  CHECK_FALSE(coap_block_of("\x01\x00\x00\x00"s));  // four bytes
}

TEST_CASE("CoAP: options are found, added in order, and a path goes both ways") {
  auto request = coap_request(kCoapPut, "/5/0/1");
  add_option(request, kCoapBlock1, coap_block({0, true, 6}));
  add_option(request, kCoapContentFormat, coap_number(42));
  const auto parse = parse_coap(encode_coap(request));
  REQUIRE(parse.state == Parse::complete);
  CHECK(coap_path(parse.message) == "/5/0/1");
  REQUIRE(find_option(parse.message, kCoapContentFormat) != nullptr);
  CHECK(find_option(parse.message, kCoapContentFormat)->value == "\x2a");
  CHECK(find_option(parse.message, kCoapEtag) == nullptr);
  CHECK(coap_path(CoapMessage{}) == "/");
}

TEST_CASE("LwM2M: a registration tells its client") {
  auto request = coap_request(kCoapPost, "rd");
  for (const auto* query : {"ep=urn:dev:os:1-EX-1", "lt=300", "lwm2m=1.1", "b=U"}) {
    add_option(request, kCoapUriQuery, query);
  }
  request.payload = "</>;rt=\"oma.lwm2m\",</1/0>,</3/0>,</5/0>";
  const auto told = read_lwm2m_registration(request);
  CHECK(told.endpoint == "urn:dev:os:1-EX-1");
  CHECK(told.lifetime_s == 300);
  CHECK(told.version == "1.1");
  CHECK(told.binding == "U");
  CHECK(lwm2m_root(told.objects).empty());
  CHECK(has_lwm2m_object(told.objects, 5));
  CHECK_FALSE(has_lwm2m_object(told.objects, 9));
}

TEST_CASE("LwM2M: objects lie below the client's own root, and numbers are not taken for others") {
  CHECK(lwm2m_root("</lwm2m>;rt=\"oma.lwm2m\";ct=11543,</lwm2m/5/0>") == "/lwm2m");
  CHECK(has_lwm2m_object("</lwm2m>;rt=\"oma.lwm2m\",</lwm2m/5/0>", 5));
  CHECK(has_lwm2m_object("</5>", 5));
  CHECK_FALSE(has_lwm2m_object("</15/0>,</1/5>,</50/0>", 5));
  CHECK(lwm2m_root("rt=\"oma.lwm2m\"").empty());
  CHECK(lwm2m_root("<rt=\"oma.lwm2m\"").empty());
}

TEST_CASE("LwM2M: a value is read of plain text and of TLV") {
  CoapMessage answer;
  answer.payload = "2.5.0";
  CHECK(lwm2m_value(answer, false) == "2.5.0");
  add_option(answer, kCoapContentFormat, coap_number(kLwm2mTlv));
  answer.payload = "\xc1\x03\x02"s;
  CHECK(lwm2m_value(answer, true) == "2");
  answer.payload = "\xc2\x05\xff\xfe"s;
  CHECK(lwm2m_value(answer, true) == "-2");
  answer.payload = "\xc8\x03\x09"s + "123456789";
  CHECK(lwm2m_value(answer, false) == "123456789");
  CHECK_FALSE(lwm2m_value(answer, true));  // no number has nine bytes
  answer.payload = "\xc8\x03\x0a"s + "123456789";
  CHECK_FALSE(lwm2m_value(answer, false));  // cut
  answer.payload = "\x08\x00\x01\x41"s;
  CHECK_FALSE(lwm2m_value(answer, false));  // an instance of an object
  answer.options.clear();
  add_option(answer, kCoapContentFormat, coap_number(110));
  CHECK_FALSE(lwm2m_value(answer, false));
}

TEST_CASE("MQTT: a broker reads what a client says to begin with, in each version") {
  MqttConnect connect;
  connect.client_id = "hub";
  connect.username = "u";
  connect.password = "p";
  for (const auto level : kMqttLevels) {
    connect.level = level;
    const auto parse = parse_mqtt_packet(mqtt_connect(connect) + "more");
    REQUIRE(parse.state == Parse::complete);
    const auto hello = read_mqtt_hello(parse.packet);
    REQUIRE(hello);
    CHECK(hello->level == level);
    CHECK(hello->client_id == "hub");
    CHECK(hello->username == "u");
    CHECK(hello->password);
  }
  const auto old = parse_mqtt_packet("\x10\x11\x00\x06MQIsdp\x03\x02\x00\x1e\x00\x03hub"s);
  REQUIRE(old.state == Parse::complete);
  CHECK(read_mqtt_hello(old.packet)->level == 3);
  const auto unknown = parse_mqtt_packet("\x10\x0f\x00\x04MQTT\x09\x02\x00\x1e\x00\x03hub"s);
  REQUIRE(unknown.state == Parse::complete);
  CHECK_FALSE(read_mqtt_hello(unknown.packet));
}

TEST_CASE("MQTT: a broker reads wishes and grants them as a client reads it") {
  const auto parse = parse_mqtt_packet(mqtt_subscribe(4, "updates/hub"));
  REQUIRE(parse.state == Parse::complete);
  const auto wish = read_mqtt_wish(parse.packet, 4);
  REQUIRE(wish);
  CHECK(wish->id == 1);
  REQUIRE(wish->filters.size() == 1);
  CHECK(wish->filters[0].topic == "updates/hub");
  for (const auto level : kMqttLevels) {
    CHECK(parse_suback(mqtt_suback(level, 1, {0})).state == Parse::complete);
    CHECK(parse_connack(mqtt_connack(level, 0)).state == Parse::complete);
  }
  CHECK_FALSE(read_mqtt_wish({MqttKind::subscribe, 2, "\x00\x01"s}, 4));
  CHECK_FALSE(read_mqtt_wish({MqttKind::subscribe, 2, "\x00\x01\x00\x01#\x03"s}, 4));  // a quality that is none
}

TEST_CASE("MQTT: a note goes both ways") {
  const MqttNote note{"updates/hub", "{\"a\": 1}", 1, true, 7};
  for (const auto level : kMqttLevels) {
    const auto parse = parse_mqtt_packet(mqtt_publish(level, note));
    REQUIRE(parse.state == Parse::complete);
    const auto again = read_mqtt_note(parse.packet, level);
    REQUIRE(again);
    CHECK(again->topic == note.topic);
    CHECK(again->payload == note.payload);
    CHECK(again->quality == 1);
    CHECK(again->retain);
    CHECK(again->id == 7);
  }
  CHECK(read_mqtt_id(parse_mqtt_packet(mqtt_acknowledge(MqttKind::puback, 7)).packet) == 7);
}

TEST_CASE("MQTT: frames are whole, cut or none") {
  CHECK(parse_mqtt_packet("").state == Parse::need_more);
  CHECK(parse_mqtt_packet("\x30\x05"s + "ab").state == Parse::need_more);
  CHECK(parse_mqtt_packet("\x30\xff\xff\xff\xff"s).state == Parse::malformed);
  CHECK(parse_mqtt_packet("\x30\xff\xff\xff\x7f"s).state == Parse::malformed);  // 256 MiB
  CHECK(parse_mqtt_packet("\x00\x00"s).state == Parse::malformed);
  CHECK(parse_mqtt_packet("\xf0\x00"s).state == Parse::malformed);
}

TEST_CASE("MQTT: topics belong to filters") {
  CHECK(mqtt_topic_matches("updates/hub", "updates/hub"));
  CHECK(mqtt_topic_matches("updates/+", "updates/hub"));
  CHECK(mqtt_topic_matches("#", "updates/hub"));
  CHECK(mqtt_topic_matches("updates/#", "updates/hub/1"));
  CHECK(mqtt_topic_matches("updates/hub/#", "updates/hub"));
  CHECK_FALSE(mqtt_topic_matches("updates/+", "updates/hub/1"));
  CHECK_FALSE(mqtt_topic_matches("updates", "updates/hub"));
  CHECK_FALSE(mqtt_topic_matches("updates/hub/1", "updates/hub"));
  CHECK_FALSE(mqtt_topic_matches("#", "$SYS/broker"));
  CHECK(mqtt_topic_matches("+/+", "/hub"));
}
