#include "probes/tls/changes.hpp"

#include <algorithm>

namespace assay::probes::tls {

namespace {

namespace extension = wire::extension;

constexpr std::uint16_t kGreaseSuite = 0x2a2a;  // RFC 8701
constexpr std::uint16_t kGreaseGroup = 0x6a6a;
constexpr std::uint16_t kGreaseExtension = 0xbaba;
constexpr std::uint16_t kGreaseVersion = 0x9a9a;
constexpr std::size_t kLargeHello = 4100;

bool newest(const HelloWish& wish) {
  return wire::tls_age(wish.version) == wire::kTls13;
}

void offer_extensions(wire::TlsHello& hello, const HelloWish&) {
  const std::vector<std::string> protocols{"h2", "http/1.1", "mqtt", "coap", "imap", "ftp", "xmpp-client"};
  hello.extensions.push_back(wire::alpn_offer(protocols));
  hello.extensions.push_back({extension::kStatusRequest, std::string("\x01\0\0\0\0", 5)});
  hello.extensions.push_back({extension::kSct, {}});
  hello.extensions.push_back({extension::kSessionTicket, {}});
  hello.extensions.push_back({extension::kExtendedMasterSecret, {}});
  hello.extensions.push_back({extension::kHeartbeat, std::string(1, '\x01')});
  hello.extensions.push_back({extension::kNpn, {}});
}

void read_extensions(const Reply& reply, const HelloWish& wish, Picture& picture) {
  if (!reply.hello() || !reply.flight.hello() || newest(wish)) {
    const std::string why = reply.hello() ? "TLS 1.3 answers these encrypted" : reply.why;
    for (const auto* name : {"session_tickets", "extended_master_secret", "secure_renegotiation", "heartbeat",
                             "ocsp_stapling", "alpn", "next_protocol_negotiation"}) {
      picture.look(name, std::nullopt, why);
    }
    return;
  }
  const auto& answered = reply.flight.hello()->extensions;
  const auto in_answer = [&](std::string_view name, std::uint16_t type) {
    const bool there = answered.contains(type);
    picture.look(name, there,
                 there ? "the extension is in the ServerHello" : "the extension was offered and not answered");
  };
  in_answer("session_tickets", extension::kSessionTicket);
  in_answer("extended_master_secret", extension::kExtendedMasterSecret);
  in_answer("secure_renegotiation", extension::kRenegotiationInfo);
  in_answer("heartbeat", extension::kHeartbeat);
  in_answer("alpn", extension::kAlpn);
  in_answer("next_protocol_negotiation", extension::kNpn);
  picture.look("ocsp_stapling", reply.flight.ocsp_response().has_value(),
               reply.flight.ocsp_response() ? "a CertificateStatus came" : "no CertificateStatus came");
}

void wish_grease(HelloWish& wish) {
  wish.suites.insert(wish.suites.begin(), kGreaseSuite);
  wish.groups.insert(wish.groups.begin(), kGreaseGroup);
}

void offer_grease(wire::TlsHello& hello, const HelloWish& wish) {
  hello.extensions.push_back({kGreaseExtension, std::string(1, '\0')});
  const std::uint16_t versions[] = {kGreaseVersion, wish.version};
  if (auto* offered = find_extension(hello, extension::kSupportedVersions)) {
    *offered = wire::supported_versions(versions);
  } else if (wire::tls_age(wish.version) == wire::kTls12) {
    hello.extensions.push_back(wire::supported_versions(versions));
  }
}

void read_grease(const Reply& reply, const HelloWish&, Picture& picture) {
  picture.look_at("tolerates_grease", reply, "unknown values were passed over");
}

void grow(wire::TlsHello& hello, const HelloWish&) {
  const auto size = wire::tls_hello_record(hello).size();
  const auto missing = kLargeHello - std::min(size, kLargeHello);
  hello.extensions.push_back({extension::kPadding, std::string(missing, '\0')});
}

void read_size(const Reply& reply, const HelloWish&, Picture& picture) {
  picture.look_at("tolerates_large_hello", reply, "a hello of 4 KiB was taken");
}

void offer_compression(wire::TlsHello& hello, const HelloWish&) {
  hello.compression = std::string("\x01\0", 2);  // DEFLATE, null
}

void read_compression(const Reply& reply, const HelloWish&, Picture& picture) {
  if (!reply.hello()) {
    picture.look("compression", std::nullopt, reply.why);
    return;
  }
  const auto method = reply.flight.hello()->compression;
  picture.look("compression", method != 0, "chose compression method " + std::to_string(method));
}

void claim_future_version(wire::TlsHello& hello, const HelloWish& wish) {
  hello.version = (wire::is_dtls(wish.version) ? dtls_family() : tls_family()).future;
}

void read_future_version(const Reply& reply, const HelloWish&, Picture& picture) {
  picture.look_at("tolerates_future_version", reply, "went on in a version it knows");
  picture.decline("future_version", reply);
}

void wish_cbc(HelloWish& wish) {
  std::erase_if(wish.suites, [](std::uint16_t suite) { return !wire::suite_parts(suite).cbc; });
}

void offer_mac_changes(wire::TlsHello& hello, const HelloWish&) {
  hello.extensions.push_back({extension::kEncryptThenMac, {}});
  hello.extensions.push_back({extension::kTruncatedHmac, {}});
}

void read_mac_changes(const Reply& reply, const HelloWish&, Picture& picture) {
  for (const auto& [name, type] : {std::pair{"encrypt_then_mac", extension::kEncryptThenMac},
                                   std::pair{"truncated_hmac", extension::kTruncatedHmac}}) {
    if (!reply.hello()) {
      picture.look(name, std::nullopt, reply.why);
      continue;
    }
    const bool there = reply.flight.hello()->extensions.contains(type);
    picture.look(name, there, there ? "answered" : "offered and not answered");
  }
}

}  // namespace

Changes changes_of_any_version(bool size) {
  // The first one's `enough` is that of all.
  Changes out{{"extensions", &at_end, nullptr, &offer_extensions, &read_extensions},
              {"values nobody knows (GREASE)", &at_hello, &wish_grease, &offer_grease, &read_grease}};
  if (size) {
    out.push_back({"a hello of 4 KiB", &at_hello, nullptr, &grow, &read_size});
  }
  return out;
}

Changes changes_of_old_versions(bool cbc) {
  Changes out{{"a version nobody knows", &at_hello, nullptr, &claim_future_version, &read_future_version}};
  if (cbc) {
    out.push_back({"encrypt-then-MAC and truncated HMAC", &at_hello, &wish_cbc, &offer_mac_changes, &read_mac_changes});
  }
  return out;
}

Change compression_offer() {
  return {"compression", &at_hello, nullptr, &offer_compression, &read_compression};
}

}  // namespace assay::probes::tls
