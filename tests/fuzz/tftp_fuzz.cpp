#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/tftp.hpp"

using namespace assay::wire;

/// A block is never larger than the protocol's, and a request of ours is no answer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto parse = parse_tftp(bytes);
  if (parse.size > 512 || parse.message.size() > 1024 || (parse.state == Parse::complete && size < 4)) {
    std::abort();
  }
  if (parse_tftp(tftp_read_request(bytes)).state != Parse::malformed) {
    std::abort();
  }
  return 0;
}
