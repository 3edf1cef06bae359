#include "probes/wire/databases.hpp"
#include "probes/wire/documents.hpp"
#include "probes/wire/industrial.hpp"
#include "probes/wire/lookup.hpp"
#include "probes/wire/mail.hpp"
#include "probes/wire/messaging.hpp"
#include "probes/wire/remote.hpp"
#include "tests/support/catch.hpp"

using namespace assay::wire;
using namespace std::string_literals;

namespace {

/// Every cut of a whole message wants more, and never reads as whole.
template <typename Parser>
void check_cuts(const std::string& whole, Parser parser) {
  REQUIRE(parser(whole) == Parse::complete);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(parser(std::string_view{whole}.substr(0, size)) == Parse::need_more);
  }
}

/// No single changed byte makes a parser read outside its input; the sanitizers watch.
template <typename Parser>
void check_flips(const std::string& whole, Parser parser) {
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned bits : {0x01U, 0x80U, 0xffU}) {
      auto changed = whole;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ bits);
      static_cast<void>(parser(changed));
    }
  }
}

}  // namespace

TEST_CASE("Modbus device identification is read, and its exception is an answer too") {
  const auto reply =
      "\x12\x34\x00\x00\x00\x1a\x01\x2b\x0e\x01\x01\x00\x00\x03\x00\x04"
      "Acme"
      "\x01\x03"
      "PLC"
      "\x02\x05"
      "V1.02"s;
  const auto parser = [](std::string_view bytes) { return parse_modbus(bytes, 0x1234).state; };
  auto fixed = reply;
  fixed[5] = static_cast<char>(reply.size() - 6);
  check_cuts(fixed, parser);
  check_flips(fixed, parser);
  const auto parse = parse_modbus(fixed, 0x1234);
  CHECK(parse.reply.object(0) == "Acme");
  CHECK(parse.reply.object(2) == "V1.02");
  CHECK(parse_modbus(fixed, 0x1235).state == Parse::malformed);
  const auto refused = parse_modbus("\x12\x34\x00\x00\x00\x03\x01\xab\x01"s, 0x1234);
  CHECK(refused.state == Parse::complete);
  CHECK(refused.reply.exception == 1);
  CHECK(parse_modbus(modbus_identify(0x1234), 0x1234).state == Parse::malformed);
}

TEST_CASE("OPC UA acknowledges or refuses a hello") {
  const auto ack = "ACKF\x1c\x00\x00\x00"s + std::string(20, '\0');
  const auto parser = [](std::string_view bytes) { return parse_opcua(bytes).state; };
  check_cuts(ack, parser);
  check_flips(ack, parser);
  const auto error = parse_opcua(
      "ERRF\x13\x00\x00\x00\x00\x00\x83\x80\x03\x00\x00\x00"
      "bad"s);
  CHECK(error.state == Parse::complete);
  CHECK(error.reply.reason == "bad");
  CHECK(parse_opcua(opcua_hello("opc.tcp://x")).state == Parse::malformed);
}

TEST_CASE("AMQP shows its version, product and mechanisms, and an echo shows nothing") {
  const auto table =
      "\x07product"
      "S\x00\x00\x00\x08RabbitMQ\x07version"
      "S\x00\x00\x00\x06"
      "3.10.8"s;
  std::string payload = "\x00\x0a\x00\x0a\x00\x09"s;
  put_u32(payload, static_cast<std::uint32_t>(table.size()));
  payload += table +
             "\x00\x00\x00\x0ePLAIN AMQPLAIN\x00\x00\x00\x05"
             "en_US"s;
  std::string start = "\x01\x00\x00"s;
  put_u32(start, static_cast<std::uint32_t>(payload.size()));
  start += payload + "\xce";
  const auto parser = [](std::string_view bytes) { return parse_amqp(bytes).state; };
  check_cuts(start, parser);
  check_flips(start, parser);
  const auto parse = parse_amqp(start);
  CHECK(parse.reply.product == "RabbitMQ");
  CHECK(parse.reply.product_version == "3.10.8");
  CHECK(parse.reply.mechanisms == std::vector<std::string>{"PLAIN", "AMQPLAIN"});
  CHECK(parse_amqp(amqp10_header(false)).reply.version == "1.0");
  CHECK(parse_amqp(amqp10_header(true)).state == Parse::need_more);
  const auto sasl =
      amqp10_header(true) + "\x00\x00\x00\x18\x02\x01\x00\x00\x00\x53\x40\xc0\x0b\x01\xe0\x08\x01\xa3\x05PLAIN"s;
  const auto second = parse_amqp(sasl);
  CHECK(second.state == Parse::complete);
  REQUIRE_FALSE(second.reply.mechanisms.empty());
  CHECK(second.reply.mechanisms.front() == "PLAIN");
}

TEST_CASE("XMPP features tell of TLS and of mechanisms") {
  const auto stream =
      "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' from='hub.example' id='1' "
      "version='1.0' xmlns='jabber:client'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
      "<mechanisms><mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>"s;
  const auto parser = [](std::string_view bytes) { return parse_xmpp(bytes).state; };
  check_cuts(stream, parser);
  const auto parse = parse_xmpp(stream);
  CHECK(parse.reply.from == "hub.example");
  CHECK(parse.reply.starttls);
  CHECK(parse.reply.mechanisms.size() == 2);
  CHECK(parse_xmpp(xmpp_open("x")).state == Parse::need_more);
  CHECK(parse_xmpp("<html><body>").state == Parse::malformed);
}

TEST_CASE("Redis answers are told by their form") {
  const auto parser = [](std::string_view bytes) { return parse_redis(bytes).state; };
  check_cuts("+PONG\r\n", parser);
  check_cuts("$12\r\nos:Linux 6.1\r\n", parser);
  const auto locked = parse_redis("-NOAUTH Authentication required.\r\n");
  CHECK(locked.reply.kind == RedisReply::Kind::error);
  CHECK(redis_field("# Server\r\nredis_version:7.0.15\r\n", "redis_version") == "7.0.15");
  CHECK(parse_redis("-no such thing\r\n").state == Parse::malformed);
  CHECK(parse_redis("$999999999\r\n").state == Parse::malformed);
  CHECK(parse_redis(redis_ping()).state == Parse::malformed);
}

TEST_CASE("MySQL greets with its version, or turns the host away") {
  const auto body =
      "\x0a"
      "8.0.36\x00\x08\x00\x00\x00"
      "saltsalt\x00\xff\xff\xff\x02\x00\xff\xdf\x15"s +
      std::string(10, '\0') +
      "saltsaltsalt\x00"
      "caching_sha2_password\x00"s;
  std::string packet(1, static_cast<char>(body.size()));
  packet += "\x00\x00\x00"s + body;
  const auto parser = [](std::string_view bytes) { return parse_mysql(bytes).state; };
  check_cuts(packet, parser);
  check_flips(packet, parser);
  const auto parse = parse_mysql(packet);
  CHECK(parse.greeting.version == "8.0.36");
  CHECK(parse.greeting.tls);
  CHECK(parse.greeting.plugin == "caching_sha2_password");
  const auto refused = parse_mysql(
      "\x0e\x00\x00\x00\xff\x6a\x04"
      "Host no way"s);
  CHECK(refused.state == Parse::complete);
  CHECK(refused.greeting.refused);
}

TEST_CASE("PostgreSQL asks for a password or reports an error with its state") {
  const auto parser = [](std::string_view bytes) { return parse_postgres(bytes).state; };
  const auto asks = "R\x00\x00\x00\x08\x00\x00\x00\x0a"s;
  check_cuts(asks, parser);
  CHECK(parse_postgres(asks).reply.asked == 10);
  const auto text =
      "SFATAL\x00"
      "C28000\x00Mno entry\x00\x00"s;
  std::string error = "E"s;
  put_u32(error, static_cast<std::uint32_t>(text.size() + 4));
  error += text;
  check_cuts(error, parser);
  check_flips(error, parser);
  CHECK(parse_postgres(error).reply.sqlstate == "28000");
  CHECK(parse_postgres("ERROR of a text service\r\n").state == Parse::malformed);
}

TEST_CASE("RFB, RDP, SMB and ADB are told by their first message") {
  const auto rfb = [](std::string_view bytes) { return parse_rfb_version(bytes).state; };
  check_cuts("RFB 003.008\n", rfb);
  CHECK(rfb("RFB 003,008\n") == Parse::malformed);
  CHECK(parse_rfb_security("\x02\x01\x02"s).types == std::vector<std::uint8_t>{1, 2});
  CHECK(parse_rfb_security("\x00\x00\x00\x00\x04slow"s).refusal == "slow");
  const auto rdp = [](std::string_view bytes) { return parse_rdp(bytes).state; };
  const auto confirm = "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x0f\x08\x00\x02\x00\x00\x00"s;
  check_cuts(confirm, rdp);
  check_flips(confirm, rdp);
  CHECK(parse_rdp(confirm).protocol == 2);
  CHECK(rdp(rdp_request()) == Parse::malformed);
  const auto smb = [](std::string_view bytes) { return parse_smb2(bytes).state; };
  auto negotiated = "\x00\x00\x00\x81\xfeSMB"s + std::string(60, '\0') + "\x41\x00\x03\x00\x02\x03"s;
  negotiated.resize(4 + 0x81);
  check_cuts(negotiated, smb);
  check_flips(negotiated, smb);
  CHECK(parse_smb2(negotiated).dialect == 0x0302);
  CHECK(parse_smb2(negotiated).signing_required);
  CHECK(smb(smb2_negotiate("guid")) == Parse::malformed);
  const auto adb = [](std::string_view bytes) { return parse_adb(bytes).state; };
  check_cuts(adb_connect(), adb);
  check_flips(adb_connect(), adb);
  CHECK(adb("CNXN"s + std::string(20, 'x')) == Parse::malformed);
}

TEST_CASE("DNS and LDAP answer our own question only") {
  const auto dns = [](std::string_view bytes) { return parse_dns_version(bytes, 0x0102).state; };
  const auto query = dns_version_query(0x0102);
  auto answer = query;
  answer[4] = '\x85';
  answer[9] = '\x01';
  answer +=
      "\xc0\x0c\x00\x10\x00\x03\x00\x00\x00\x00\x00\x0d\x0c"
      "dnsmasq-2.89"s;
  answer[1] = static_cast<char>(answer.size() - 2);
  check_cuts(answer, dns);
  check_flips(answer, dns);
  CHECK(parse_dns_version(answer, 0x0102).version == "dnsmasq-2.89");
  CHECK(dns(query) == Parse::malformed);
  const auto ldap = [](std::string_view bytes) { return parse_ldap(bytes, kLdapSearchId).state; };
  const auto done = "\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00"s;
  check_cuts(done, ldap);
  check_flips(done, ldap);
  CHECK(parse_ldap(done, kLdapSearchId).result == 0);
  CHECK(ldap(ldap_root_search()) == Parse::malformed);
  const auto entry = "\x30\x1c\x02\x01\x01\x64\x17\x04\x00\x30\x13\x30\x11\x04\x0avendorName\x31\x03\x04\x01X"s;
  CHECK(parse_ldap(entry, kLdapSearchId).vendor_name == "X");
}

TEST_CASE("IMAP, POP3 and SIP answers are whole replies") {
  CHECK(parse_imap_greeting("* OK ready\r\n") == Parse::complete);
  CHECK(parse_imap_greeting("* NO\r\n") == Parse::malformed);
  const auto imap = parse_imap_capability("* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n", "a1");
  CHECK(imap.state == Parse::complete);
  CHECK(imap.words == std::vector<std::string>{"IMAP4REV1", "STARTTLS"});
  CHECK(parse_imap_capability("a1 OK\r\n", "a1").state == Parse::malformed);
  const auto pop = parse_pop3_capabilities("+OK\r\nSTLS\r\nUSER\r\n.\r\n");
  CHECK(pop.state == Parse::complete);
  CHECK(pop.words == std::vector<std::string>{"STLS", "USER"});
  const auto sip = [](std::string_view bytes) { return parse_sip(bytes).state; };
  const auto response = "SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nServer: Phone/1.2\r\n\r\n"s;
  check_cuts(response, sip);
  CHECK(parse_sip(response).agent == "Phone/1.2");
  CHECK(sip("SIP/2.0 200 OK\r\nServer: x\r\n\r\n") == Parse::malformed);
  CHECK(sip(sip_options("h", "b")) == Parse::malformed);
}

TEST_CASE("Device documents are read by local names and never expanded") {
  const auto upnp = upnp_description(
      "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device><friendlyName> Hub "
      "</friendlyName><manufacturer>Acme</manufacturer><modelName>H1</modelName></device></root>");
  REQUIRE(upnp);
  CHECK(upnp->name == "Hub");
  CHECK(upnp->maker == "Acme");
  CHECK_FALSE(upnp_description("<root>urn:schemas-upnp-org:device-1-0"s.substr(0, 6)));
  const auto hnap = hnap_settings(
      "<soap:Envelope><GetDeviceSettingsResponse xmlns=\"http://purenetworks.com/HNAP1/\"><ModelName>R1</ModelName>"
      "</GetDeviceSettingsResponse></soap:Envelope>");
  REQUIRE(hnap);
  CHECK(hnap->model == "R1");
  CHECK(
      is_onvif("<s:Envelope xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\"><tds:GetSystemDateAndTimeResponse>"));
  CHECK_FALSE(is_onvif(onvif_time_request()));
  const auto ipp = [](std::string_view bytes) { return parse_ipp(bytes, 7).state; };
  const auto reply =
      "\x01\x01\x00\x00\x00\x00\x00\x07\x04\x41\x00\x16printer-make-and-model\x00\x04"
      "Acme\x03"s;
  CHECK(ipp(reply) == Parse::complete);
  CHECK(parse_ipp(reply, 7).model == "Acme");
  check_flips(reply, ipp);
  CHECK(parse_ipp(reply, 8).state == Parse::malformed);
  CHECK(xml_text("<a:b>x\x1b</a:b>", "b") == "x\\x1b");
}
