#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/http_request.hpp"

using namespace assay::wire;

/// Requests in one piece and in pieces of the first byte's size must read the same; nothing grows beyond its bound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::size_t piece = 1 + data[0] % 64U;
  const std::string_view bytes{reinterpret_cast<const char*>(data + 1), size - 1};
  HttpAskedReader whole;
  whole.feed(bytes);
  HttpAskedReader parts;
  for (std::size_t at = 0; at < bytes.size() && parts.state() != HttpAskedReader::State::done; at += piece) {
    parts.feed(bytes.substr(at, piece));
  }
  const auto& request = whole.request();
  if (whole.state() == HttpAskedReader::State::done &&
      (parts.state() != HttpAskedReader::State::done || request.target != parts.request().target ||
       request.headers.size() != parts.request().headers.size())) {
    std::abort();
  }
  if (request.body.size() > (256U << 10U) || request.headers.size() > 256 || request.target.size() > 8192) {
    std::abort();
  }
  for (int again = 0; again < 64 && whole.state() == HttpAskedReader::State::done; ++again) {
    whole.next();
  }
  for (const auto& header : request.headers) {
    const auto range = byte_range(header.value, 1000);
    if (range && (range->first > range->last || range->last >= 1000)) {
      std::abort();
    }
  }
  return request.path().size() > 8192 ? 1 : 0;
}
