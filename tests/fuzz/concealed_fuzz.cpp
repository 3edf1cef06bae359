#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/model/concealed.hpp"

using namespace assay;

namespace {
constexpr std::string_view kSecret = "kXq7rT";
}

/// Whatever a device mixes into a secret, what is found lies within the text, in order, and is gone from what is
/// written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto texts = [] {
    Concealed out;
    conceal_in(out, kSecret, "secret", 3, Capitals::any);
    return out;
  }();
  static const ConcealedFinder finder{texts};
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  std::size_t last = 0;
  for (const auto& hit : finder.hits(text)) {
    if (hit.length == 0 || hit.at < last || hit.at > size || hit.length > size - hit.at) {
      std::abort();
    }
    last = hit.at;
  }
  if (finder.decided(text) > size || finder.masked(text).find(kSecret) != std::string::npos) {
    std::abort();
  }
  return 0;
}
