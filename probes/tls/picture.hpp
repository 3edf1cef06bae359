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
  std::vector<std::string> publics;  // the server's, of the first two connections
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

/// What was wrong with a hello, or with what followed it -> how the server declined: "alert handshake_failure",
/// "reset", "closed without an alert", "no answer", or "went on".
using Alerts = std::map<std::string, std::string, std::less<>>;

struct Picture {
  static constexpr std::size_t kMostChains = 8;

  std::vector<std::vector<std::string>> chains;  // DER, as sent, each once; the first `kMostChains`
  std::set<std::string> chains_left_out;         // digests of the others
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
  Alerts alerts;

  /// Takes in whatever a flight shows.
  void note(std::uint16_t version, const wire::TlsFlight& flight);

  /// A chain that was seen: its index in `chains`, nothing when it is left out.
  std::optional<std::size_t> add_chain(const std::vector<std::string>& chain);

  void look(std::string_view name, std::optional<bool> yes, std::string why);

  /// Notes how a hello was declined.
  void decline(std::string_view what, const Reply& reply);

  /// Yes when the server went on, no when it refused; anything else settles nothing.
  void look_at(std::string_view name, const Reply& reply, std::string why_yes);

  /// Whether two connections were given the same public value; nothing while no two were seen.
  std::optional<bool> dh_reused(bool export_grade) const;

  /// The certificate for this suite is not known yet.
  bool wants_certificate(std::uint16_t suite) const;

  /// Leaves out of a hello of the two newest versions the groups and signature schemes that were seen to be taken in
  /// that version; false when none was, or nothing else would be left.
  bool strike_out(HelloWish& wish) const;

  /// This suite shows a finite field, and too few public values were seen so far.
  bool wants_exchange(std::uint16_t suite) const;

 private:
  void note_dh(const wire::ServerKeyExchange& exchange, bool export_grade);
};

}  // namespace assay::probes::tls
