#include <cstdint>
#include <cstdlib>
#include <span>

#include "harness/net/packet_key.hpp"

/// Captured frames. Whatever they are, what is said of them lies within them: the masking of secrets writes there.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = std::as_bytes(std::span{data, size});
  for (const auto link : {assay::LinkType::ethernet, assay::LinkType::ip}) {
    (void)assay::frame_sender(frame, link);
    const auto key = assay::packet_key(frame, link);
    if (!key) {
      continue;
    }
    const bool inside = key->payload_at <= size && key->payload_size <= size - key->payload_at;
    bool checksums_inside = true;
    for (const auto at : key->checksums_at) {
      checksums_inside = checksums_inside && at + 2 <= size;
    }
    if (!inside || !checksums_inside) {
      std::abort();
    }
  }
  return 0;
}
