#include <cstdint>
#include <span>

#include "harness/net/tcp_segment.hpp"

/// Segments, packets and ICMP quotations as a raw socket hands them over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span{data, size});
  (void)assay::parse_segment(bytes);
  (void)assay::parse_ipv4_packet(bytes);
  (void)assay::parse_quoted(bytes);
  return 0;
}
