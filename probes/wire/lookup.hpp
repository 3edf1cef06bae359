#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// First exchanges of directories over TCP: DNS (RFC 1035, 4.2.2; the version by RFC 4892) and LDAP (RFC 4511).
namespace assay::wire {

/// "version.bind" TXT in class CHAOS, with the length that TCP wants.
std::string dns_version_query(std::uint16_t id);

struct DnsVersionParse {
  Parse state = Parse::malformed;
  int rcode = 0;
  bool recursion = false;  // offered
  std::string version;     // the text of the answer, empty without one
};

/// The answer to our question: its id, and the question repeated where it holds one.
DnsVersionParse parse_dns_version(std::string_view bytes, std::uint16_t id);

/// Searches the root entry for vendorName and vendorVersion.
std::string ldap_root_search();
std::string ldap_starttls();

struct LdapParse {
  Parse state = Parse::malformed;
  std::uint8_t operation = 0;  // 0x64 entry, 0x65 search done, 0x78 extended response
  int result = -1;             // of the latter two
  std::string vendor_name;
  std::string vendor_version;
};

/// The first message; its id must be that of our question.
LdapParse parse_ldap(std::string_view bytes, std::uint8_t message_id);

constexpr std::uint8_t kLdapSearchId = 1;
constexpr std::uint8_t kLdapStartTlsId = 2;

}  // namespace assay::wire
