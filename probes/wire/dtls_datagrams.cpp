#include "probes/wire/dtls_datagrams.hpp"

#include <cstdint>

#include "probes/wire/bytes.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kHeader = 13;       // of a record: type, version, epoch, number, length
constexpr std::size_t kBeforeOffset = 5;  // behind a message's type: its length and sequence
constexpr std::size_t kBehindOffset = 3;  // length of the fragment
constexpr std::size_t kRandom = 32;
constexpr std::uint8_t kHandshake = 22;
constexpr std::uint8_t kClientHello = 1;
constexpr unsigned kFamily = 0xFE;  // first byte of every version of DTLS

/// Length of the record that begins here; 0 when none does.
std::size_t record_size(std::string_view from) {
  Reader reader{from};
  reader.take(kHeader - 2);
  const std::size_t size = kHeader + reader.u16();
  return reader.failed() || size > from.size() ? 0 : size;
}

}  // namespace

std::optional<std::string> dtls_hello_random(std::string_view datagram) {
  Reader reader{datagram};
  const auto type = reader.u8();
  const unsigned version = reader.u16();
  const auto epoch = reader.u16();
  reader.take(kHeader - 5);
  const auto message = reader.u8();
  reader.take(kBeforeOffset);
  const auto offset = reader.u24();
  reader.take(kBehindOffset + 2);
  const auto random = reader.take(kRandom);
  const bool hello =
      type == kHandshake && version >> 8U == kFamily && epoch == 0 && message == kClientHello && offset == 0;
  return hello && !reader.failed() ? std::optional{std::string{random}} : std::nullopt;
}

std::vector<std::string> dtls_datagrams(std::string_view records, std::size_t longest) {
  std::vector<std::string> out;
  while (const auto size = record_size(records)) {
    if (out.empty() || out.back().size() + size > longest) {
      out.emplace_back();
    }
    out.back() += records.substr(0, size);
    records.remove_prefix(size);
  }
  return out;
}

}  // namespace assay::wire
