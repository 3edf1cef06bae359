#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "probes/wire/mender.hpp"

using namespace assay::wire;

namespace {

/// Printable, and not longer than a line.
void must_be_shown(const std::string& text) {
  const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!visible || text.size() > 1024) {
    std::abort();
  }
}

}  // namespace

/// Whatever a device says to a server of Mender, what is kept of it can be shown to a person.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  must_be_shown(mender_identity(bytes));
  must_be_shown(mender_log(bytes));
  if (mender_key(bytes).size() > 8192) {
    std::abort();
  }
  const auto status = mender_status(bytes);
  must_be_shown(status.status);
  must_be_shown(status.substate);
  for (const auto& device : {mender_device(bytes), mender_device_of_query(bytes)}) {
    must_be_shown(device.artifact);
    must_be_shown(device.type);
  }
  return 0;
}
