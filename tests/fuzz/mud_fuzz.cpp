#include <cstdint>
#include <string>

#include "harness/load/load.hpp"

/// Whatever the bytes are, a MUD file is read into flows within their bounds, or gives an error that names the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto mud = assay::load_mud({"m.json", std::string(reinterpret_cast<const char*>(data), size)});
  if (!mud && mud.error().where != "m.json") {
    __builtin_trap();
  }
  if (mud) {
    for (const auto& flow : mud->flows) {
      if (flow.first_port < 0 || flow.last_port > 65535 || flow.first_port > flow.last_port) {
        __builtin_trap();
      }
    }
  }
  return 0;
}
