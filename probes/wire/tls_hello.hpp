#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"
#include "probes/wire/tls_names.hpp"

/// As much of TLS as it takes to see that a peer speaks it: one ClientHello that most stacks answer, and the
/// recognition of a ServerHello or an alert (RFC 8446, RFC 5246).
namespace assay::wire {

struct ClientHello {
  std::string random;     // 32 bytes
  std::string key_share;  // 32 bytes, taken as an X25519 public key
  std::vector<std::string> alpn;
};

/// Offers TLS 1.0 to 1.3 and every widespread suite.
std::string tls_client_hello(const ClientHello& hello);

struct TlsReply {
  enum class Kind : std::uint8_t { server_hello, alert };

  Kind kind = Kind::alert;
  std::uint16_t version = 0;  // chosen; 0x0304 is TLS 1.3; of the record for an alert
  std::uint16_t cipher = 0;
  std::uint8_t alert_level = 0;
  std::uint8_t alert = 0;
};

struct TlsReplyParse {
  Parse state = Parse::malformed;
  TlsReply reply;
};

TlsReplyParse parse_tls_reply(std::string_view bytes);

}  // namespace assay::wire
