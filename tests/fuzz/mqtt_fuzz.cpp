#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/mqtt.hpp"

using namespace assay::wire;

/// A complete CONNACK lies inside the bytes, and a longer input begins with the same packet.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
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
