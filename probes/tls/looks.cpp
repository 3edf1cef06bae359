#include "probes/tls/looks.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"

namespace assay::probes::tls {

namespace {

namespace extension = wire::extension;

constexpr std::uint16_t kGreaseSuite = 0x2a2a;  // RFC 8701
constexpr std::uint16_t kGreaseGroup = 0x6a6a;
constexpr std::uint16_t kGreaseExtension = 0xbaba;
constexpr std::uint16_t kGreaseVersion = 0x9a9a;
constexpr std::size_t kLargeHello = 4100;
constexpr std::uint8_t kUnrecognizedName = 112;
constexpr std::uint8_t kInappropriateFallback = 86;

std::vector<std::uint16_t> chosen(const VersionFacts& facts, const std::function<bool(const wire::SuiteParts&)>& fits) {
  std::vector<std::uint16_t> out;
  for (const auto suite : facts.suites) {
    if (fits(wire::suite_parts(suite))) {
      out.push_back(suite);
    }
  }
  return out;
}

bool shows_exchange(const wire::TlsFlight& flight) {
  return flight.key_exchange().has_value() || flight.done();
}

std::optional<std::uint16_t> group13(const wire::TlsFlight& flight) {
  const auto group = flight.hello()->group;
  return group == 0 ? std::nullopt : std::optional{group};
}

std::optional<std::uint16_t> group12(const wire::TlsFlight& flight) {
  const auto& exchange = flight.key_exchange();
  const bool named = exchange && exchange->kind == wire::ServerKeyExchange::Kind::named_group;
  return named ? std::optional{exchange->group} : std::nullopt;
}

std::optional<std::uint16_t> signature12(const wire::TlsFlight& flight) {
  return flight.key_exchange() ? flight.key_exchange()->signature : std::nullopt;
}

}  // namespace

void Looks::look(std::string_view name, std::optional<bool> yes, std::string why) {
  picture_.behaviour.insert_or_assign(std::string{name}, Look{yes, std::move(why)});
}

/// Yes when the server went on, no when it refused; anything else settles nothing.
void Looks::look_at(std::string_view name, const Reply& reply, std::string why_yes) {
  if (reply.hello()) {
    look(name, true, std::move(why_yes));
  } else if (reply.answer == Answer::refused || reply.answer == Answer::cut) {
    look(name, false, reply.why);
  } else {
    look(name, std::nullopt, reply.why);
  }
}

asio::awaitable<Reply> Looks::ask(std::string title, const wire::TlsHello& hello, Enough enough) {
  auto reply = co_await asker_.ask(std::move(title), hello, std::move(enough));
  if (reply.ends) {
    over_ = reply.ends;
  }
  if (reply.hello() && reply.flight.hello()) {
    picture_.note(reply.flight.hello()->version, reply.flight);
  }
  co_return reply;
}

/// Asks, strikes out what was chosen, asks again, until the server refuses or can only repeat itself.
asio::awaitable<void> Looks::strike_out(List list) {
  auto& left = list.wish.*list.field;
  std::vector<std::uint16_t> chosen;
  bool asked_twice = false;
  bool keeping = false;
  while (!left.empty() && !over_) {
    auto wish = list.wish;
    if (keeping) {
      auto& offer = wish.*list.field;
      offer.insert(offer.end(), chosen.begin(), chosen.end());
    }
    const auto hello = make_hello(wish);
    auto title = list.name + ", " + std::to_string(left.size()) + " offered";
    const auto reply = co_await ask(std::move(title), hello, list.enough);
    if (reply.answer == Answer::refused || (reply.answer == Answer::cut && asked_twice)) {
      if (!list.needs_chosen || keeping || chosen.empty()) {
        break;
      }
      keeping = true;  // the refusal may be for want of one that was struck out
      continue;
    }
    if (!reply.hello()) {
      if (asked_twice || reply.ends) {
        look(list.name, std::nullopt, reply.why);
        co_return;
      }
      asked_twice = true;
      continue;
    }
    const auto code = list.shown(reply.flight);
    const bool again = code && std::find(chosen.begin(), chosen.end(), *code) != chosen.end();
    if (!code || (again && keeping)) {
      break;
    }
    chosen.push_back(*code);
    if (std::erase(left, *code) == 0) {
      look("honours_" + list.name, false, "chose " + std::to_string(*code) + ", which was not offered");
      co_return;
    }
    asked_twice = false;
  }
  *list.settled = !over_;
  if (!over_) {
    look("honours_" + list.name, true, "only what was offered was chosen");
  }
}

void Looks::plan_lists(sessions::Jobs& jobs) {
  const auto add = [&](List list) { jobs.add([this, list = std::move(list)]() { return strike_out(list); }); };
  const auto& family = survey_.family();
  if (const auto& tls13 = survey_.facts(family.newest); !tls13.suites.empty()) {
    HelloWish wish;
    wish.version = family.newest;
    wish.server_name = server_name_;
    wish.suites = tls13.suites;
    add({"groups_13", wish, &HelloWish::groups, &group13, &at_hello, &picture_.groups13_settled, false});
  }
  for (const auto version : family.old) {
    const auto& facts = survey_.facts(version);
    HelloWish wish;
    wish.version = version;
    wish.server_name = server_name_;
    // With an ECDSA certificate stacks want its curve among the groups too (RFC 8422, 5.3), so RSA shows more.
    wish.suites = chosen(facts, [](const auto& parts) { return parts.ephemeral_ec && parts.rsa_signed; });
    const bool by_ecdsa = wish.suites.empty();
    if (by_ecdsa) {
      wish.suites = chosen(facts, [](const auto& parts) { return parts.ephemeral_ec; });
    }
    if (!wish.suites.empty()) {
      add({"groups", wish, &HelloWish::groups, &group12, &shows_exchange, &picture_.groups_settled, by_ecdsa});
      break;
    }
  }
  const auto signing = chosen(survey_.facts(family.tls12), [](const auto& parts) {
    return (parts.ephemeral_ec || parts.ephemeral_dh) && !parts.anonymous && !parts.psk;
  });
  if (!signing.empty()) {
    HelloWish wish;
    wish.version = family.tls12;
    wish.server_name = server_name_;
    wish.suites = signing;
    add({"signature_algorithms", wish, &HelloWish::signatures, &signature12, &shows_exchange,
         &picture_.signatures_settled, false});
  }
}

HelloWish Looks::known_wish() const {
  HelloWish wish;
  wish.server_name = server_name_;
  for (const auto version : survey_.family().old) {
    const auto found = survey_.versions().find(version);
    if (found != survey_.versions().end() && !found->second.suites.empty()) {
      wish.version = version;
      wish.suites = found->second.suites;
      return wish;
    }
  }
  wish.version = survey_.family().newest;
  if (const auto found = survey_.versions().find(wish.version); found != survey_.versions().end()) {
    wish.suites = found->second.suites;
  }
  return wish;
}

void Looks::plan(sessions::Jobs& jobs) {
  const auto known = known_wish();
  if (known.suites.empty()) {
    return;
  }
  plan_lists(jobs);
  jobs.add([this] { return prefer(); });
  jobs.add([this] { return offer_extensions(); });
  jobs.add([this] { return grease(); });
  if (!wire::is_dtls(known.version)) {
    jobs.add([this] { return grow(); });  // a datagram of 4 KiB asks more of the way than of the server
  }
  jobs.add([this] { return name_server("wrong_server_name", "probe.invalid"); });
  if (!server_name_.empty()) {
    jobs.add([this] { return name_server("no_server_name", ""); });
  }
  jobs.add([this] { return fall_back(); });
  if (known.version == survey_.family().newest) {
    return;
  }
  jobs.add([this] { return claim_future_version(); });
  jobs.add([this] { return offer_mac_changes(); });
  jobs.add([this] { return offer_compression(); });
  jobs.add([this] { return show_dh(false); });
  jobs.add([this] { return show_dh(true); });
}

/// The same two suites both ways round: a server that chooses one of them twice goes by its own order.
asio::awaitable<void> Looks::prefer() {
  for (const auto& [version, facts] : survey_.versions()) {
    // Some servers move ChaCha20 to the front for clients that do: it proves nothing.
    std::vector<std::uint16_t> suites;
    for (const auto suite : facts.suites) {
      if (wire::suite_parts(suite).name.find("CHACHA20") == std::string_view::npos) {
        suites.push_back(suite);
      }
    }
    if (suites.size() < 2 || version == wire::kSsl2 || picture_.preference) {
      continue;
    }
    HelloWish wish;
    wish.version = version;
    wish.server_name = server_name_;
    std::vector<std::uint16_t> picks;
    for (const bool reversed : {false, true}) {
      wish.suites = {suites.front(), suites.back()};
      if (reversed) {
        std::reverse(wish.suites.begin(), wish.suites.end());
      }
      const auto hello = make_hello(wish);
      const auto reply = co_await ask("order of suites", hello, &at_hello);
      if (reply.hello() && reply.flight.hello()) {
        picks.push_back(reply.flight.hello()->suite);
      }
    }
    if (picks.size() == 2) {
      picture_.preference = picks.front() == picks.back() ? "server" : "client";
    }
  }
}

asio::awaitable<void> Looks::offer_extensions() {
  auto wish = known_wish();
  auto hello = make_hello(wish);
  const std::vector<std::string> protocols{"h2", "http/1.1", "mqtt", "coap", "imap", "ftp", "xmpp-client"};
  hello.extensions.push_back(wire::alpn_offer(protocols));
  hello.extensions.push_back({extension::kStatusRequest, std::string("\x01\0\0\0\0", 5)});
  hello.extensions.push_back({extension::kSct, {}});
  hello.extensions.push_back({extension::kSessionTicket, {}});
  hello.extensions.push_back({extension::kExtendedMasterSecret, {}});
  hello.extensions.push_back({extension::kHeartbeat, std::string(1, '\x01')});
  hello.extensions.push_back({extension::kNpn, {}});
  const auto reply = co_await ask("extensions", hello, &at_end);
  if (!reply.hello() || !reply.flight.hello() || wish.version == survey_.family().newest) {
    const std::string why = reply.hello() ? "TLS 1.3 answers these encrypted" : reply.why;
    for (const auto* name : {"session_tickets", "extended_master_secret", "secure_renegotiation", "heartbeat",
                             "ocsp_stapling", "alpn", "next_protocol_negotiation"}) {
      look(name, std::nullopt, why);
    }
    co_return;
  }
  const auto& answered = reply.flight.hello()->extensions;
  const auto in_answer = [&](std::string_view name, std::uint16_t type) {
    const bool there = answered.contains(type);
    look(name, there, there ? "the extension is in the ServerHello" : "the extension was offered and not answered");
  };
  in_answer("session_tickets", extension::kSessionTicket);
  in_answer("extended_master_secret", extension::kExtendedMasterSecret);
  in_answer("secure_renegotiation", extension::kRenegotiationInfo);
  in_answer("heartbeat", extension::kHeartbeat);
  in_answer("alpn", extension::kAlpn);
  in_answer("next_protocol_negotiation", extension::kNpn);
  look("ocsp_stapling", reply.flight.ocsp_response().has_value(),
       reply.flight.ocsp_response() ? "a CertificateStatus came" : "no CertificateStatus came");
}

/// What changes the MAC of CBC suites is answered only where one of them is chosen (RFC 7366, RFC 6066, 7).
asio::awaitable<void> Looks::offer_mac_changes() {
  auto wish = known_wish();
  std::erase_if(wish.suites, [](std::uint16_t suite) { return !wire::suite_parts(suite).cbc; });
  if (wish.suites.empty()) {
    look("encrypt_then_mac", std::nullopt, "no suite with CBC is taken");
    look("truncated_hmac", std::nullopt, "no suite with CBC is taken");
    co_return;
  }
  auto hello = make_hello(wish);
  hello.extensions.push_back({extension::kEncryptThenMac, {}});
  hello.extensions.push_back({extension::kTruncatedHmac, {}});
  const auto reply = co_await ask("encrypt-then-MAC and truncated HMAC", hello, &at_hello);
  for (const auto& [name, type] : {std::pair{"encrypt_then_mac", extension::kEncryptThenMac},
                                   std::pair{"truncated_hmac", extension::kTruncatedHmac}}) {
    if (!reply.hello()) {
      look(name, std::nullopt, reply.why);
      continue;
    }
    const bool there = reply.flight.hello()->extensions.contains(type);
    look(name, there, there ? "answered" : "offered and not answered");
  }
}

asio::awaitable<void> Looks::offer_compression() {
  const auto wish = known_wish();
  auto hello = make_hello(wish);
  hello.compression = std::string("\x01\0", 2);  // DEFLATE (RFC 3749), null
  const auto reply = co_await ask("compression", hello, &at_hello);
  if (!reply.hello()) {
    look("compression", std::nullopt, reply.why);
    co_return;
  }
  const auto method = reply.flight.hello()->compression;
  look("compression", method != 0, "chose compression method " + std::to_string(method));
}

/// RFC 7507: a client that says it fell back is refused by a server that could do better.
asio::awaitable<void> Looks::fall_back() {
  std::vector<std::uint16_t> taken;
  for (const auto& [version, facts] : survey_.versions()) {
    if (!facts.suites.empty() && version != wire::kSsl2) {
      taken.push_back(version);
    }
  }
  if (taken.size() < 2) {
    look("fallback_scsv", std::nullopt, "only one version is taken, so there is nothing to fall back to");
    co_return;
  }
  HelloWish wish;
  wish.version = taken[taken.size() - 2];
  wish.server_name = server_name_;
  wish.suites = survey_.facts(wish.version).suites;
  wish.suites.push_back(wire::kFallbackScsv);
  const auto hello = make_hello(wish);
  const auto reply = co_await ask("fallback signal", hello, &at_hello);
  const auto refusal = reply.flight.refusal();
  if (reply.hello()) {
    look("fallback_scsv", false, "the handshake went on in " + wire::tls_version_name(wish.version));
  } else if (refusal && refusal->alert == kInappropriateFallback) {
    look("fallback_scsv", true, reply.why);
  } else if (reply.answer == Answer::refused) {
    look("fallback_scsv", false, "refused otherwise: " + reply.why);
  } else {
    look("fallback_scsv", std::nullopt, reply.why);
  }
}

asio::awaitable<void> Looks::claim_future_version() {
  const auto wish = known_wish();
  auto hello = make_hello(wish);
  hello.version = survey_.family().future;
  const auto reply = co_await ask("a version nobody knows", hello, &at_hello);
  look_at("tolerates_future_version", reply, "went on in a version it knows");
}

asio::awaitable<void> Looks::grease() {
  auto wish = known_wish();
  wish.suites.insert(wish.suites.begin(), kGreaseSuite);
  wish.groups.insert(wish.groups.begin(), kGreaseGroup);
  auto hello = make_hello(wish);
  hello.extensions.push_back({kGreaseExtension, std::string(1, '\0')});
  const std::uint16_t versions[] = {kGreaseVersion, wish.version};
  if (auto* offered = find_extension(hello, extension::kSupportedVersions)) {
    *offered = wire::supported_versions(versions);
  } else if (wish.version == survey_.family().tls12) {
    hello.extensions.push_back(wire::supported_versions(versions));
  }
  const auto reply = co_await ask("values nobody knows (GREASE)", hello, &at_hello);
  look_at("tolerates_grease", reply, "unknown values were passed over");
}

asio::awaitable<void> Looks::grow() {
  const auto wish = known_wish();
  auto hello = make_hello(wish);
  const auto size = wire::tls_hello_record(hello).size();
  const auto missing = kLargeHello - std::min(size, kLargeHello);
  hello.extensions.push_back({extension::kPadding, std::string(missing, '\0')});
  const auto reply = co_await ask("a hello of 4 KiB", hello, &at_hello);
  look_at("tolerates_large_hello", reply, "a hello of 4 KiB was taken");
}

asio::awaitable<void> Looks::name_server(std::string name_of_look, std::string name) {
  auto wish = known_wish();
  wish.server_name = std::move(name);
  const auto hello = make_hello(wish);
  const auto reply = co_await ask("server name \"" + wish.server_name + "\"", hello, &at_end);
  if (reply.hello() && reply.flight.hello()) {
    const auto known = picture_.chain_of.find(key_kind(reply.flight.hello()->suite));
    const bool other = known != picture_.chain_of.end() && !reply.flight.certificates().empty() &&
                       picture_.chains[known->second] != reply.flight.certificates();
    look(name_of_look, true, other ? "another certificate was sent" : "the same certificate was sent");
    co_return;
  }
  const auto refusal = reply.flight.refusal();
  const bool by_name = refusal && refusal->alert == kUnrecognizedName;
  look_at(name_of_look, reply, {});
  if (by_name) {
    look(name_of_look, false, "alert unrecognized_name");
  }
}

/// The parameters of finite-field key exchange, asked for twice: a public value that comes again is one of its
/// weaknesses.
asio::awaitable<void> Looks::show_dh(bool export_grade) {
  for (auto newest = survey_.versions().rbegin(); newest != survey_.versions().rend(); ++newest) {
    const auto version = newest->first;
    HelloWish wish;
    wish.version = version;
    wish.server_name = server_name_;
    wish.suites = chosen(survey_.facts(version),
                         [&](const auto& parts) { return parts.ephemeral_dh && parts.export_grade == export_grade; });
    if (wish.suites.empty()) {
      continue;
    }
    std::vector<std::string> values;
    for (int round = 0; round < 2; ++round) {
      const auto hello = make_hello(wish);
      const auto reply = co_await ask("finite-field key exchange", hello, &shows_exchange);
      if (reply.flight.key_exchange() && !reply.flight.key_exchange()->dh_public.empty()) {
        values.push_back(reply.flight.key_exchange()->dh_public);
      }
    }
    if (values.size() == 2) {
      const bool same = values.front() == values.back();
      look("dh_public_reused", same, same ? "the same public value twice" : "a new public value each time");
      co_return;
    }
  }
}

}  // namespace assay::probes::tls
