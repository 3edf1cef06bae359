#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/coap.hpp"

using namespace assay::wire;

namespace {

bool same(const CoapMessage& a, const CoapMessage& b) {
  bool equal = a.code == b.code && a.token == b.token && a.payload == b.payload && a.options.size() == b.options.size();
  for (std::size_t i = 0; equal && i < a.options.size(); ++i) {
    equal = a.options[i].number == b.options[i].number && a.options[i].value == b.options[i].value;
  }
  return equal;
}

}  // namespace

/// Whatever is understood means the same after it was written and read again, on both transports.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto udp = parse_coap(bytes);
  if (udp.state == Parse::complete) {
    const auto again = parse_coap(encode_coap(udp.message));
    if (again.state != Parse::complete || again.message.id != udp.message.id || !same(again.message, udp.message)) {
      std::abort();
    }
  }
  const auto tcp = parse_coap_tcp(bytes);
  if (tcp.state == Parse::complete) {
    const auto again = parse_coap_tcp(encode_coap_tcp(tcp.message));
    if (tcp.used > size || again.state != Parse::complete || !same(again.message, tcp.message)) {
      std::abort();
    }
  }
  return 0;
}
