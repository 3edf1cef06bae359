#include "probes/tls/report.hpp"

#include <algorithm>
#include <cmath>

#include "probes/sessions/certificate.hpp"
#include "probes/sessions/public_key.hpp"
#include "probes/sessions/transparency.hpp"
#include "probes/tls/dh.hpp"
#include "probes/tls/fingerprint.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

json::object coded(std::string_view version, std::uint16_t code, std::string name) {
  json::object out;
  if (!version.empty()) {
    out["version"] = version;
  }
  std::string number;
  wire::put_u16(number, code);
  out["code"] = "0x" + wire::hex(number);
  out["name"] = std::move(name);
  return out;
}

/// Names of the seven ciphers of SSL 2.0, by the first two of their three bytes.
std::string ssl2_name(std::uint16_t code) {
  constexpr std::string_view kNames[] = {
      "RC4_128_WITH_MD5",      "RC4_128_EXPORT40_WITH_MD5", "RC2_128_CBC_WITH_MD5",     "RC2_128_CBC_EXPORT40_WITH_MD5",
      "IDEA_128_CBC_WITH_MD5", "DES_64_CBC_WITH_MD5",       "DES_192_EDE3_CBC_WITH_MD5"};
  const auto index = static_cast<std::size_t>(code >> 8U);
  return index >= 1 && index <= std::size(kNames) ? "SSL_CK_" + std::string{kNames[index - 1]}
                                                  : wire::tls_suite_name(code);
}

void note_known_key(json::object& certificate, const KnownKeys& keys) {
  const auto* digest = certificate.if_contains("key_sha256");
  auto known = digest == nullptr ? json::value{} : sessions::known_key_facts(keys, "spki", digest->as_string());
  if (!known.is_null()) {
    certificate["known_key"] = std::move(known);
  }
}

std::int64_t in_us(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

/// All was asked, and no suite that was taken has the server show a certificate: pre-shared keys, or nobody is
/// authenticated.
bool without_certificates(const Versions& versions) {
  const bool takes_any =
      std::any_of(versions.begin(), versions.end(), [](const auto& entry) { return !entry.second.suites.empty(); });
  return takes_any && std::all_of(versions.begin(), versions.end(), [](const auto& entry) {
           const auto& facts = entry.second;
           return facts.settled && std::all_of(facts.suites.begin(), facts.suites.end(), [&](std::uint16_t suite) {
                    const auto parts = wire::suite_parts(suite);
                    return entry.first != wire::kSsl2 && (parts.anonymous || (parts.psk && !parts.rsa_transport));
                  });
         });
}

}  // namespace

json::object alerts_json(const Alerts& alerts) {
  json::object out;
  for (const auto& [what, answer] : alerts) {
    out[what] = wire::printable(answer, 256);
  }
  return out;
}

json::object cost_json(const Cost& cost, std::size_t width) {
  json::object out;
  out["connections"] = cost.connections;
  out["round_trips"] = cost.round_trips;
  out["hellos"] = cost.hellos;
  if (cost.datagrams_sent > 0) {
    out["datagrams_sent"] = cost.datagrams_sent;
    out["datagrams_received"] = cost.datagrams_received;
    out["sent_again"] = cost.sent_again;
  }
  out["slowest_answer_us"] = in_us(cost.slowest);
  out["fastest_answer_us"] = in_us(cost.fastest);
  out["at_once"] = width;
  return out;
}

void Report::write() {
  write_suites();
  write_lists();
  write_certificates();
  write_transparency();
  write_behaviour();
  write_alerts();
}

void Report::write_suites() {
  json::array versions;
  json::array suites;
  json::array unsettled;
  json::object refusals;
  json::array anomalies;
  for (const auto& [version, facts] : versions_) {
    const auto name = wire::tls_version_name(version);
    if (!facts.suites.empty()) {
      versions.emplace_back(name);
    }
    for (const auto suite : facts.suites) {
      suites.push_back(coded(name, suite, version == wire::kSsl2 ? ssl2_name(suite) : wire::tls_suite_name(suite)));
    }
    if (!facts.settled) {
      const auto why = facts.asked ? wire::printable(facts.refusal, 256) : "not asked";
      unsettled.push_back(json::object{{"version", name}, {"why", why}});
    }
    if (!facts.refusal.empty()) {
      refusals[name] = wire::printable(facts.refusal, 256);
    }
    for (const auto& anomaly : facts.anomalies) {
      anomalies.emplace_back(name + ": " + anomaly);
    }
  }
  sheet_.fact("tls.versions", std::move(versions));
  sheet_.fact("tls.suites", std::move(suites));
  sheet_.fact("tls.unsettled", std::move(unsettled));
  sheet_.fact("tls.refusals", std::move(refusals));
  sheet_.fact("tls.anomalies", std::move(anomalies));
}

void Report::write_lists() {
  sheet_.text("tls.preference", picture_.preference.value_or(""));
  const bool dtls = !versions_.empty() && wire::is_dtls(versions_.begin()->first);
  const auto& family = dtls ? dtls_family() : tls_family();
  json::array groups;
  for (const auto group : picture_.groups) {
    groups.push_back(coded(wire::tls_version_name(family.tls12), group, wire::tls_group_name(group)));
  }
  for (const auto group : picture_.groups13) {
    groups.push_back(coded(wire::tls_version_name(family.newest), group, wire::tls_group_name(group)));
  }
  sheet_.fact("tls.groups", std::move(groups));
  const bool settled = std::all_of(versions_.begin(), versions_.end(), [&](const auto& entry) {
    const bool tls13 = wire::tls_age(entry.first) == wire::kTls13;
    const auto& suites = entry.second.suites;
    const bool chooses = std::any_of(suites.begin(), suites.end(), [&](std::uint16_t suite) {
      return tls13 || wire::suite_parts(suite).ephemeral_ec;
    });
    return !chooses || (tls13 ? picture_.groups13_settled : picture_.groups_settled);
  });
  sheet_.fact("tls.groups_settled", settled);
  json::array signatures;
  for (const auto scheme : picture_.signatures) {
    signatures.push_back(coded({}, scheme, wire::tls_signature_name(scheme)));
  }
  sheet_.fact("tls.signatures", std::move(signatures));
  json::array fields;
  for (const auto& one : picture_.dh) {
    auto facts = dh_facts(one.p, one.g);
    facts["export"] = one.export_grade;
    fields.push_back(std::move(facts));
  }
  sheet_.fact("tls.dh", std::move(fields));
}

void Report::write_certificates() {
  if (picture_.chains.empty() && without_certificates(versions_)) {
    sheet_.absent("tls.certificates");
  } else if (picture_.chains.empty()) {
    sheet_.unobserved("tls.certificates", "no certificate was seen");
  } else {
    json::array chains;
    sessions::JudgedKeys judged;
    for (const auto& chain : picture_.chains) {
      auto facts = sessions::chain_facts(chain, judged);
      for (auto& certificate : facts) {
        note_known_key(certificate.as_object(), known_keys_);
      }
      chains.push_back(std::move(facts));
      for (const auto& der : chain) {
        const auto digest = sheet_.recorder().artifact("certificate (DER)", "application/pkix-cert", der);
        sheet_.recorder().evidence("tls.certificates", digest);
      }
    }
    sheet_.fact("tls.certificates", std::move(chains));
    sheet_.recorder().coverage("certificates", json::object{{"chains", picture_.chains.size()},
                                                            {"left_out", picture_.chains_left_out.size()}});
  }
  const auto& request = picture_.certificate_request;
  const auto& seen = picture_.client_certificate;
  const auto& authorities = request && !request->authorities.empty() ? request->authorities : seen.authorities;
  json::array names;
  for (const auto& der : authorities) {
    names.emplace_back(sessions::distinguished_name(der));
  }
  json::object client;
  client["asked"] = seen.asked;
  client["required"] = seen.required ? json::value(*seen.required) : json::value(nullptr);
  client["why"] = wire::printable(seen.why, 256);
  if (request) {
    client["types"] = wire::hex(request->types);
  }
  if (seen.asked) {
    client["authorities"] = authorities.size();
    client["names"] = std::move(names);
  }
  sheet_.fact("tls.client_certificate", std::move(client));
}

/// The last hello of a version was refused for want of a shared suite, or of the version.
void Report::write_alerts() {
  auto all = picture_.alerts;
  for (const auto& [version, facts] : versions_) {  // the newest of each kind stays
    if (facts.asked && !facts.refusal.empty()) {
      const auto* what = version == wire::kSsl2 ? "ssl2_hello"
                         : facts.suites.empty() ? "unsupported_version"
                                                : "no_shared_suite";
      all.insert_or_assign(what, facts.refusal);
    }
  }
  sheet_.fact("tls.alerts", alerts_json(all));
}

void Report::write_transparency() {
  json::array certificates;
  for (const auto& chain : picture_.chains) {
    if (chain.empty()) {
      continue;
    }
    auto facts = sessions::certificate_sct_facts(chain.front());
    if (!facts.is_null()) {
      facts.as_object()["sha256"] = sessions::sha256_hex(chain.front());
      certificates.push_back(std::move(facts));
    }
  }
  json::value extension;
  json::value ocsp;
  if (picture_.sct_list) {
    extension = sessions::sct_list_facts(*picture_.sct_list);
  }
  if (picture_.ocsp_response) {
    ocsp = sessions::ocsp_sct_facts(*picture_.ocsp_response);
  }
  if (certificates.empty() && extension.is_null() && ocsp.is_null()) {
    sheet_.absent("tls.transparency");
    return;
  }
  sheet_.fact(
      "tls.transparency",
      json::object{{"certificate", std::move(certificates)}, {"tls_extension", extension}, {"ocsp", std::move(ocsp)}});
}

void Report::write_behaviour() {
  json::object behaviour;
  for (const auto& [name, look] : picture_.behaviour) {
    behaviour[name] = json::object{{"yes", look.yes ? json::value(*look.yes) : json::value(nullptr)},
                                   {"why", wire::printable(look.why, 256)}};
  }
  sheet_.fact("tls.behaviour", std::move(behaviour));
  json::array weaknesses;
  auto all = weaknesses_of(versions_, picture_);
  all.insert(all.end(), tried_.begin(), tried_.end());
  for (const auto& weakness : all) {
    weaknesses.push_back(json::object{
        {"name", weakness.name}, {"state", enum_name(weakness.state)}, {"why", wire::printable(weakness.why, 256)}});
  }
  sheet_.fact("tls.weaknesses", std::move(weaknesses));
  sheet_.fact("tls.fingerprint", ja3s_facts(picture_.ja3s));
}

void Report::write_dtls(const DtlsHabits& habits) {
  json::object out;
  out["cookie"] = habits.verified == 0 ? "never" : habits.unverified == 0 ? "asked" : "sometimes";
  out["cookie_length"] = habits.cookie_length;
  out["repeats"] = habits.server_repeats;
  out["silences"] = habits.silences_explained;
  out["first_hello"] = nullptr;
  if (const auto& answer = picture_.first_answer) {
    out["first_hello"] = json::object{{"bytes", answer->asked_bytes},
                                      {"answer_bytes", answer->bytes},
                                      {"answer_datagrams", answer->datagrams},
                                      {"repeated_bytes", answer->later_bytes},
                                      {"factor", std::round(answer->factor() * 100) / 100}};
  }
  sheet_.fact("tls.dtls", std::move(out));
}

void Report::write_session(const Finished& finished) {
  const auto& session = finished.session();
  if (!session) {
    const auto& failure = finished.failure();
    sheet_.unobserved("tls.session", failure.empty() ? "no handshake was tried"
                                                     : "no handshake finished: " + wire::printable(failure, 256));
    return;
  }
  json::object out;
  out["version"] = session->version;
  out["cipher"] = session->cipher;
  out["alpn"] = wire::printable(session->alpn, 64);
  if (session->version != wire::tls_version_name(wire::kTls13)) {
    out["extended_master_secret"] = session->extended_master_secret;
    out["secure_renegotiation"] = session->secure_renegotiation;
  }
  json::array given;
  for (const auto& one : finished.given()) {
    const bool ticket = !one.ticket.empty();
    given.push_back(json::object{{"version", one.version},
                                 {"by", ticket ? "ticket" : "session_id"},
                                 {"bytes", ticket ? one.ticket.size() : one.session_id.size()},
                                 {"lifetime_s", one.lifetime_s},
                                 {"max_early_data", one.max_early_data}});
  }
  out["given"] = std::move(given);
  sheet_.fact("tls.session", std::move(out));
}

}  // namespace assay::probes::tls
