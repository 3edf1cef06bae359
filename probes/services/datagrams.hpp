#pragma once

#include "probes/services/follow.hpp"

namespace assay::probes::services {

/// How a UDP endpoint took the questions.
enum class UdpAnswer : std::uint8_t { replied, refused, silent };

struct UdpReport {
  UdpAnswer answer = UdpAnswer::silent;
  int sent = 0;
  int received = 0;
};

/// Asks a UDP endpoint for CoAP resources, for the SNMP system description (community "public", v1 and v2c) and with a
/// ClientHello of DTLS, each three times. Silence and an ICMP refusal are kept apart. An error only for what ends a probe.
asio::awaitable<Result<UdpReport>> ask_datagrams(Network& network, Transcript& transcript, Place place,
                                                 Sighting& sighting);

}  // namespace assay::probes::services
