#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/tls_names.hpp"

/// Client messages of SSL 2.0 to TLS 1.3, byte by byte: what no library will offer must be offered here to see who
/// takes it (RFC 8446, RFC 5246, RFC 6101; SSL 2.0 as RFC 5246, E.2 and the draft of 1995 have it).
namespace assay::wire {

struct TlsExtension {
  std::uint16_t type = 0;
  std::string body;
};

namespace extension {
inline constexpr std::uint16_t kServerName = 0;
inline constexpr std::uint16_t kMaxFragment = 1;
inline constexpr std::uint16_t kTruncatedHmac = 4;
inline constexpr std::uint16_t kStatusRequest = 5;
inline constexpr std::uint16_t kGroups = 10;
inline constexpr std::uint16_t kPointFormats = 11;
inline constexpr std::uint16_t kSignatures = 13;
inline constexpr std::uint16_t kHeartbeat = 15;
inline constexpr std::uint16_t kAlpn = 16;
inline constexpr std::uint16_t kSct = 18;
inline constexpr std::uint16_t kPadding = 21;
inline constexpr std::uint16_t kEncryptThenMac = 22;
inline constexpr std::uint16_t kExtendedMasterSecret = 23;
inline constexpr std::uint16_t kRecordSizeLimit = 28;
inline constexpr std::uint16_t kSessionTicket = 35;
inline constexpr std::uint16_t kSupportedVersions = 43;
inline constexpr std::uint16_t kCookie = 44;
inline constexpr std::uint16_t kPskModes = 45;
inline constexpr std::uint16_t kConnectionId = 54;
inline constexpr std::uint16_t kKeyShare = 51;
inline constexpr std::uint16_t kNpn = 13172;
inline constexpr std::uint16_t kRenegotiationInfo = 0xff01;
}  // namespace extension

inline constexpr std::uint16_t kRenegotiationScsv = 0x00ff;  // RFC 5746
inline constexpr std::uint16_t kFallbackScsv = 0x5600;       // RFC 7507

std::string sized8(std::string_view body);
std::string sized16(std::string_view body);
std::string numbers16(std::span<const std::uint16_t> list);

TlsExtension server_name(std::string_view host);
TlsExtension supported_groups(std::span<const std::uint16_t> groups);
TlsExtension signature_algorithms(std::span<const std::uint16_t> schemes);
TlsExtension supported_versions(std::span<const std::uint16_t> versions);
TlsExtension alpn_offer(std::span<const std::string> names);
/// One share of a group; an empty list asks for a HelloRetryRequest (RFC 8446, 4.2.8).
TlsExtension key_share(std::uint16_t group, std::string_view key);
TlsExtension no_key_share();

/// A ClientHello. With version SSL 3.0 and no extensions the block of extensions is left out altogether.
struct TlsHello {
  std::uint16_t record_version = kTls10;
  std::uint16_t version = kTls12;  // legacy_version of the message
  std::string random;              // 32 bytes
  std::string session_id;          // at most 32 bytes
  std::vector<std::uint16_t> suites;
  std::string compression = std::string(1, '\0');
  std::vector<TlsExtension> extensions;
};

/// The message without a record around it.
std::string tls_hello_message(const TlsHello& hello);
/// The message in a record of its own.
std::string tls_hello_record(const TlsHello& hello);
/// A record of a type, at most 16 KiB.
std::string tls_record(std::uint8_t type, std::uint16_t version, std::string_view body);
/// An alert in a record.
std::string tls_alert_record(std::uint16_t version, std::uint8_t level, std::uint8_t alert);

/// SSL 2.0 CLIENT-HELLO that offers all seven ciphers; 16 bytes of challenge.
std::string ssl2_hello(std::string_view challenge);

}  // namespace assay::wire
