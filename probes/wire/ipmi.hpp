#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// IPMI over RMCP (IPMI 2.0, 13): who is there, and the exchange by which a session is opened (RAKP, 13.17 to 13.23).
/// Digests are the caller's.
namespace assay::wire {

/// Get Channel Authentication Capabilities, outside of any session (22.13).
std::string ipmi_capabilities_request();

struct IpmiCapabilities {
  Parse state = Parse::malformed;
  bool version2 = false;   // sessions of IPMI 2.0 are offered
  bool none = false;       // a session of IPMI 1.5 without authentication is
  bool anonymous = false;  // the account without name and password is enabled
  bool null_names = false;
};

IpmiCapabilities parse_ipmi_capabilities(std::string_view datagram);

/// Algorithms of a session: 0 is none. 1: HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128; 3 and 4: those of SHA-256.
struct IpmiSuite {
  std::uint8_t authentication = 0;
  std::uint8_t integrity = 0;
  std::uint8_t confidentiality = 0;

  bool operator==(const IpmiSuite&) const = default;
};

std::string ipmi_open_session(std::uint8_t tag, std::uint32_t console, const IpmiSuite& suite);

/// RAKP message 1; a name has at most 16 bytes.
struct IpmiHello {
  std::uint8_t tag = 0;
  std::uint32_t managed = 0;  // session id of the device
  std::string random;         // 16 bytes
  std::uint8_t role = 0;      // 4: administrator; 0x10: looked up by the name alone
  std::string name;
};

std::string ipmi_rakp1(const IpmiHello& hello);
std::string ipmi_rakp3(std::uint8_t tag, std::uint32_t managed, std::string_view code);

/// Close Session inside a session. `number` counts its packets.
std::string ipmi_close_payload(std::uint32_t managed);

/// Head of a packet inside a session, encrypted or not, without its trailer.
std::string ipmi_session_packet(std::uint32_t managed, std::uint32_t number, bool encrypted, bool authenticated,
                                std::string_view payload);

/// A message of the exchange that opens a session.
struct IpmiOpening {
  enum class Kind : std::uint8_t { open_session, rakp2, rakp4 };

  Parse state = Parse::malformed;
  Kind kind = Kind::open_session;
  std::uint8_t tag = 0;
  std::uint8_t status = 0;    // 0: fine (13.24)
  std::uint32_t console = 0;  // our session id
  std::uint32_t managed = 0;  // the device's, of open_session
  IpmiSuite suite;            // of open_session
  std::string random;         // of rakp2, 16 bytes
  std::string guid;           // of rakp2, 16 bytes
  std::string code;           // of rakp2 and rakp4, at most 32 bytes
};

constexpr std::uint8_t kIpmiBadRole = 0x09;
constexpr std::uint8_t kIpmiBadName = 0x0d;
constexpr std::uint8_t kIpmiBadCheck = 0x0f;

IpmiOpening parse_ipmi_opening(std::string_view datagram);

/// What the keys of a session made of one of its packets: the payload where it is encrypted, and the trailer with the
/// code of its integrity (13.28.4, 13.29). Nothing that is shorter than a block or a code.
std::vector<std::string> ipmi_keyed_parts(std::string_view datagram);

/// The number as it stands in the packets, low byte first.
std::string ipmi_little(std::uint32_t value);

}  // namespace assay::wire
