#include <algorithm>

#include "probes/services/exchange.hpp"
#include "probes/wire/lookup.hpp"
#include "probes/wire/mail.hpp"
#include "probes/wire/messaging.hpp"

/// Mailboxes, telephony, brokers and directories.
namespace assay::probes::services {

namespace {

using wire::Parse;

constexpr std::uint16_t kDnsPorts[] = {53};
constexpr std::uint16_t kSipPorts[] = {5060, 5061};
constexpr std::uint16_t kXmppPorts[] = {5222, 5223, 5269};
constexpr std::uint16_t kLdapPorts[] = {389, 636};
constexpr std::uint16_t kAmqpPorts[] = {5671, 5672};
constexpr std::uint16_t kImapPorts[] = {143, 993};
constexpr std::uint16_t kPop3Ports[] = {110, 995};
constexpr std::uint8_t kLdapExtended = 0x78;

bool holds(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// One login for each SASL mechanism; only PLAIN and LOGIN show the password to whoever listens.
void note_mechanisms(const std::vector<std::string>& mechanisms, std::string_view prefix, const Place& place,
                     Sighting& sighting) {
  for (const auto& mechanism : mechanisms) {
    const auto name = wire::lower(mechanism);
    if (name == "anonymous") {
      sighting.details["anonymous"] = true;
    } else {
      add_login(sighting, std::string{prefix} + name, place.clear() && (name == "plain" || name == "login"));
    }
  }
}

Turn hear_dns(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_dns_version(heard.bytes, nonce_number(heard.nonce));
  if (parse.state == Parse::complete) {
    sighting.protocol = "dns";
    sighting.details["rcode"] = parse.rcode;
    sighting.details["recursion"] = parse.recursion;
    if (!parse.version.empty()) {
      sighting.details["version_bind"] = parse.version;
    }
  }
  return {parse.state, {}};
}

Turn hear_sip(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_sip(heard.bytes);
  if (parse.state == Parse::complete) {
    sighting.protocol = "sip";
    sighting.details["status"] = parse.status;
    std::tie(sighting.product, sighting.version) = wire::product_version(parse.agent);
    sighting.details["server"] = parse.agent;
  }
  return {parse.state, {}};
}

Turn hear_xmpp(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_xmpp(heard.bytes);
  if (parse.state != Parse::complete) {
    return {parse.state, {}};
  }
  sighting.protocol = "xmpp";
  if (!parse.reply.from.empty()) {
    sighting.details["domain"] = parse.reply.from;
  }
  if (!parse.reply.error.empty()) {
    sighting.details["error"] = parse.reply.error;
  }
  note_mechanisms(parse.reply.mechanisms, "xmpp-", heard.place, sighting);
  if (parse.reply.starttls) {
    sighting.upgrade = Upgrade{
        wire::xmpp_starttls(), [](std::string_view bytes) { return wire::trim(bytes).starts_with("<proceed"); }, {}};
  }
  return {Parse::complete, {}};
}

bool ldap_agrees(std::string_view bytes) {
  const auto parse = wire::parse_ldap(bytes, wire::kLdapStartTlsId);
  return parse.state == Parse::complete && parse.operation == kLdapExtended && parse.result == 0;
}

Turn hear_ldap(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_ldap(heard.bytes, wire::kLdapSearchId);
  if (parse.state == Parse::complete) {
    sighting.protocol = "ldap";
    sighting.product = parse.vendor_name;
    sighting.version = parse.vendor_version;
    sighting.details["result"] = parse.result;
    add_login(sighting, "ldap-simple", heard.place.clear());
    sighting.upgrade = Upgrade{wire::ldap_starttls(), &ldap_agrees, {}};
  }
  return {parse.state, {}};
}

bool amqp10_hint(std::string_view bytes) {
  return bytes == wire::amqp10_header(true) || bytes == wire::amqp10_header(false);
}

Turn hear_amqp(const Heard& heard, Sighting& sighting) {
  // A server that knows 0-9-1 never answers its header with the same one: that is an echo.
  if (heard.bytes == wire::amqp091_header()) {
    return {};
  }
  const auto parse = wire::parse_amqp(heard.bytes);
  if (parse.state == Parse::complete) {
    sighting.protocol = "amqp";
    sighting.details["amqp_version"] = parse.reply.version;
    sighting.product = parse.reply.product;
    sighting.version = parse.reply.product_version;
    sighting.details["mechanisms"] = listed(parse.reply.mechanisms);
    note_mechanisms(parse.reply.mechanisms, "amqp-", heard.place, sighting);
  }
  return {parse.state, {}};
}

/// Asked for 0-9-1, a server of 1.0 answers with its own header: that is the other exchange's to go on with.
Turn hear_amqp091(const Heard& heard, Sighting& sighting) {
  return amqp10_hint(heard.bytes) ? Turn{} : hear_amqp(heard, sighting);
}

bool imap_agrees(std::string_view bytes) {
  return bytes.starts_with("a2 OK");
}

Turn hear_imap(const Heard& heard, Sighting& sighting) {
  if (heard.turn == 0) {
    return {wire::parse_imap_greeting(heard.bytes), "a1 CAPABILITY\r\n"};
  }
  const auto reply = wire::parse_imap_capability(heard.bytes, "a1");
  if (reply.state != Parse::complete || !reply.good) {
    return {reply.state, {}};
  }
  sighting.protocol = "imap";
  sighting.details["capabilities"] = listed(reply.words);
  if (!holds(reply.words, "LOGINDISABLED")) {
    add_login(sighting, "imap", heard.place.clear());
  }
  if (holds(reply.words, "STARTTLS")) {
    sighting.upgrade = Upgrade{"a2 STARTTLS\r\n", &imap_agrees, {}};
  }
  return {Parse::complete, {}};
}

Turn hear_pop3(const Heard& heard, Sighting& sighting) {
  if (heard.turn == 0) {
    return {wire::parse_pop3_greeting(heard.bytes).state, "CAPA\r\n"};
  }
  const auto reply = wire::parse_pop3_capabilities(heard.bytes);
  if (reply.state != Parse::complete) {
    return {reply.state, {}};
  }
  sighting.protocol = "pop3";
  sighting.details["capabilities"] = listed(reply.words);
  if (!reply.good || holds(reply.words, "USER")) {
    add_login(sighting, "pop3", heard.place.clear());
  }
  if (holds(reply.words, "STLS")) {
    sighting.upgrade = Upgrade{"STLS\r\n", [](std::string_view bytes) { return bytes.starts_with("+OK"); }, {}};
  }
  return {Parse::complete, {}};
}

std::string open_sip(const Place& place, std::string_view nonce) {
  return wire::sip_options(sessions::host_header(place.address, place.endpoint.port, place.tls), wire::hex(nonce));
}

bool imap_hint(std::string_view bytes) {
  return wire::parse_imap_greeting(bytes) == Parse::complete;
}

bool pop3_hint(std::string_view bytes) {
  const auto reply = wire::parse_pop3_greeting(bytes);
  return reply.state == Parse::complete && reply.good;
}

bool xmpp_hint(std::string_view bytes) {
  return bytes.find("<stream:stream") != std::string_view::npos && wire::parse_xmpp(bytes).state != Parse::malformed;
}

}  // namespace

const Exchange kDns{
    "dns",     kDnsPorts,
    false,     [](const Place&, std::string_view nonce) { return wire::dns_version_query(nonce_number(nonce)); },
    &hear_dns, nullptr};
const Exchange kSip{"sip",     kSipPorts, false,
                    &open_sip, &hear_sip, [](std::string_view bytes) { return bytes.starts_with("SIP/2.0 "); }};
const Exchange kXmpp{"xmpp",     kXmppPorts,
                     false,      [](const Place& place, std::string_view) { return wire::xmpp_open(place.address); },
                     &hear_xmpp, &xmpp_hint};
const Exchange kLdap{"ldap",     kLdapPorts,
                     false,      [](const Place&, std::string_view) { return wire::ldap_root_search(); },
                     &hear_ldap, nullptr};
const Exchange kAmqp{
    "amqp",
    kAmqpPorts,
    false,
    [](const Place&, std::string_view) { return wire::amqp091_header(); },
    &hear_amqp091,
    [](std::string_view bytes) { return !amqp10_hint(bytes) && wire::parse_amqp(bytes).state == Parse::complete; }};
const Exchange kAmqp10{"amqp-1.0", kAmqpPorts,
                       false,      [](const Place&, std::string_view) { return wire::amqp10_header(true); },
                       &hear_amqp, &amqp10_hint};
const Exchange kImap{"imap", kImapPorts, true, nullptr, &hear_imap, &imap_hint};
const Exchange kPop3{"pop3", kPop3Ports, true, nullptr, &hear_pop3, &pop3_hint};

}  // namespace assay::probes::services
