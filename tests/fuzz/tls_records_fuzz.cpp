#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/tls_records.hpp"

using namespace assay::wire;

/// Records in one piece and in pieces are the same records, and never more than are kept.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  TlsRecordLog whole;
  const bool sound = whole.feed(bytes);
  TlsRecordLog pieces;
  for (std::size_t at = 0; at < size && pieces.sound(); at += 3) {
    pieces.feed(bytes.substr(at, 3));
  }
  const bool same = sound == pieces.sound() && whole.records() == pieces.records() && whole.whole() == pieces.whole() &&
                    whole.alert().has_value() == pieces.alert().has_value();
  if (!same || whole.records().size() > TlsRecordLog::kMostRecords || whole.whole() > whole.records().size()) {
    std::abort();
  }
  std::size_t seen = 0;
  for (const auto& one : whole_records(bytes)) {
    seen += one.body.size() + 5;
  }
  if (seen > size) {
    std::abort();
  }
  return 0;
}
