#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/coap.hpp"
#include "probes/wire/coap_body.hpp"
#include "probes/wire/lwm2m.hpp"

using namespace assay::wire;

namespace {

bool same(const CoapMessage& a, const CoapMessage& b) {
  bool equal = a.code == b.code && a.token == b.token && a.payload == b.payload && a.options.size() == b.options.size();
  for (std::size_t i = 0; equal && i < a.options.size(); ++i) {
    equal = a.options[i].number == b.options[i].number && a.options[i].value == b.options[i].value;
  }
  return equal;
}

/// Blocks are put together without more than they hold, and mean the same after they were written and read again; what
/// LwM2M makes of a message is of the message.
void read_as_server(const CoapMessage& message) {
  for (const auto& option : message.options) {
    const auto block = coap_block_of(option.value);
    if (block && coap_block_of(coap_block(*block)) != block) {
      std::abort();
    }
  }
  CoapBody body;
  const bool more = body.take(message) == CoapBody::State::more;
  if (body.text().size() > message.payload.size() || (more && !find_option(body.ask_next(message), kCoapBlock2))) {
    std::abort();
  }
  body.take(message);
  const auto told = read_lwm2m_registration(message);
  has_lwm2m_object(told.objects, 5);
  const auto value = lwm2m_value(message, false);
  if (told.objects.size() > message.payload.size() || (value && value->size() > message.payload.size())) {
    std::abort();
  }
  lwm2m_value(message, true);
}

}  // namespace

/// Whatever is understood means the same after it was written and read again, on both transports.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto udp = parse_coap(bytes);
  if (udp.state == Parse::complete) {
    read_as_server(udp.message);
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
