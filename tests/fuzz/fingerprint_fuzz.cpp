#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "probes/wire/fingerprint.hpp"

using namespace assay::wire;

namespace {

constexpr std::string_view kName = "cpe:2.3:a:x:y:";
constexpr std::size_t kNameEnd = kName.size();

}  // namespace

/// A device's text against shipped forms of patterns: what is taken out lies in the text, and a CPE name never gains a
/// component of its own making.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  for (const std::string_view pattern : {"nginx/{version}*", "OpenSSH_{version}{update}*", "*BusyBox v{version}*",
                                         "220*ProFTPD {version}*", "*a*b*{version}*c"}) {
    const auto match = match_pattern(pattern, text);
    if (!match) {
      continue;
    }
    const auto name = cpe_name(std::string{kName} + "{version}:{update}", *match);
    if (text.find(match->version) == std::string_view::npos || name.find(':', kNameEnd) == std::string::npos) {
      std::abort();
    }
  }
  return 0;
}
