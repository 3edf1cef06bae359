#include "probes/wire/mqtt_fields.hpp"

namespace assay::wire {

void put_mqtt_text(std::string& out, std::string_view text) {
  put_u16(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

void put_mqtt_length(std::string& out, std::size_t length) {
  do {
    const auto digit = static_cast<std::uint32_t>(length % 128);
    length /= 128;
    put_u8(out, length > 0 ? digit | 0x80U : digit);
  } while (length > 0);
}

bool read_mqtt_length(Reader& reader, std::uint32_t& value) {
  value = 0;
  for (std::uint32_t shift = 0; shift < 28; shift += 7) {
    const std::uint32_t byte = reader.u8();
    if (reader.failed()) {
      return false;
    }
    value |= (byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace assay::wire
