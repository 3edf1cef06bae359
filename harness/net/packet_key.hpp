#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "harness/net/address.hpp"
#include "harness/net/link.hpp"

/// What tells whose a captured frame is. Pure; frames are a stranger's bytes.
namespace assay {

/// How a captured frame begins; the numbers are those of LINKTYPE_ETHERNET and LINKTYPE_RAW of the PCAPNG format.
enum class LinkType : std::uint16_t { ethernet = 1, ip = 101 };

/// Addresses and ports of a frame, and where its parts lie. Of an ICMP error they are those of the packet it is about.
struct PacketKey {
  enum class Kind : std::uint8_t { tcp, udp, icmp, arp, other };

  Kind kind = Kind::other;
  bool quoted = false;  // an ICMP error about a packet of that kind
  IpAddress source;
  IpAddress destination;
  std::uint16_t source_port = 0;  // 0: the kind has none, or this is a later fragment
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;  // TCP
  bool syn = false;
  bool ack = false;
  bool reset = false;
  std::size_t payload_at = 0;                 // offset in the frame; its padding is not in the payload
  std::size_t payload_size = 0;               // as far as it was captured
  std::array<std::size_t, 2> checksums_at{};  // of what covers the payload, 0: none
};

/// Nothing for frames that are neither IP nor ARP, and for those cut short of their IP header (RFC 791, RFC 8200, RFC
/// 826). VLAN tags (IEEE 802.1Q) and the extension headers of IPv6 are passed over.
std::optional<PacketKey> packet_key(std::span<const std::byte> frame, LinkType link);

/// Sender of an Ethernet frame; nothing for an address of zeros, which loopback has.
std::optional<MacAddress> frame_sender(std::span<const std::byte> frame, LinkType link);

}  // namespace assay
