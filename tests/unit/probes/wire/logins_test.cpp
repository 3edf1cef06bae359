#include "probes/wire/ber.hpp"
#include "probes/wire/database_logins.hpp"
#include "probes/wire/databases.hpp"
#include "probes/wire/ipmi.hpp"
#include "probes/wire/onvif.hpp"
#include "probes/wire/snmp_user.hpp"
#include "tests/support/catch.hpp"

using namespace assay::wire;
using namespace std::string_literals;

TEST_CASE("logins: heads of PostgreSQL are bounded, and what is asked for is read") {
  CHECK(parse_postgres_head("R\0\0\0\x08"s).body == 4);
  CHECK_FALSE(parse_postgres_head("R\0\0\0\x03"s).sound);
  CHECK_FALSE(parse_postgres_head("R\x7f\0\0\0"s).sound);
  CHECK_FALSE(parse_postgres_head("\1\0\0\0\x08"s).sound);
  const auto sasl = parse_postgres_asks("\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"s);
  CHECK(sasl.sound);
  CHECK(sasl.mechanisms == std::vector<std::string>{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"});
  const auto error = parse_postgres_error("SFATAL\0C28P01\0Mno\x01way\0\0"s);
  CHECK(error.sqlstate == "28P01");
  CHECK(error.message == "no\\x01way");
  CHECK(postgres_value("\0\1\0\0\0\5maker"s) == "maker");
  CHECK_FALSE(postgres_value("\0\1\xff\xff\xff\xff"s).has_value());
}

TEST_CASE("logins: a challenge of SCRAM is sound when its nonce goes on with ours (RFC 7677, 3)") {
  const auto words = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  const auto challenge = parse_scram_challenge(words, "rOprNGfwEbeRWgbNEkqO");
  CHECK(challenge.sound);
  CHECK(challenge.iterations == 4096);
  CHECK(hex(challenge.salt) == "5b6d99689d12358eeca04b141236fa81");
  CHECK_FALSE(parse_scram_challenge(words, "anotherNonce").sound);
  CHECK_FALSE(parse_scram_challenge("r=abcd,s=!!!!,i=1", "abc").sound);
  CHECK_FALSE(from_base64("QQ=").has_value());
}

TEST_CASE("logins: MySQL's greeting gives its challenge, and its packets are told apart") {
  const auto greeting = "\x0a"s + "10.11.2-MariaDB\0"s + "\1\0\0\0"s + "abcdefgh" + "\0"s +
                        "\x08\x82\x21\2\0\x08\0\x15"s + std::string(10, '\0') + "ijklmnopqrst\0"s +
                        "mysql_native_password\0"s;
  const auto parse = parse_mysql(mysql_packet(0, greeting));
  REQUIRE(parse.state == Parse::complete);
  CHECK(parse.greeting.salt == "abcdefghijklmnopqrst");
  CHECK(parse.greeting.plugin == "mysql_native_password");
  const auto error = parse_mysql_reply("\xff\x15\x04#28000Access denied"s);
  CHECK(error.kind == MysqlReply::Kind::error);
  CHECK(error.code == 1045);
  CHECK(error.message == "Access denied");
  CHECK(parse_mysql_reply("\xfe"s).kind == MysqlReply::Kind::old_password);
  const auto other = parse_mysql_reply(
      "\xfe"
      "caching_sha2_password\0salt\0"s);
  CHECK(other.kind == MysqlReply::Kind::other_plugin);
  CHECK(other.plugin == "caching_sha2_password");
  CHECK(parse_mysql_reply("\0\0\0\2\0\0\0"s).kind == MysqlReply::Kind::ok);
  CHECK(mysql_value("\x05maker"s) == "maker");
  CHECK_FALSE(mysql_value("\x09maker"s).has_value());
}

TEST_CASE("logins: the place of the digest in a question of SNMP v3 is where it is read from") {
  SnmpUserQuestion question;
  question.id = 77;
  question.engine = {"\x80\0\x1f\x88\4hub"s, 3, 4000};
  question.user = "maker";
  question.digest = 12;
  auto message = snmp_user_message(question, snmp_scoped_get(question));
  message.bytes.replace(message.digest_at, 12, "abcdefghijkl");
  const auto read = parse_snmp_user_answer(message.bytes);
  REQUIRE(read.state == Parse::complete);
  CHECK(read.id == 77);
  CHECK(read.digest == "abcdefghijkl");
  CHECK(read.digest_at == message.digest_at);
  CHECK(read.engine.id == question.engine.id);
  CHECK(read.engine.boots == 3);
  CHECK(read.engine.time == 4000);
  CHECK(read.authenticated);
  CHECK_FALSE(read.encrypted);
  CHECK(parse_snmp_scoped(read.scoped).state == Parse::malformed);  // a question is no answer
  CHECK(parse_snmp_user_answer(message.bytes.substr(0, message.bytes.size() - 1)).state == Parse::malformed);
}

TEST_CASE("logins: reports of SNMP v3 say what was wrong") {
  const auto stats = "\x2b\x06\x01\x06\x03\x0f\x01\x01\x05\x00"s;
  const auto binding = ber::tlv(ber::kSequence, ber::tlv(ber::kOid, stats) + ber::tlv(0x41, "\1"));
  const auto pdu =
      ber::tlv(0xa8, ber::integer(1) + ber::integer(0) + ber::integer(0) + ber::tlv(ber::kSequence, binding));
  const auto scoped =
      parse_snmp_scoped(ber::tlv(ber::kSequence, ber::tlv(ber::kOctets, {}) + ber::tlv(ber::kOctets, {}) + pdu));
  REQUIRE(scoped.state == Parse::complete);
  CHECK(scoped.kind == SnmpScoped::Kind::report);
  CHECK(scoped.counter == kUsmWrongDigest);
}

TEST_CASE("logins: the exchange that opens a session of IPMI is read, and its question is exact") {
  CHECK(hex(ipmi_capabilities_request()) == "0600ff07000000000000000000092018c88100388e04b5");
  const auto packet = [](char type, const std::string& payload) {
    return "\x06\0\xff\x07\x06"s + type + std::string(8, '\0') +
           ipmi_little(static_cast<std::uint32_t>(payload.size())).substr(0, 2) + payload;
  };
  const auto open =
      parse_ipmi_opening(packet(0x11, "\x05\0\4\0CONSMANA\0\0\0\x08\1\0\0\0\1\0\0\x08\1\0\0\0\2\0\0\x08\0\0\0\0"s));
  REQUIRE(open.state == Parse::complete);
  CHECK(open.tag == 5);
  CHECK(open.suite == IpmiSuite{1, 1, 0});
  CHECK(ipmi_little(open.managed) == "MANA");
  const auto bad = parse_ipmi_opening(packet(0x13, "\x06\x0d\0\0CONS"s));
  CHECK(bad.state == Parse::complete);
  CHECK(bad.status == kIpmiBadName);
  CHECK(parse_ipmi_opening(packet(0x13, "\x06\0\0\0CONS"s)).state == Parse::malformed);
  const auto rakp2 = parse_ipmi_opening(
      packet(0x13, "\x06\0\0\0CONS"s + std::string(16, 'r') + std::string(16, 'g') + std::string(20, 'h')));
  CHECK(rakp2.random == std::string(16, 'r'));
  CHECK(rakp2.code == std::string(20, 'h'));
  const auto capable = parse_ipmi_capabilities("\x06\0\xff\x07\0"s + std::string(8, '\0') +
                                               "\x10\x81\x1c\x63\x20\0\x38\0\1\x97\x05\x03\0\0\0\0\x09"s);
  REQUIRE(capable.state == Parse::complete);
  CHECK(capable.version2);
  CHECK(capable.anonymous);
}

TEST_CASE("What a session's keys made of a packet of IPMI is its encrypted payload and its trailer") {
  const std::string payload(32, 'e');
  const auto trailer = "\xff\xff\x02\x07"s + std::string(16, 'c');
  const auto with = [&](bool encrypted, bool authenticated) {
    return ipmi_keyed_parts(ipmi_session_packet(0x01020304, 1, encrypted, authenticated, payload) + trailer);
  };
  CHECK(with(true, true) == std::vector<std::string>{payload, trailer});
  CHECK(with(false, true) == std::vector<std::string>{trailer});
  CHECK(with(false, false).empty());
  CHECK(ipmi_keyed_parts(ipmi_rakp3(1, 2, std::string(20, 'k'))).empty());
  CHECK(ipmi_keyed_parts(ipmi_session_packet(1, 1, true, true, "short")).empty());
  CHECK(ipmi_keyed_parts(ipmi_session_packet(1, 1, true, true, payload).substr(0, 30)).empty());
  CHECK(ipmi_keyed_parts(std::string(64, 'x')).empty());
}

TEST_CASE("logins: a camera's clock, its users and its refusals are read") {
  const auto time =
      "<e:Envelope><e:Body><t:UTCDateTime><t:Time><t:Hour>12</t:Hour><t:Minute>3</t:Minute><t:Second>4</t:Second></"
      "t:Time>"
      "<t:Date><t:Year>2026</t:Year><t:Month>1</t:Month><t:Day>31</t:Day></t:Date></t:UTCDateTime></e:Body></"
      "e:Envelope>";
  REQUIRE(onvif_utc(time).has_value());
  CHECK(onvif_time_text(*onvif_utc(time)) == "2026-01-31T12:03:04Z");
  CHECK_FALSE(onvif_utc("<t:UTCDateTime><t:Hour>12</t:Hour></t:UTCDateTime>").has_value());
  const auto users = read_onvif_users(
      "<e:Envelope><e:Body><d:GetUsersResponse><d:User><t:Username>a</t:Username></d:User></d:GetUsersResponse></"
      "e:Body></e:Envelope>");
  CHECK(users.given);
  CHECK(users.users == 1);
  const auto fault = read_onvif_users(
      "<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>ter:NotAuthorized</e:Value></e:Subcode></"
      "e:Code></e:Fault>");
  CHECK_FALSE(fault.given);
  CHECK(fault.not_authorised);
  CHECK_FALSE(read_onvif_users("<e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code></e:Fault>").not_authorised);
  const OnvifToken token{"a<b&c", "digest", "nonce", "now"};
  CHECK(onvif_users_request(&token).find("<Username>a&lt;b&amp;c</Username>") != std::string::npos);
}
