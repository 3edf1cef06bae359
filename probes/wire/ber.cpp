#include "probes/wire/ber.hpp"

namespace assay::wire::ber {

std::string tlv(std::uint8_t tag, std::string_view body) {
  std::string out;
  put_u8(out, tag);
  if (body.size() < 128) {
    put_u8(out, static_cast<std::uint32_t>(body.size()));
  } else {
    put_u8(out, 0x82);
    put_u16(out, static_cast<std::uint32_t>(body.size()));
  }
  return out.append(body);
}

std::string integer(std::uint32_t value) {
  std::string body;
  put_u32(body, value & 0x7fffffffU);
  // BER wants the shortest form: no leading zero byte unless it keeps the number positive.
  while (body.size() > 1 && body[0] == '\0' && (static_cast<unsigned char>(body[1]) & 0x80U) == 0) {
    body.erase(0, 1);
  }
  return tlv(kInteger, body);
}

std::uint8_t any_element(Reader& reader, std::string_view& body) {
  const auto tag = reader.u8();
  std::size_t length = reader.u8();
  if (length == 0x81) {
    length = reader.u8();
  } else if (length == 0x82) {
    length = reader.u16();
  } else if (length >= 0x80) {
    length = reader.rest().size() + 1;
  }
  body = reader.take(length);
  return reader.failed() ? 0 : tag;
}

std::string_view element(Reader& reader, std::uint8_t tag) {
  if (reader.rest().empty() || static_cast<unsigned char>(reader.rest()[0]) != tag) {
    reader.take(reader.rest().size() + 1);
    return {};
  }
  std::string_view body;
  any_element(reader, body);
  return body;
}

std::uint32_t integer_of(Reader& reader) {
  const auto body = element(reader, kInteger);
  std::uint32_t value = 0;
  for (const char c : body.substr(0, 5)) {
    value = value << 8U | static_cast<unsigned char>(c);
  }
  if (body.empty() || body.size() > 5) {
    reader.take(reader.rest().size() + 1);
  }
  return value;
}

}  // namespace assay::wire::ber
