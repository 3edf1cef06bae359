#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/dtls.hpp"
#include "probes/wire/dtls_datagrams.hpp"

using namespace assay::wire;

namespace {

/// What a server sees of a client: records cut into datagrams are the beginning of what they were.
void look_as_server(std::string_view bytes) {
  std::string all;
  for (const auto& datagram : dtls_datagrams(bytes, 1200)) {
    all += datagram;
  }
  const auto random = dtls_hello_random(bytes);
  if (!bytes.starts_with(all) || (random && random->size() != 32)) {
    std::abort();
  }
}

}  // namespace

/// The input is a row of datagrams, each behind its length in two bytes. Whatever comes, what was understood stays
/// within its bounds, and datagrams that come twice change nothing that was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  look_as_server(bytes);
  DtlsReader once;
  TlsFlight flight;
  DtlsReader twice;
  TlsFlight doubled;
  Reader reader{bytes};
  while (!reader.rest().empty()) {
    const std::size_t length = reader.u16();
    const auto datagram = reader.take(std::min(length, reader.rest().size()));
    const bool sound = once.feed(datagram, flight);
    const bool again = twice.feed(datagram, doubled) && twice.feed(datagram, doubled);
    if (!sound || !again) {
      break;
    }
  }
  const bool same = flight.hello().has_value() == doubled.hello().has_value() || !once.fault().empty() ||
                    !twice.fault().empty() || !flight.fault().empty() || !doubled.fault().empty();
  const bool bounded = flight.certificates().size() <= TlsFlight::kMostCertificates &&
                       flight.alerts().size() <= TlsFlight::kMostAlerts &&
                       (!once.verify() || once.verify()->cookie.size() <= 255);
  if (!same || !bounded) {
    std::abort();
  }
  return 0;
}
