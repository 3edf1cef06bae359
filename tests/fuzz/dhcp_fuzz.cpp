#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/dhcp.hpp"

using namespace assay::wire;

/// Whatever comes, what is kept is bounded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parse = parse_dhcp_request({reinterpret_cast<const char*>(data), size});
  const auto& request = parse.request;
  if (request.options.size() > 254 || request.parameters.size() > 1024 || request.vendor_class.size() > 1024 ||
      request.host_name.size() > 1024 || request.client_id.size() > 1024) {
    std::abort();
  }
  (void)dhcp_type_text(request.type);
  return 0;
}
