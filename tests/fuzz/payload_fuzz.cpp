#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/model/payload.hpp"

/// The first line is a pattern, the rest a datagram: a match agrees in every bit that the pattern names.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto line = bytes.find('\n');
  const auto pattern = assay::parse_pattern(bytes.substr(0, line));
  if (!pattern || line == std::string_view::npos) {
    return 0;
  }
  const auto datagram = bytes.substr(line + 1);
  if (pattern->mask.size() != pattern->bytes.size() || !pattern->matches(pattern->bytes)) {
    std::abort();
  }
  if (pattern->matches(datagram)) {
    if (datagram.size() < pattern->bytes.size()) {
      std::abort();
    }
    for (std::size_t at = 0; at < pattern->bytes.size(); ++at) {
      const auto masked = static_cast<unsigned char>(datagram[at]) & static_cast<unsigned char>(pattern->mask[at]);
      if (masked != static_cast<unsigned char>(pattern->bytes[at])) {
        std::abort();
      }
    }
  }
  return 0;
}
