#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/model/json.hpp"
#include "probes/tls/suites.hpp"

/// What a survey has learned of a server beside its suites. Filled in piece by piece; what stays empty was not seen.
namespace assay::probes::tls {

/// Who signs: the key type that a certificate of the server has.
enum class KeyKind : std::uint8_t { rsa, ecdsa, dss, other };

KeyKind key_kind(std::uint16_t suite);

struct DhParameters {
  std::string p;  // big-endian, as sent
  std::string g;
  bool export_grade = false;
};

/// The answer to one question of behaviour.
struct Look {
  std::optional<bool> yes;  // nothing: could not be told
  std::string why;          // what was seen, or why it could not be told
};

/// What is asked of the client. Every handshake here is made without a certificate.
struct ClientCertificate {
  bool asked = false;
  std::optional<bool> required;  // nothing: could not be told
  std::string why;
  std::vector<std::string> authorities;  // DER names, of a finished session
};

/// What came for one hello without a cookie: what a forged address would be sent (payloads, without headers of IP and
/// UDP).
struct FirstAnswer {
  std::int64_t asked_bytes = 0;
  std::int64_t bytes = 0;
  std::int64_t datagrams = 0;
  std::int64_t later_bytes = 0;  // of these, sent again unasked
  bool cookie_asked = false;

  double factor() const { return static_cast<double>(bytes) / static_cast<double>(asked_bytes); }
};

struct Picture {
  std::vector<std::vector<std::string>> chains;  // DER, as sent, each once
  std::map<KeyKind, std::size_t> chain_of;       // index into `chains`
  std::vector<std::uint16_t> groups;             // of ECDHE and FFDHE in TLS 1.2 and before
  std::vector<std::uint16_t> groups13;
  bool groups_settled = false;
  bool groups13_settled = false;
  bool explicit_curve = false;
  std::vector<DhParameters> dh;
  std::vector<std::uint16_t> signatures;  // of TLS 1.2, in the order in which they were chosen
  bool signatures_settled = false;
  std::optional<std::string> preference;  // "server" or "client"
  std::set<std::uint16_t> extensions;     // types the server answered with, in any hello
  std::optional<wire::CertificateRequest> certificate_request;
  ClientCertificate client_certificate;
  std::optional<std::string> ocsp_response;
  std::optional<std::string> sct_list;  // of the extension signed_certificate_timestamp
  bool psk_hint = false;
  std::set<std::uint16_t> sentinels;        // versions whose random ended with a downgrade sentinel
  std::optional<FirstAnswer> first_answer;  // of DTLS
  std::string ja3s;                         // fingerprint text of the first ServerHello
  std::map<std::string, Look, std::less<>> behaviour;

  /// Takes in whatever a flight shows.
  void note(std::uint16_t version, const wire::TlsFlight& flight);

  /// A chain that was seen in a finished session.
  void add_chain(const std::vector<std::string>& chain);

  /// The certificate for this suite is not known yet.
  bool wants_certificate(std::uint16_t suite) const;
};

}  // namespace assay::probes::tls
