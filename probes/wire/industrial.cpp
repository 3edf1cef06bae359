#include "probes/wire/industrial.hpp"

namespace assay::wire {

namespace {

constexpr std::uint8_t kEncapsulated = 0x2b;
constexpr std::uint8_t kDeviceIdentification = 0x0e;
constexpr std::uint8_t kException = 0x80;
constexpr std::size_t kMaximumModbus = 254;  // what the length field may say
constexpr std::size_t kOpcuaHeader = 8;
constexpr std::size_t kMaximumOpcua = 8192;
constexpr std::uint32_t kOpcuaAckSize = 28;
constexpr std::uint32_t kNullString = 0xffffffffU;

std::uint32_t little(std::uint32_t value) {
  return value >> 24U | (value >> 8U & 0xff00U) | (value << 8U & 0xff0000U) | value << 24U;
}

bool read_objects(Reader& body, ModbusReply& reply) {
  if (body.u8() != kDeviceIdentification) {
    return false;
  }
  body.take(4);  // code, level, more follows, next object
  const int count = body.u8();
  for (int i = 0; i < count; ++i) {
    const auto id = body.u8();
    const auto text = body.take(body.u8());
    if (body.failed()) {
      return false;
    }
    reply.objects.emplace_back(id, std::string{text});
  }
  return !body.failed() && body.rest().empty();
}

}  // namespace

std::string ModbusReply::object(std::uint8_t id) const {
  for (const auto& [number, text] : objects) {
    if (number == id) {
      return text;
    }
  }
  return {};
}

std::string modbus_identify(std::uint16_t transaction) {
  std::string out;
  put_u16(out, transaction);
  put_u16(out, 0);
  put_u16(out, 5);
  put_u8(out, 1);
  put_u8(out, kEncapsulated);
  put_u8(out, kDeviceIdentification);
  put_u8(out, 1);
  put_u8(out, 0);
  return out;
}

ModbusParse parse_modbus(std::string_view bytes, std::uint16_t transaction) {
  ModbusParse parse;
  Reader reader{bytes};
  const auto echoed = reader.u16();
  const auto protocol = reader.u16();
  const std::size_t length = reader.u16();
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (echoed != transaction || protocol != 0 || length < 3 || length > kMaximumModbus) {
    return parse;
  }
  if (reader.rest().size() < length) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader body{reader.take(length)};
  parse.reply.unit = body.u8();
  parse.reply.function = body.u8();
  if (parse.reply.function == (kEncapsulated | kException)) {
    parse.reply.exception = body.u8();
    const bool whole = !body.failed() && body.rest().empty() && parse.reply.exception != 0;
    parse.state = whole ? Parse::complete : Parse::malformed;
  } else if (parse.reply.function == kEncapsulated && read_objects(body, parse.reply)) {
    parse.state = Parse::complete;
  }
  return parse;
}

std::string opcua_hello(std::string_view url) {
  std::string out{"HELF"};
  put_u32(out, little(static_cast<std::uint32_t>(32 + url.size())));
  for (const std::uint32_t value : {0U, 65536U, 65536U, 0U, 0U}) {
    put_u32(out, little(value));
  }
  put_u32(out, little(static_cast<std::uint32_t>(url.size())));
  return out.append(url);
}

OpcuaParse parse_opcua(std::string_view bytes) {
  OpcuaParse parse;
  const auto kind = bytes.substr(0, 4);
  const bool ack = std::string_view{"ACKF"}.starts_with(kind);
  const bool error = std::string_view{"ERRF"}.starts_with(kind);
  if (!ack && !error) {
    return parse;
  }
  Reader reader{bytes};
  reader.take(4);
  const std::size_t size = little(reader.u32());
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (size < kOpcuaHeader + 8 || size > kMaximumOpcua || (ack && size != kOpcuaAckSize)) {
    return parse;
  }
  if (bytes.size() < size) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader body{reader.take(size - kOpcuaHeader)};
  parse.reply.acknowledged = ack;
  parse.reply.version = little(body.u32());
  if (error) {
    const auto length = little(body.u32());
    parse.reply.reason = length == kNullString ? std::string{} : std::string{body.take(length)};
  } else {
    body.take(16);
  }
  parse.state = body.failed() ? Parse::malformed : Parse::complete;
  return parse;
}

}  // namespace assay::wire
