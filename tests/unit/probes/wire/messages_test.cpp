#include <random>

#include "probes/wire/banner.hpp"
#include "probes/wire/coap.hpp"
#include "probes/wire/html.hpp"
#include "probes/wire/login_form.hpp"
#include "probes/wire/mail.hpp"
#include "probes/wire/mqtt.hpp"
#include "probes/wire/reply_lines.hpp"
#include "probes/wire/snmp.hpp"
#include "probes/wire/ssh.hpp"
#include "probes/wire/telnet.hpp"
#include "probes/wire/tls_hello.hpp"
#include "tests/support/catch.hpp"

using namespace assay::wire;
using namespace std::string_literals;

TEST_CASE("Hostile bytes become visible ASCII") {
  CHECK(printable("a\x1b[2J\n\\\xff"s) == "a\\x1b[2J\\n\\\\\\xff");
  CHECK(printable("abcdef", 3) == "abc[cut]");
}

TEST_CASE("A reader that ran out stays failed") {
  Reader reader{"\x01\x02\x03"};
  CHECK(reader.u16() == 0x0102);
  CHECK(reader.u32() == 0);
  CHECK(reader.failed());
  CHECK(reader.u8() == 0);
}

TEST_CASE("Telnet commands are answered and taken out of the text") {
  TelnetParser parser;
  const auto step = parser.feed("\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03login: "s);
  CHECK(step.text == "login: ");
  CHECK(step.replies == "\xff\xfc\x01\xff\xfc\x1f\xff\xfd\x01\xff\xfd\x03"s);
  CHECK(parser.negotiated());
  CHECK(parser.server_echo());
  CHECK(parser.feed("\xff\xfb\x01"s).replies.empty());
  CHECK(parser.feed("\xff\xfa\x18\x01\xff\xf0x\r\0y\xff\xff"s).text == "x\ry\xff");
  CHECK(parser.violations() == 0);
}

TEST_CASE("A telnet server that negotiates for ever gets two answers to an option") {
  TelnetParser parser;
  std::string replies;
  for (int i = 0; i < 1000; ++i) {
    replies += parser.feed("\xff\xfb\x01\xff\xfc\x01"s).replies;
  }
  CHECK(replies.size() == 6);
}

TEST_CASE("A typed line doubles IAC") {
  CHECK(telnet_line("a\xff"s) == "a\xff\xff\r\n"s);
}

TEST_CASE("An MQTT CONNECT has the bytes of the standard") {
  MqttConnect connect;
  connect.client_id = "ab";
  CHECK(mqtt_connect(connect) == "\x10\x0e\x00\x04MQTT\x04\x02\x00\x1e\x00\x02"s + "ab");
  connect.username = "u";
  connect.password = "p";
  CHECK(mqtt_connect(connect) == "\x10\x14\x00\x04MQTT\x04\xc2\x00\x1e\x00\x02"s + "ab" + "\x00\x01u\x00\x01p"s);
  connect = MqttConnect{};
  connect.level = 5;
  CHECK(mqtt_connect(connect) == "\x10\x0d\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x00"s);
}

TEST_CASE("Only a CONNACK in order is one") {
  const auto state = [](std::string_view bytes) { return parse_connack(bytes).state; };
  CHECK(state("\x20\x02\x00\x00"s) == Parse::complete);
  CHECK(state("\x20\x02\x00\x05"s) == Parse::complete);
  CHECK(asks_for_credentials(parse_connack("\x20\x02\x00\x05"s).connack));
  CHECK(state("\x20\x02\x00\x84"s) == Parse::complete);
  CHECK(state("\x20\x03\x00\x87\x00"s) == Parse::complete);
  CHECK(asks_for_credentials(parse_connack("\x20\x03\x00\x87\x00"s).connack));
  CHECK(state("\x20\x02\x00"s) == Parse::need_more);
  CHECK(state("\x20\x02\x02\x00"s) == Parse::malformed);
  CHECK(state("\x20\x02\x00\x06"s) == Parse::malformed);
  CHECK(state("\x20\x03\x00\x00\x05"s) == Parse::malformed);
  CHECK(state("\x20\xff\xff\xff\xff"s) == Parse::malformed);
  CHECK(state("\x30\x02\x00\x00"s) == Parse::malformed);
}

TEST_CASE("A CoAP message survives the way out and back") {
  auto message = coap_get(".well-known/core", 0x1234, "tok");
  message.options.push_back({300, std::string(280, 'x')});
  message.payload = "p";
  const auto udp = parse_coap(encode_coap(message));
  REQUIRE(udp.state == Parse::complete);
  CHECK(udp.message.id == 0x1234);
  CHECK(udp.message.token == "tok");
  REQUIRE(udp.message.options.size() == 3);
  CHECK(udp.message.options[1].value == "core");
  CHECK(udp.message.options[2].number == 300);
  CHECK(udp.message.options[2].value.size() == 280);
  CHECK(udp.message.payload == "p");
  const auto tcp = parse_coap_tcp(encode_coap_tcp(message) + "next");
  REQUIRE(tcp.state == Parse::complete);
  CHECK(tcp.used == encode_coap_tcp(message).size());
  CHECK(tcp.message.options.size() == 3);
  CHECK(encode_coap(coap_get("a", 1, "")) ==
        "\x40\x01\x00\x01\xb1"
        "a"s);
  CHECK(coap_code(0x45) == "2.05");
  CHECK(coap_code(0x84) == "4.04");
}

TEST_CASE("Malformed CoAP is refused") {
  for (const auto& bytes : {""s, "\x40"s, "\x80\x01\x00\x01"s,
                            "\x49\x01\x00\x01"
                            "123456789"s,
                            "\x40\x01\x00\x01\xff"s, "\x40\x01\x00\x01\xf0"s,
                            "\x40\x01\x00\x01\x05"
                            "a"s,
                            "\x40\x00\x00\x01x"s, "\x40\x21\x00\x01"s}) {
    CAPTURE(printable(bytes));
    CHECK(parse_coap(bytes).state == Parse::malformed);
  }
  CHECK(parse_coap_tcp("\xf0\xff\xff\xff\xff\x45"s).state == Parse::malformed);
  CHECK(parse_coap_tcp("\x0f\x45"s).state == Parse::malformed);
}

TEST_CASE("An SNMP question has the bytes of BER, and its answer is read") {
  const auto question = snmp_get_sysdescr(SnmpVersion::v2c, "public", 1);
  CHECK(hex(question) ==
        "302602010104067075626c6963a019020101020100020100"
        "300e300c06082b060102010101000500");
  const auto answer =
      "\x30\x2b\x02\x01\x01\x04\x06public\xa2\x1e\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x13\x30\x11"s +
      "\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x04\x05Linux"s;
  const auto parse = parse_snmp_response(answer);
  REQUIRE(parse.state == Parse::complete);
  CHECK(parse.response.version == SnmpVersion::v2c);
  CHECK(parse.response.request_id == 7);
  CHECK(parse.response.community == "public");
  CHECK(parse.response.has_text);
  CHECK(parse.response.text == "Linux");
  CHECK(parse_snmp_response(question).state == Parse::malformed);
  CHECK_FALSE(parse_snmp_response(answer, snmp_object("1.3.6.1.2.1.1.5.0")).response.has_text);
  for (std::size_t cut = 0; cut < 20; ++cut) {
    CHECK(parse_snmp_response(std::string_view{answer}.substr(0, cut)).state == Parse::malformed);
  }
}

TEST_CASE("An object of SNMP is written in base 128, its first two arcs as one number") {
  CHECK(snmp_object("1.3.6.1.2.1.1.1.0") == kSnmpSysDescr);
  CHECK(hex(snmp_object("1.3.6.1.4.1.8072")) == "2b06010401bf08");
  CHECK(hex(snmp_object("2.999.4294967295")) == "88378fffffff7f");
  CHECK(snmp_object("sysDescr.0").empty());
  CHECK(snmp_object("1.40").empty());
}

TEST_CASE("A TLS answer is a ServerHello or an alert, nothing else") {
  const auto old = "\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03"s + std::string(32, 'r') + "\x00\xc0\x2f\x00"s;
  const auto parse = parse_tls_reply(old);
  REQUIRE(parse.state == Parse::complete);
  CHECK(parse.reply.kind == TlsReply::Kind::server_hello);
  CHECK(parse.reply.version == 0x0303);
  CHECK(parse.reply.cipher == 0xc02f);
  const auto modern = "\x16\x03\x03\x00\x32\x02\x00\x00\x2e\x03\x03"s + std::string(32, 'r') +
                      "\x00\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04"s;
  CHECK(parse_tls_reply(modern).reply.version == 0x0304);
  CHECK(tls_version_name(0x0304) == "TLSv1.3");
  const auto alert = parse_tls_reply("\x15\x03\x01\x00\x02\x02\x28"s);
  REQUIRE(alert.state == Parse::complete);
  CHECK(alert.reply.alert == 40);
  CHECK(parse_tls_reply("\x15\x03\x01\x00\x02\x07\x28"s).state == Parse::malformed);
  CHECK(parse_tls_reply("HTTP/1.1 400"s).state == Parse::malformed);
  CHECK(parse_tls_reply("\x16"s).state == Parse::need_more);
  CHECK(parse_tls_reply("\x16\x02"s).state == Parse::malformed);
}

TEST_CASE("A ClientHello says its own lengths right") {
  const auto record = tls_client_hello({std::string(32, 'a'), std::string(32, 'k'), {"http/1.1"}});
  Reader reader{record};
  CHECK(reader.u8() == 22);
  CHECK(reader.u16() == 0x0301);
  const auto record_size = reader.u16();
  CHECK(record_size == reader.rest().size());
  CHECK(reader.u8() == 1);
  const auto hello_size = reader.u24();
  CHECK(hello_size == reader.rest().size());
  CHECK(reader.u16() == 0x0303);
  CHECK(reader.take(32) == std::string(32, 'a'));
  reader.take(reader.u8());
  CHECK(reader.u16() % 2 == 0);
}

TEST_CASE("An SSH identification and its offer are read") {
  const auto ident = parse_ssh_ident("welcome\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\nrest");
  REQUIRE(ident.state == Parse::complete);
  CHECK(ident.ident.protocol == "2.0");
  CHECK(ident.ident.software == "OpenSSH_9.2p1");
  CHECK(ident.ident.comment == "Debian-2");
  CHECK(ident.used == 41);
  CHECK(parse_ssh_ident("SSH-2.0-x").state == Parse::need_more);
  CHECK(parse_ssh_ident("SSH-\r\n").state == Parse::malformed);
  CHECK(parse_ssh_ident("GET / HTTP").state == Parse::malformed);
  std::string body = "\x04\x14"s + std::string(16, 'c');
  for (const auto* list :
       {"curve25519-sha256,dh", "ssh-ed25519", "aes", "aes", "hmac", "hmac", "none", "none", "", ""}) {
    put_u32(body, static_cast<std::uint32_t>(std::string_view{list}.size()));
    body += list;
  }
  body += std::string(5, '\0');
  std::string packet;
  put_u32(packet, static_cast<std::uint32_t>(body.size()));
  const auto offer = parse_ssh_kexinit(packet + body);
  REQUIRE(offer.state == Parse::complete);
  CHECK(offer.offer.kex == std::vector<std::string>{"curve25519-sha256", "dh"});
  CHECK(offer.offer.host_key == std::vector<std::string>{"ssh-ed25519"});
  CHECK(parse_ssh_kexinit(packet + body.substr(0, 9)).state == Parse::need_more);
  CHECK(parse_ssh_kexinit("\xff\xff\xff\xff").state == Parse::malformed);
}

TEST_CASE("Replies of FTP and SMTP are read over several lines") {
  const auto parse = parse_reply_lines("211-Features:\r\n AUTH TLS\r\n211 End\r\n220 next\r\n");
  REQUIRE(parse.state == Parse::complete);
  CHECK(parse.reply.code == 211);
  CHECK(parse.reply.lines == std::vector<std::string>{"Features:", " AUTH TLS", "End"});
  CHECK(parse.used == 35);
  CHECK(parse_reply_lines("220-more\r\n").state == Parse::need_more);
  CHECK(parse_reply_lines("22").state == Parse::need_more);
  CHECK(parse_reply_lines("hello\r\n").state == Parse::malformed);
  CHECK(parse_reply_lines("2200 x\r\n").state == Parse::malformed);
  CHECK(parse_reply_lines("999 x\r\n").state == Parse::malformed);
  CHECK(parse_reply_lines("220-" + std::string(600, 'a')).state == Parse::malformed);
  CHECK(greeting_product("(vsFTPd 3.0.3)") == std::pair<std::string, std::string>{"vsFTPd", "3.0.3"});
  CHECK(greeting_product("ProFTPD Server ready") == std::pair<std::string, std::string>{});
  CHECK(greeting_product("hub FTP version 1.2 at 10:30.") == std::pair<std::string, std::string>{"FTP", "1.2"});
}

TEST_CASE("Every protocol is recognised by its own parser, and nothing else is") {
  struct Row {
    std::string bytes;
    Speech speech;
  };

  const Row rows[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", Speech::http},
      {"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", Speech::rtsp},
      {"SSH-2.0-dropbear_2022.83\r\n", Speech::ssh},
      {"\xff\xfd\x01\xff\xfb\x03"s, Speech::telnet},
      {"hub login: ", Speech::prompt},
      {"220 ready\r\n", Speech::reply_lines},
      {"\x20\x02\x00\x05"s, Speech::mqtt},
      {"\x00\xe1"s, Speech::coap_tcp},
      {"\x15\x03\x03\x00\x02\x02\x46"s, Speech::tls},
      {"hello there\r\n", Speech::unknown},
      {"SSH is great, HTTP too: login\r\n", Speech::unknown},
      {"\x00\x01\x02\x03\x04", Speech::unknown},
      {"", Speech::unknown},
  };
  for (const auto& row : rows) {
    CAPTURE(printable(row.bytes));
    CHECK(recognise(row.bytes).speech == row.speech);
  }
}

TEST_CASE("Random bytes are recognised as nothing") {
  std::mt19937 random{4711};
  int recognised = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    const auto size = 1 + random() % 300;
    while (bytes.size() < size) {
      put_u8(bytes, static_cast<std::uint32_t>(random() & 0xffU));
    }
    recognised += recognise(bytes).speech == Speech::unknown ? 0 : 1;
  }
  CHECK(recognised == 0);
}

TEST_CASE("A prompt is the unfinished last line without its colours") {
  CHECK(prompt_of("Welcome\r\nhub login: ") == "hub login:");
  CHECK(prompt_of("a\r\n") == "");
  CHECK(prompt_of("\x1b[1;32mroot@hub\x1b[0m:~# ") == "root@hub:~#");
  CHECK(prompt_of(std::string(500, 'x')) == "");
  CHECK(asks_for_input("Password:"));
  CHECK_FALSE(asks_for_input("#"));
}

TEST_CASE("A prompt asks for a login by its words, and a command line tells only who is there") {
  for (const char* prompt : {"User?", "hub login>", "login", "[Username]", "Benutzer:", "account ="}) {
    CAPTURE(prompt);
    CHECK(asks_for_login(prompt));
    CHECK_FALSE(asks_for_password(prompt));
  }
  for (const char* prompt : {"Password?", "password>", "PIN =", "Enter passcode", "Kennwort:", "root's password:"}) {
    CAPTURE(prompt);
    CHECK(asks_for_login(prompt));
    CHECK(asks_for_password(prompt));
  }
  for (const char* text : {"New password:", "Enter new UNIX password: ", "Neues Kennwort:", "Nouveau mot de passe :",
                           "Nueva contrase\xc3\xb1"
                           "a:",
                           "Nova senha:", "New PIN #", "新密码：", "WARNING: Your password has expired.\r\n",
                           "Hello\r\nYou must change your password now\r\n> "}) {
    CAPTURE(text);
    CHECK(demands_new_password(text));
  }
  for (const char* text : {"", "Password:", "Password for new-hub:", "New firmware is available.\r\nPassword:",
                           "renewed secret:", "newpassword"}) {
    CAPTURE(text);
    CHECK_FALSE(demands_new_password(text));
  }
  for (const char* prompt :
       {"", "#", "user@hub:~$", "account#", "admin@user>", "hub>", "Opinion?", "Enter selection:"}) {
    CAPTURE(prompt);
    CHECK_FALSE(asks_for_login(prompt));
  }
}

TEST_CASE("A subscription's answer is told from other packets") {
  CHECK(mqtt_subscribe(4, "a/b") == "\x82\x08\x00\x01\x00\x03\x61/b\x00"s);
  CHECK(mqtt_subscribe(5, "a/b") == "\x82\x09\x00\x01\x00\x00\x03\x61/b\x00"s);
  CHECK(parse_suback("\x90\x03\x00\x01\x00"s).state == Parse::complete);
  CHECK(parse_suback("\x90\x03\x00\x01\x80"s).code == 0x80);
  CHECK(parse_suback("\x90\x04\x00\x01\x00\x87"s).code == 0x87);
  CHECK(parse_suback("\x90\x03\x00"s).state == Parse::need_more);
  CHECK(parse_suback("\x90\x03\x00\x02\x00"s).state == Parse::malformed);
  CHECK(parse_suback("\x20\x03\x00\x01\x00"s).state == Parse::malformed);
}

TEST_CASE("An engine of SNMP v3 reports its name to whoever asks") {
  const auto question = snmp_v3_discovery(0x4153);
  CHECK(question.size() == 60);
  CHECK(parse_snmp_report(question).state == Parse::malformed);
  auto report = question;
  report[report.rfind(static_cast<char>(0xa0))] = static_cast<char>(0xa8);
  CHECK(parse_snmp_report(report).state == Parse::complete);
  CHECK(parse_snmp_report(report).message_id == 0x4153);
  CHECK(parse_snmp_report(report.substr(0, 59)).state == Parse::malformed);
}

TEST_CASE("The result of a command of IMAP is found behind untagged lines") {
  CHECK(imap_result("* LIST () \"/\" \"\"\r\na3 OK done\r\n") == Parse::complete);
  CHECK(imap_result_word("* x\r\na2 NO [AUTHENTICATIONFAILED] no\r\n") == "NO");
  CHECK(imap_result("* LIST\r\n") == Parse::need_more);
  CHECK(imap_result("220 FTP\r\n") == Parse::malformed);
}

TEST_CASE("A login form is what a browser would send") {
  const auto form = find_login_form(
      "<!-- <form> --><form id=f METHOD='Post' action='/l?a=1&amp;b=2'><input type=hidden name=t value='x&quot;y'>"
      "<select name=user><option>admin</select><input type=PASSWORD name=pw><input type=checkbox name=keep value=1 "
      "checked=1>"
      "<button name=go value=in>In</button><button name=other value=2></button></form>");
  REQUIRE(form);
  CHECK(form->action == "/l?a=1&b=2");
  CHECK(form->username_field == "user");
  CHECK(form->password_field == "pw");
  CHECK(form->fields == std::vector<std::pair<std::string, std::string>>{{"t", "x\"y"}, {"keep", "1"}, {"go", "in"}});
  CHECK_FALSE(form->scripted);
  CHECK_FALSE(find_login_form("<form method=post><input type=password name=a><input type=password name=b></form>"));
  CHECK(find_login_form("<script src=/js/md5.js></script><form method=post><input type=password name=a></form>")
            ->scripted);
  const auto other = find_login_form(
      "<form method=post action=/l><input type=tel name=nick><input name=domain value=local><input type=password "
      "name=p>"
      "<input name=after value=x></form>");
  REQUIRE(other);
  CHECK(other->username_field == "nick");
  CHECK(other->fields == std::vector<std::pair<std::string, std::string>>{{"domain", "local"}, {"after", "x"}});
  CHECK(shows_form("<form action='/l?token=7'><input name=nick><input type=password name=p></form>", *other));
  CHECK_FALSE(shows_form("<form action=/l><input type=password name=p></form>", *other));
  CHECK_FALSE(shows_form("<form action=/l><input name=nick><input type=password name=q></form>", *other));
  CHECK_FALSE(shows_form(
      "<form action=/l><input name=nick><input type=password name=p autocomplete=new-password></form>", *other));
  CHECK(goes_in_clear("http://192.0.2.1/l", true));
  CHECK_FALSE(goes_in_clear("/l", true));
  CHECK(goes_in_clear("https://192.0.2.1/l", false));
  CHECK(find_captcha("<p>captcha</p><img src=/Captcha.png>") == "img /Captcha.png");
  CHECK(find_captcha("<img src=/a.png><input type=hidden name=captcha_off>").empty());
  CHECK(html_pages("<frame src=a.htm><a href='b.html'>x</a><a href='c.cgi'>y</a><a href='d.html?x'>z</a>", 9) ==
        std::vector<std::string>{"a.htm", "b.html"});
}

TEST_CASE("A line that waits for a key is known by its words, and is no prompt of a login") {
  for (const auto* line :
       {"Press any key to continue", "Welcome\r\nPress any key to continue...\r\n", "[Press ENTER]", "Hit Return:",
        "Beliebige Taste dr\xc3\xbc"
        "cken",
        "Appuyez sur une touche", "Pulse una tecla para continuar", "Press any key to login"}) {
    INFO(line);
    CHECK(asks_for_key(line));
  }
  for (const auto* line : {"", "login: ", "Press ENTER after your user name:", "Enter selection:", "hub key> ",
                           "Press any key to continue\r\nlogin: ", "Welcome"}) {
    INFO(line);
    CHECK_FALSE(asks_for_key(line));
  }
}
