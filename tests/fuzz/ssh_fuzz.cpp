#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "probes/wire/ssh.hpp"
#include "probes/wire/ssh_kex.hpp"
#include "probes/wire/ssh_key.hpp"

using namespace assay::wire;

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// What was understood of an offer can be written and read again.
void offer_comes_back(const SshKexInit& offer) {
  const auto packet = ssh_packet(ssh_kexinit(offer, std::string(16, 'c')));
  constexpr std::size_t kEscapesGrewIt = 60000;
  if (packet.size() > kEscapesGrewIt) {
    return;
  }
  const auto again = parse_ssh_kexinit(packet);
  require(again.state == Parse::complete);
  require(again.offer.kex.size() == offer.kex.size() && again.offer.mac_to_client.size() == offer.mac_to_client.size());
}

}  // namespace

/// Every parser of what an SSH server sends in clear: nothing outside of the bytes, nothing longer than its bound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto ident = parse_ssh_ident(bytes);
  require(ident.used <= size);
  const auto packet = take_ssh_packet(bytes);
  if (packet.state == Parse::complete) {
    require(packet.used <= size && packet.payload.size() < packet.used && !packet.payload.empty());
  }
  for (const auto payload : {bytes, packet.payload}) {
    const auto offer = parse_ssh_kexinit_payload(payload);
    if (offer.state == Parse::complete) {
      offer_comes_back(offer.offer);
    }
    const auto reply = parse_ssh_kex_reply(payload);
    const auto key = parse_ssh_key(reply.state == Parse::complete ? reply.host_key : payload);
    require(key.bits >= 0 && key.type.size() <= 64 * 4 + 8 && key.fields.size() <= 4);
    for (const auto field : key.fields) {
      require(field.data() >= bytes.data() && field.data() + field.size() <= bytes.data() + size);
    }
    const auto group = parse_ssh_group(payload);
    require(group.bits <= static_cast<std::int64_t>(size) * 8);
    require(parse_ssh_disconnect(payload).text.size() <= 256 * 4 + 8);
  }
  const auto old = parse_ssh1_keys(bytes);
  require(old.host_key_bits <= static_cast<std::int64_t>(size) * 8);
  return 0;
}
