#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"
#include "probes/wire/tls_names.hpp"

/// What a server says in clear after a ClientHello, read as far as it is well-formed (RFC 8446, 4 and 5; RFC 5246, 6.2
/// and 7; RFC 6101). Fed piece by piece; all lengths are bounded, and nothing is believed before its message is whole.
namespace assay::wire {

struct ServerHello {
  std::uint16_t version = 0;         // chosen; of supported_versions where that is there
  std::uint16_t legacy_version = 0;  // as the message has it
  std::string random;
  std::string session_id;
  std::uint16_t suite = 0;
  std::uint8_t compression = 0;
  bool retry = false;                // a HelloRetryRequest
  std::uint16_t group = 0;           // of key_share; 0: none
  std::vector<std::uint16_t> order;  // types of the extensions, in order
  std::map<std::uint16_t, std::string> extensions;
  std::string wire;  // the message as it came
};

/// Key exchange parameters of TLS 1.2 and before (RFC 5246, 7.4.3; RFC 8422, 5.4).
struct ServerKeyExchange {
  enum class Kind : std::uint8_t { unknown, named_group, explicit_curve, dh, psk_hint, srp };

  Kind kind = Kind::unknown;
  std::uint16_t group = 0;
  std::string dh_p;
  std::string dh_g;
  std::string dh_public;                   // also of the EC point
  std::optional<std::uint16_t> signature;  // scheme of TLS 1.2
  std::string psk_hint;
  std::string raw;
};

struct CertificateRequest {
  std::string types;                      // one byte each
  std::vector<std::uint16_t> signatures;  // of TLS 1.2
  std::vector<std::string> authorities;   // DER names, at most 64
};

struct TlsAlert {
  std::uint8_t level = 0;
  std::uint8_t alert = 0;
};

/// SSL 2.0 SERVER-HELLO.
struct Ssl2Hello {
  std::uint16_t version = 0;
  std::vector<std::uint32_t> ciphers;
  std::string certificate;  // DER
};

class TlsFlight {
 public:
  static constexpr std::size_t kLargestMessage = 256 * 1024;
  static constexpr std::size_t kMostCertificates = 32;
  static constexpr std::size_t kMostAlerts = 8;

  /// SSL 2.0 was offered. Without that its SERVER-HELLO is no answer, but bytes that are no TLS.
  void offer_ssl2() { ssl2_offered_ = true; }

  /// Takes the next bytes; false when they cannot be TLS, with `fault()` saying why. What was read before stays.
  bool feed(std::string_view bytes);

  /// A record whose frame was taken off elsewhere (DTLS). Messages of a handshake stand in it as TLS has them, with a
  /// header of four bytes.
  bool feed_record(std::uint8_t type, std::string_view body);

  const std::optional<ServerHello>& hello() const { return hello_; }

  /// DER, leaf first, as sent.
  const std::vector<std::string>& certificates() const { return certificates_; }

  bool certificate_seen() const { return certificate_seen_; }

  const std::optional<ServerKeyExchange>& key_exchange() const { return key_exchange_; }

  const std::optional<CertificateRequest>& certificate_request() const { return certificate_request_; }

  const std::optional<std::string>& ocsp_response() const { return ocsp_; }

  const std::vector<TlsAlert>& alerts() const { return alerts_; }

  const std::optional<Ssl2Hello>& ssl2() const { return ssl2_; }

  /// The first alert that ends a handshake: fatal, or any close_notify.
  std::optional<TlsAlert> refusal() const;

  /// ServerHelloDone came, or what follows is encrypted: nothing more will be said in clear.
  bool done() const { return done_; }

  /// A record of encrypted data, of heartbeat or of an unasked type came.
  const std::string& fault() const { return fault_; }

  std::size_t bytes() const { return bytes_; }

  /// Types and bodies of the records that were no handshake and no alert, at most 8; bodies cut at 64 bytes with
  /// the true length.
  struct Other {
    std::uint8_t type = 0;
    std::size_t length = 0;
    std::string head;
  };

  const std::vector<Other>& others() const { return others_; }

 private:
  bool take_record(std::uint8_t type, std::string_view body);
  bool take_messages();
  bool take_message(std::uint8_t type, std::string_view body);
  bool take_ssl2();
  bool fail(std::string why);

  std::string pending_;    // bytes of a record that is not whole
  std::string handshake_;  // bytes of a message that is not whole
  std::optional<ServerHello> hello_;
  std::vector<std::string> certificates_;
  bool certificate_seen_ = false;
  std::optional<ServerKeyExchange> key_exchange_;
  std::optional<CertificateRequest> certificate_request_;
  std::optional<std::string> ocsp_;
  std::vector<TlsAlert> alerts_;
  bool ssl2_offered_ = false;
  std::optional<Ssl2Hello> ssl2_;
  std::vector<Other> others_;
  bool done_ = false;
  std::string fault_;
  std::size_t bytes_ = 0;
};

/// Parsers of single messages, for DTLS too, which has other frames around them. Empty when malformed.
std::optional<ServerHello> parse_server_hello(std::string_view body);
std::optional<std::vector<std::string>> parse_certificates(std::string_view body);
ServerKeyExchange parse_key_exchange(std::string_view body, std::uint16_t suite, std::uint16_t version);
std::optional<CertificateRequest> parse_certificate_request(std::string_view body, std::uint16_t version);

}  // namespace assay::wire
