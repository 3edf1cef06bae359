#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "probes/wire/wsd.hpp"
#include "probes/wire/xml.hpp"

using namespace assay::wire;

/// Elements open and close in pairs, in the right order, within the bounds; WS-Discovery reads on top of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  std::vector<std::string> open;
  for (const auto& event : xml_events(bytes)) {
    if (event.open) {
      open.push_back(event.name);
    } else if (open.empty() || open.back() != event.name || event.text.size() > 4096 + 4) {
      std::abort();
    } else {
      open.pop_back();
    }
    if (open.size() > 32) {
      std::abort();
    }
  }
  if (!open.empty() || parse_wsd(bytes).matches.size() > 16) {
    std::abort();
  }
  return 0;
}
