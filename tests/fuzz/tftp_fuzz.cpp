#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/tftp.hpp"

using namespace assay::wire;

namespace {

/// What was understood is written as it was understood.
bool same_again(const TftpPacket& packet) {
  using Kind = TftpPacket::Kind;
  if (packet.kind == Kind::read || packet.kind == Kind::write) {
    const auto again = parse_tftp_packet(tftp_request(packet.kind, packet.file, packet.options));
    return again.state == Parse::complete && again.file == packet.file && again.options == packet.options;
  }
  if (packet.kind == Kind::options) {
    return parse_tftp_packet(tftp_agreement(packet.options)).options == packet.options;
  }
  return packet.kind != Kind::data || parse_tftp_packet(tftp_data(packet.number, packet.data)).number == packet.number;
}

}  // namespace

/// A block is never larger than the protocol's, what is kept is bounded, and a request of ours is no answer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto parse = parse_tftp(bytes);
  if (parse.size > 512 || parse.message.size() > 1024 || (parse.state == Parse::complete && size < 4)) {
    std::abort();
  }
  if (parse_tftp(tftp_read_request(bytes)).state != Parse::malformed) {
    std::abort();
  }
  const auto packet = parse_tftp_packet(bytes);
  if (packet.options.size() > 16 || packet.file.size() > 255 || packet.data.size() > kMostTftpBlock) {
    std::abort();
  }
  if (packet.state == Parse::complete && !same_again(packet)) {
    std::abort();
  }
  for (const auto* name : {"blksize", "tsize", "timeout"}) {
    if (tftp_number(packet.options, name).value_or(0) > 999999999999) {
      std::abort();
    }
  }
  return 0;
}
