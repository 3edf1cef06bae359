#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/ssdp.hpp"

using namespace assay::wire;

/// Whatever comes, what is kept is bounded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto parse = parse_ssdp(bytes);
  if (parse.message.location.size() > 1024 || parse.message.usn.size() > 1024 || parse.message.server.size() > 1024) {
    std::abort();
  }
  const auto devices = upnp_devices(bytes);
  if (devices.size() > 16) {
    std::abort();
  }
  for (const auto& device : devices) {
    if (device.services.size() > 32 || device.friendly_name.size() > 1024) {
      std::abort();
    }
  }
  return 0;
}
