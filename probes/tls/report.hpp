#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "harness/probe/probe.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/tls/dtls_asker.hpp"
#include "probes/tls/finished.hpp"
#include "probes/tls/picture.hpp"
#include "probes/tls/suites.hpp"
#include "probes/tls/weaknesses.hpp"

/// From what was learned to the facts of the observation.
namespace assay::probes::tls {

inline constexpr FactSpec kFacts[] = {
    {"tls.spoken", ValueKind::boolean,
     "the endpoint answered a ClientHello with TLS or DTLS, at once or after STARTTLS"},
    {"tls.starttls", ValueKind::text, "protocol in which TLS is asked for; absent: TLS from the first byte"},
    {"tls.versions", ValueKind::list, "versions that a handshake began in, oldest first"},
    {"tls.suites", ValueKind::list, "[{version, code, name}] that the server chose, in the order of choice"},
    {"tls.unsettled", ValueKind::list,
     "[{version, why}] that could not be asked to the end: no suite of these can be said to be refused"},
    {"tls.refusals", ValueKind::object, "version -> how the last question of it ended"},
    {"tls.preference", ValueKind::text, "\"server\" or \"client\": whose order of suites decides"},
    {"tls.groups", ValueKind::list,
     "[{version, code, name}] of key exchange; \"TLSv1.2\" and \"DTLSv1.2\" stand for it and before"},
    {"tls.groups_settled", ValueKind::boolean, "every named group was chosen or refused"},
    {"tls.signatures", ValueKind::list, "[{code, name}] that the server signs with in TLS 1.2"},
    {"tls.dh", ValueKind::list, "[{bits, generator, known, prime, safe_prime, sha256, export}] of finite fields"},
    {"tls.certificates", ValueKind::list,
     "at most 8 chains as sent, leaf first, each a list of certificates (coverage.certificates: {chains, left_out}); "
     "key_flaws: [{name, why}] that give its private half "
     "away, "
     "known_key: {where, source, confidence} of others that hold it"},
    {"tls.transparency", ValueKind::object,
     "{certificate: [{sha256, count, scts}], tls_extension, ocsp: {count, scts} or null}: signed certificate "
     "timestamps, "
     "scts: [{version, log_id, time}]; a list that cannot be read is {malformed}, signatures are not checked. TLS 1.3 "
     "sends all but those of the certificate encrypted, and they are not read; absent: none came"},
    {"tls.session", ValueKind::object,
     "one finished handshake: {version, cipher, alpn, and before TLS 1.3 extended_master_secret, "
     "secure_renegotiation}; "
     "given: [{version, by, bytes, lifetime_s, max_early_data}] to resume sessions by"},
    {"tls.client_certificate", ValueKind::object,
     "{asked, required, why, types, authorities, names}: what is asked of the client; required is null where it could "
     "not be told, names are RFC 2253 text"},
    {"tls.behaviour", ValueKind::object, "look -> {yes, why}; yes is null where it could not be told"},
    {"tls.alerts", ValueKind::object,
     "what was wrong with a hello -> \"alert NAME\", \"closed without an alert\", \"reset\", \"no answer\" or \"went "
     "on\"; of "
     "unsupported_version, no_shared_suite, ssl2_hello, future_version, inappropriate_fallback and wrong_server_name "
     "those that were asked"},
    {"tls.anomalies", ValueKind::list, "what no server should do"},
    {"tls.weaknesses", ValueKind::list,
     "[{name, state, why}]; state: shown, precondition, not_shown, unknown; of heartbleed and robot the precondition "
     "alone, the probe tls_attacks asks for them"},
    {"tls.dtls", ValueKind::object,
     "{cookie: asked, never or sometimes, cookie_length, first_hello: {bytes, answer_bytes, answer_datagrams, "
     "repeated_bytes, factor}, repeats, silences}: how addresses are validated; absent: not over datagrams"},
    {"tls.fingerprint", ValueKind::object,
     "{ja3s, ja3s_md5} of the answer to our first hello; where it is asked for alone {stack, jarm_like, answers} too: "
     "how "
     "nine fixed hellos are answered"},
};

inline std::span<const FactSpec> report_facts() {
  return kFacts;
}

class Report {
 public:
  /// `tried`: the weaknesses that had an exchange of their own.
  Report(sessions::FactSheet& sheet, const Versions& versions, const Picture& picture,
         const std::vector<Weakness>& tried, const KnownKeys& known_keys)
      : sheet_(sheet), versions_(versions), picture_(picture), tried_(tried), known_keys_(known_keys) {}

  void write();
  /// Versions and suites alone: what stays of a survey that was cut short.
  void write_suites();
  void write_dtls(const DtlsHabits& habits);
  void write_session(const Finished& finished);

 private:
  void write_lists();
  void write_certificates();
  void write_transparency();
  void write_behaviour();
  void write_alerts();

  sessions::FactSheet& sheet_;
  const Versions& versions_;
  const Picture& picture_;
  const std::vector<Weakness>& tried_;
  const KnownKeys& known_keys_;
};

json::object alerts_json(const Alerts& alerts);

json::object cost_json(const Cost& cost, std::size_t width);

}  // namespace assay::probes::tls
