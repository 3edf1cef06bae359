#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// First exchanges of remote control and file sharing: RFB (RFC 6143), RDP (MS-RDPBCGR 2.2.1), SMB 2 (MS-SMB2 2.2.3)
/// and the Android Debug Bridge.
namespace assay::wire {

/// "RFB 003.008\n": twelve bytes, said by the server first.
struct RfbParse {
  Parse state = Parse::malformed;
  int major = 0;
  int minor = 0;
};

RfbParse parse_rfb_version(std::string_view bytes);

struct RfbSecurity {
  Parse state = Parse::malformed;
  std::vector<std::uint8_t> types;  // 1: none, 2: password
  std::string refusal;
};

/// The list of security types of version 3.7 and 3.8.
RfbSecurity parse_rfb_security(std::string_view bytes);

std::string rdp_request();

struct RdpParse {
  Parse state = Parse::malformed;
  bool negotiated = false;     // the server knows the negotiation
  std::uint32_t protocol = 0;  // chosen: 0 RDP, 1 TLS, 2 CredSSP
  std::uint32_t failure = 0;   // code of a refusal
};

RdpParse parse_rdp(std::string_view bytes);

std::string smb2_negotiate(std::string_view guid);

struct SmbParse {
  Parse state = Parse::malformed;
  std::uint16_t dialect = 0;  // 0x0302
  bool signing_required = false;
};

SmbParse parse_smb2(std::string_view bytes);

std::string adb_connect();

struct AdbParse {
  Parse state = Parse::malformed;
  std::string command;  // "CNXN": no key was asked for; "AUTH", "STLS"
  std::string banner;
};

AdbParse parse_adb(std::string_view bytes);

}  // namespace assay::wire
