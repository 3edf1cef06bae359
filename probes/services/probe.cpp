#include "harness/probe/probe.hpp"

#include "probes/services/datagrams.hpp"
#include "probes/services/ladder.hpp"
#include "probes/services/products.hpp"
#include "probes/sessions/certificate.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::services {

namespace {

constexpr FactSpec kFacts[] = {
    {"service.reachable", ValueKind::boolean, "the endpoint accepted a connection, or answered a datagram"},
    {"service.protocol", ValueKind::text,
     "what it speaks, shown by an exchange in that protocol; absent: not identified"},
    {"service.tls", ValueKind::boolean, "it answered a ClientHello with TLS"},
    {"service.tls_version", ValueKind::text, "version of the session that a client with every version got"},
    {"service.tls_cipher", ValueKind::text, "cipher suite of that session"},
    {"service.certificate", ValueKind::object, "what the server's certificate says about itself"},
    {"service.banner", ValueKind::text, "what the device said first, escaped"},
    {"service.product", ValueKind::text, "product by the protocol's own field"},
    {"service.version", ValueKind::text, "version by the protocol's own field"},
    {"service.cpe", ValueKind::text, "CPE 2.3 name of product and version, by a fingerprint whose name is certain"},
    {"service.os_hint", ValueKind::text, "what a fingerprint hints at about the system"},
    {"service.logins", ValueKind::list, "logins that the service offers: dialect, clear, realm, path"},
    {"service.redirects_to_tls", ValueKind::boolean, "plain HTTP only: \"/\" leads to https"},
    {"service.confidence", ValueKind::text,
     "what names the protocol: \"exchange\" (the answer to a question of ours was parsed) or \"greeting\" (what the "
     "device said unasked was)"},
    {"service.evidence", ValueKind::text, "the first bytes that named the protocol, or that nobody understood, as hex"},
    {"service.shell", ValueKind::boolean, "a command interpreter ran an echo of ours without any login"},
    {"service.starttls", ValueKind::boolean, "a TLS session began on the plain connection when the service was asked"},
    {"service.starttls_session", ValueKind::object, "that session: version, cipher, certificate"},
    {"service.details", ValueKind::object, "what else the protocol said"},
};

constexpr std::size_t kBannerLimit = 1024;
constexpr std::size_t kEvidenceLimit = 128;

void record_tls(sessions::FactSheet& sheet, const Sighting& sighting) {
  const bool settled = sighting.tls || sighting.tls_refused || sighting.identified();
  if (!settled) {
    for (const auto* key : {"service.tls", "service.tls_version", "service.tls_cipher", "service.certificate"}) {
      sheet.unobserved(key, "nothing answered a TLS hello, and no other protocol was identified");
    }
    return;
  }
  sheet.fact("service.tls", sighting.tls);
  if (!sighting.tls) {
    sheet.absent("service.tls_version");
    sheet.absent("service.tls_cipher");
    sheet.absent("service.certificate");
    return;
  }
  if (!sighting.session) {
    const auto reason = "the TLS handshake did not finish: " + sighting.tls_failure;
    sheet.unobserved("service.tls_version", reason);
    sheet.unobserved("service.tls_cipher", reason);
    sheet.unobserved("service.certificate", reason);
    return;
  }
  sheet.text("service.tls_version", sighting.session->version);
  sheet.text("service.tls_cipher", sighting.session->cipher);
  if (sighting.session->chain_der.empty()) {
    sheet.absent("service.certificate");
    return;
  }
  const auto& der = sighting.session->chain_der.front();
  auto certificate = sessions::certificate_facts(der);
  const auto digest = sheet.recorder().artifact("server certificate (DER)", "application/pkix-cert", der);
  if (!certificate) {
    sheet.unobserved("service.certificate", certificate.error().what);
    return;
  }
  sheet.fact("service.certificate", std::move(*certificate));
  sheet.recorder().evidence("service.certificate", digest);
}

void record_upgrade(sessions::FactSheet& sheet, const Sighting& sighting) {
  if (!sighting.upgrade) {
    sheet.absent("service.starttls");
    sheet.absent("service.starttls_session");
    return;
  }
  if (!sighting.upgraded) {
    const auto reason = "TLS was offered and did not begin: " + sighting.upgrade_failure;
    sheet.unobserved("service.starttls", reason);
    sheet.unobserved("service.starttls_session", reason);
    return;
  }
  json::object session;
  session["version"] = sighting.upgraded->version;
  session["cipher"] = sighting.upgraded->cipher;
  if (!sighting.upgraded->chain_der.empty()) {
    auto certificate = sessions::certificate_facts(sighting.upgraded->chain_der.front());
    if (certificate) {
      session["certificate"] = std::move(*certificate);
    }
  }
  sheet.fact("service.starttls", true);
  sheet.fact("service.starttls_session", std::move(session));
}

void record_proof(sessions::FactSheet& sheet, const Sighting& sighting) {
  const auto& bytes = sighting.proof.empty() ? sighting.banner : sighting.proof;
  sheet.text("service.evidence", wire::hex(std::string_view{bytes}.substr(0, kEvidenceLimit)));
  sheet.text("service.confidence", !sighting.identified() ? "" : sighting.greeted ? "greeting" : "exchange");
  if (sighting.shell) {
    sheet.fact("service.shell", *sighting.shell);
  } else if (sighting.identified()) {
    sheet.absent("service.shell");
  } else {
    sheet.unobserved("service.shell", "the protocol was not identified");
  }
}

void record(sessions::FactSheet& sheet, const Sighting& sighting, std::span<const Fingerprint> fingerprints) {
  const auto known = product_of(fingerprints, sighting);
  record_upgrade(sheet, sighting);
  record_proof(sheet, sighting);
  record_tls(sheet, sighting);
  sheet.text("service.protocol", sighting.protocol);
  sheet.text("service.banner", wire::printable(sighting.banner, kBannerLimit));
  sheet.text("service.product", sighting.product.empty() ? known.product : sighting.product);
  sheet.text("service.version", sighting.version.empty() ? known.version : sighting.version);
  sheet.text("service.cpe", known.cpe);
  sheet.text("service.os_hint", known.os_hint);
  if (sighting.redirects_to_tls) {
    sheet.fact("service.redirects_to_tls", *sighting.redirects_to_tls);
  } else {
    sheet.absent("service.redirects_to_tls");
  }
  if (sighting.protocol == "dtls") {
    sheet.unobserved("service.logins", "what is spoken inside DTLS was not looked at");
    sheet.fact("service.details", sighting.details);
  } else if (sighting.identified()) {
    if (sighting.logins.empty() && !sighting.logins_doubt.empty()) {
      sheet.unobserved("service.logins", "no page that was looked at shows a login; " + sighting.logins_doubt);
    } else {
      sheet.fact("service.logins", sighting.logins);
    }
    sheet.fact("service.details", sighting.details);
  } else {
    sheet.unobserved("service.logins", sighting.tls && !sighting.session
                                           ? "the TLS handshake did not finish: " + sighting.tls_failure
                                           : "the protocol was not identified");
    sheet.absent("service.details");
  }
}

void keep_transcript(sessions::FactSheet& sheet, const Transcript& transcript) {
  const auto digest = sheet.recorder().artifact("exchange", "text/plain; charset=utf-8", transcript.text());
  sheet.evidence_for_values("service.", digest);
}

asio::awaitable<Result<>> observe_tcp(ProbeContext& context, Place place, sessions::FactSheet& sheet) {
  Transcript transcript{"service on " + place.endpoint.text(), 256 * 1024};
  Sighting sighting;
  Ladder ladder{context.network, transcript, place, sighting};
  auto climbed = co_await ladder.climb();
  json::array offered;
  for (const auto& name : ladder.offered()) {
    offered.emplace_back(name);
  }
  json::object coverage;
  coverage["connections"] = ladder.connections();
  coverage["offered"] = std::move(offered);
  context.record.coverage("exchange", std::move(coverage));
  if (climbed) {
    sheet.fact("service.reachable", true);
    record(sheet, sighting, context.library.fingerprints());
  } else if (climbed.error().kind == ErrorKind::refused) {
    sheet.fact("service.reachable", false);
    sheet.rest_absent();
  } else {
    sheet.rest_unobserved("no connection: " + climbed.error().what);
  }
  keep_transcript(sheet, transcript);
  co_return climbed;
}

asio::awaitable<Result<>> observe_udp(ProbeContext& context, Place place, sessions::FactSheet& sheet) {
  Transcript transcript{"service on " + place.endpoint.text(), 256 * 1024};
  Sighting sighting;
  const auto* list = context.library.payloads("udp-payloads");
  auto asked = co_await ask_datagrams(context.network, transcript, place, sighting, list);
  if (!asked) {
    sheet.rest_unobserved(asked.error().what);
    keep_transcript(sheet, transcript);
    co_return asked.error();
  }
  json::object coverage;
  coverage["sent"] = asked->sent;
  coverage["received"] = asked->received;
  context.record.coverage("exchange", std::move(coverage));
  Result<> ended;
  if (asked->answer == UdpAnswer::refused) {
    sheet.fact("service.reachable", false);
    sheet.rest_absent();
    ended = Error{ErrorKind::refused, "the port is closed (ICMP port unreachable)", {}};
  } else if (asked->answer == UdpAnswer::silent) {
    sheet.rest_unobserved("no answer to " + std::to_string(asked->sent) +
                          " datagrams: the port is open for something else, or filtered");
  } else {
    sighting.tls_refused = !sighting.tls;
    sheet.fact("service.reachable", true);
    record(sheet, sighting, context.library.fingerprints());
  }
  keep_transcript(sheet, transcript);
  co_return ended;
}

class Services final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    if (!context.endpoint) {
      const Error missing{ErrorKind::bad_input, "probe services needs an endpoint such as tcp/80", {}};
      sheet.rest_unobserved(missing.what);
      co_return missing;
    }
    Place place;
    place.address = context.target.address;
    place.endpoint = *context.endpoint;
    place.timers = sessions::timers_for(context.network);
    Result<> ended;
    if (place.endpoint.transport == Transport::tcp) {
      ended = co_await observe_tcp(context, place, sheet);
    } else {
      ended = co_await observe_udp(context, place, sheet);
    }
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<Services>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "services",
    .summary = "Finds out what one endpoint speaks, by speaking it, and which logins it offers.",
    .version = 2,
    .intrusiveness = Intrusiveness::benign,
    .exclusive = Exclusive::none,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{120'000},
    .parameters = {},
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::services
