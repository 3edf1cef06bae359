#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// What a DHCP client says of itself (RFC 2131, 2; options of RFC 2132). Which options it asks for, in which order, and
/// its vendor class are a fingerprint of its software.
namespace assay::wire {

struct DhcpRequest {
  int type = 0;                          // option 53: 1 discover, 3 request, 8 inform …; 0: not said (BOOTP)
  std::vector<std::uint8_t> options;     // codes in the order they came, each once
  std::vector<std::uint8_t> parameters;  // option 55, in the client's order
  std::string vendor_class;              // option 60
  std::string host_name;                 // option 12
  std::string client_id;                 // option 61, raw
  std::int64_t largest_message = 0;      // option 57, bytes; 0: not said
};

struct DhcpParse {
  Parse state = Parse::malformed;
  DhcpRequest request;
};

/// One UDP payload of a client. Parts of an option that came in pieces are put together (RFC 3396). Options in the
/// fields for file and server name (option 52) are not read: clients have room enough without. A list that is cut short
/// ends there.
DhcpParse parse_dhcp_request(std::string_view payload);

/// "discover", "request" … of option 53, the number for others.
std::string dhcp_type_text(int type);

}  // namespace assay::wire
