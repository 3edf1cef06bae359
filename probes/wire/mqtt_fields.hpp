#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// The fields that every MQTT packet is made of (MQTT 3.1.1, 1.5 and 2.2.3; MQTT 5, 1.5).
namespace assay::wire {

/// Variable byte integer of at most four bytes. False when there is none: the reader has failed where bytes are
/// missing, and has not where they say no number.
bool read_mqtt_length(Reader& reader, std::uint32_t& value);

void put_mqtt_length(std::string& out, std::size_t length);

/// Two bytes of length, then the text.
void put_mqtt_text(std::string& out, std::string_view text);

}  // namespace assay::wire
