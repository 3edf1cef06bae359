#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/tls_build.hpp"
#include "probes/wire/tls_flight.hpp"
#include "probes/wire/tls_names.hpp"

using namespace assay::wire;

/// A flight in one piece and in pieces says the same, and nothing in it goes beyond its bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  TlsFlight whole;
  TlsFlight pieces;
  if (size % 2 == 0) {
    whole.offer_ssl2();
    pieces.offer_ssl2();
  }
  whole.feed(bytes);
  for (std::size_t at = 0; at < size; at += 7) {
    if (!pieces.feed(bytes.substr(at, 7))) {
      break;
    }
  }
  const bool same = whole.fault().empty() && pieces.fault().empty()
                        ? whole.hello().has_value() == pieces.hello().has_value() &&
                              whole.certificates() == pieces.certificates() && whole.done() == pieces.done()
                        : true;
  const bool bounded =
      whole.certificates().size() <= TlsFlight::kMostCertificates && whole.alerts().size() <= TlsFlight::kMostAlerts;
  const bool unasked = size % 2 != 0 && whole.ssl2();
  if (!same || !bounded || unasked) {
    std::abort();
  }
  if (whole.hello()) {
    const auto parts = suite_parts(whole.hello()->suite);
    if (parts.name.size() > 64 || tls_suite_name(whole.hello()->suite).size() > 64 ||
        tls_version_name(whole.hello()->version).size() > 16 || sized16(whole.hello()->random).size() != 34) {
      std::abort();
    }
  }
  parse_certificate_request(bytes, kTls12);
  parse_key_exchange(bytes, 0xc02f, kTls12);
  parse_key_exchange(bytes, 0x0033, kTls10);
  parse_key_exchange(bytes, 0x00a8, kTls12);
  return 0;
}
