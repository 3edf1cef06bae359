#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// DNS messages (RFC 1035) as mDNS (RFC 6762), DNS-SD (RFC 6763) and LLMNR (RFC 4795) use them.
///
/// Names are texts without the last dot; a dot or backslash inside a label is written with a backslash before it. Other
/// bytes stay as they are (RFC 6763 instance names are UTF-8), so they need printable() before they are shown.
namespace assay::wire {

constexpr std::uint16_t kDnsA = 1;
constexpr std::uint16_t kDnsPtr = 12;
constexpr std::uint16_t kDnsTxt = 16;
constexpr std::uint16_t kDnsAaaa = 28;
constexpr std::uint16_t kDnsSrv = 33;
constexpr std::uint16_t kDnsAny = 255;
constexpr std::uint16_t kDnsInternet = 1;

struct DnsQuestion {
  std::string name;
  std::uint16_t type = kDnsPtr;
  std::uint16_t klass = kDnsInternet;
};

struct DnsRecord {
  std::string name;
  std::uint16_t type = 0;
  std::uint16_t klass = 0;         // mDNS: the highest bit is cache-flush
  std::uint32_t ttl = 0;           // seconds
  std::string target;              // PTR, SRV: the name it leads to
  std::uint16_t port = 0;          // SRV
  std::vector<std::string> texts;  // TXT, at most 64 of at most 255 bytes
  std::string address;             // A, AAAA as text
};

struct DnsMessage {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::vector<DnsQuestion> questions;
  std::vector<DnsRecord> records;  // answers, authority and additional ones, in this order

  bool is_response() const { return (flags & 0x8000U) != 0; }

  std::uint8_t response_code() const { return flags & 15U; }
};

/// A query without recursion. Names that no message can carry (labels over 63 bytes, 255 in all) are left out.
std::string dns_query(std::uint16_t id, const std::vector<DnsQuestion>& questions);

struct DnsParse {
  Parse state = Parse::malformed;
  DnsMessage message;
};

/// One datagram. Compression pointers only lead backwards, so that no message can make a loop; at most 32 questions and
/// 256 records are read, and a message with more or with a part that does not parse is malformed.
DnsParse parse_dns(std::string_view datagram);

/// The labels of a name as written here: "a\.b.local" -> "a.b", "local".
std::vector<std::string> dns_labels(std::string_view name);

/// "7.2.0.192.in-addr.arpa", or the nibbles under ip6.arpa; none for what is no numeric address.
std::optional<std::string> dns_reverse_name(std::string_view address);

}  // namespace assay::wire
