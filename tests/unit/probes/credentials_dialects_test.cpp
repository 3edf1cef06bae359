#include "probes/wire/mqtt.hpp"
#include "probes/wire/snmp.hpp"
#include "probes/wire/tftp.hpp"
#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

namespace {

/// An FTP server that gives no account of its own.
fake::PeerMaker ftp(
    std::string username, std::string password, std::function<void()> count = [] {}) {
  return [=](int) -> Peer {
    auto user = std::make_shared<std::string>();
    return [=](std::string_view written, Line& line) {
      if (written.empty()) {
        line.say("220 FTP of a hub\r\n");
      } else if (written.starts_with("USER ")) {
        *user = written.substr(5, written.find('\r') - 5);
        line.say("331 Password?\r\n");
      } else if (written.starts_with("PASS ")) {
        count();
        const bool right = *user == username && written == "PASS " + password + "\r\n";
        line.say(right ? "230 In\r\n" : "530 No\r\n");
      } else {
        line.say(written.starts_with("PWD") ? "257 \"/\"\r\n" : "500 What\r\n");
      }
    };
  };
}

fake::Run ask_udp(FakeNetwork& network, std::string_view endpoint, std::vector<std::string> communities) {
  fake::FakeLibrary library;
  library.dictionaries["iot-common"] = pairs({});
  Dictionary list;
  list.id = "snmp-communities";
  for (const auto& word : communities) {
    list.credentials.push_back({"", Secret{word, "community"}});
  }
  library.dictionaries["snmp-communities"] = list;
  auto run = fake::observe(probes::credentials::kDescriptor, network, endpoint, {}, {}, library);
  CHECK(run.record.fault.empty());
  return run;
}

/// The agent's answer to a question with that community; it reports to SNMP v3 if it speaks it.
fake::UdpPeer agent(std::string community, bool speaks_v3) {
  return [=](std::string_view datagram) -> std::vector<std::string> {
    if (datagram.find(community) != std::string_view::npos) {
      return {as_pdu(std::string{datagram}, 0xa2)};
    }
    const bool v3 = datagram.size() > 4 && datagram[4] == 3;
    if (v3 && speaks_v3) {
      return {as_pdu(std::string{datagram}, 0xa8)};
    }
    return {};
  };
}

}  // namespace

TEST_CASE("An FTP login is found, proved by what only a guest of the house may ask, and controlled") {
  FakeNetwork network;
  network.tcp[kPort] = ftp("admin", "letmein1");
  const auto run = attack(network, pairs({{"root", "toor42"}, {"admin", "letmein1"}}), without_blanks());
  CHECK(run.record.text("credentials.dialect") == "ftp");
  CHECK(run.record.value("credentials.clear") == json::value(true));
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  const auto entry = run.record.value("credentials.accepted").at(0);
  CHECK(entry.at("username") == json::value("admin"));
  CHECK(std::string_view{entry.at("proof").as_string()}.find("257") != std::string_view::npos);
  CHECK(transcript(run).find("letmein1") == std::string::npos);
}

TEST_CASE("A name that any password opens is told so, and has no secret") {
  FakeNetwork network;
  network.tcp[kPort] = lines({"220 FTP of a hub\r\n", [name = std::string{}](const std::string& line) mutable {
                                if (line.starts_with("USER ")) {
                                  name = line.substr(5, line.find('\r') - 5);
                                  return std::string{"331 Password?\r\n"};
                                }
                                if (line.starts_with("PASS ")) {
                                  return std::string{name == "guest1" ? "230 In\r\n" : "530 No\r\n"};
                                }
                                return std::string{line.starts_with("PWD") ? "257 \"/\"\r\n" : "500 What\r\n"};
                              }});
  const auto run = attack(network, pairs({{"guest1", "letmein1"}}), without_blanks());
  const auto accepted = run.record.value("credentials.accepted");
  REQUIRE(accepted.as_array().size() == 1);
  CHECK(std::string_view{accepted.at(0).at("source").as_string()}.starts_with("any password"));
  CHECK_FALSE(accepted.at(0).as_object().contains("secret"));
  CHECK(run.record.value("credentials.open") == json::value(false));
}

TEST_CASE("A name that FTP refuses in clear is no refused password") {
  // As vsftpd with forced encryption: it hangs up on a name, and takes TLS on another connection.
  FakeNetwork network;
  network.tcp[kPort] = lines({"220 FTP of a hub\r\n", [](const std::string& line) -> std::string {
                                if (line == "USER anonymous") {
                                  return "331 Password?\r\n";
                                }
                                return line == "AUTH TLS" ? "234 Go on\r\n" : "530 Use encryption\r\n";
                              }});
  network.upgraded = lines({"", [user = std::make_shared<std::string>()](const std::string& line) -> std::string {
                              if (line.starts_with("USER ")) {
                                *user = line.substr(5);
                                return "331 Password?\r\n";
                              }
                              if (line.starts_with("PASS ")) {
                                return *user == "admin" && line == "PASS letmein1" ? "230 In\r\n" : "530 No\r\n";
                              }
                              return "257 \"/\"\r\n";
                            }});
  const auto run = attack(network, pairs({{"admin", "letmein1"}}), without_blanks());
  CHECK(run.record.value("credentials.clear") == json::value(false));
  CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
}

TEST_CASE("A connection that drops on every third wrong login loses no password and is no lockout") {
  FakeNetwork network;
  auto count = std::make_shared<int>(0);
  network.tcp[kPort] = [count](int) -> Peer {
    return [count, user = std::make_shared<std::string>()](std::string_view written, Line& line) {
      if (written.empty()) {
        line.say("220 FTP\r\n");
      } else if (written.starts_with("USER ")) {
        *user = written;
        line.say("331 Password?\r\n");
      } else if (written.starts_with("PASS ")) {
        const bool right = *user == "USER admin\r\n" && written == "PASS letmein1\r\n";
        if (++*count % 3 == 0 && !right) {
          line.reset();
        } else {
          line.say(right ? "230 In\r\n" : "530 No\r\n");
        }
      } else {
        line.say("257 \"/\"\r\n");
      }
    };
  };
  const auto run =
      attack(network, pairs({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"admin", "letmein1"}}), without_blanks());
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(false));
}

TEST_CASE("A guest of FTP is let in by everybody's name: open, and nothing is tried") {
  FakeNetwork network;
  network.tcp[kPort] = ftp("anonymous", "guest@assay.invalid");
  const auto run = attack(network, pairs({{"admin", "admin"}}));
  CHECK(run.record.value("credentials.open") == json::value(true));
  CHECK(run.record.value("credentials.tried") == json::value(0));
}

TEST_CASE("A broker that cuts wrong clients without a word is learnt from clients that cannot exist") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.starts_with("\x10")) {
        const bool named = written.find("letmein1") != std::string_view::npos;
        const bool nobody = written.size() < 40 && written.find("assay") != std::string_view::npos;
        if (named) {
          line.say("\x20\x02\x00\x00"s);
        } else if (nobody) {
          line.say("\x20\x02\x00\x05"s);
        } else {
          line.close();
        }
      } else if (written.starts_with("\x82")) {
        line.say("\x90\x03\x00\x01\x00"s);
      } else if (!written.empty()) {
        line.close();
      }
    };
  };
  const auto run = attack(network, pairs({{"mqtt", "letmein0"}, {"mqtt", "letmein1"}}), without_blanks());
  CHECK(run.record.text("credentials.dialect") == "mqtt");
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(std::string_view{run.record.value("credentials.accepted").at(0).at("proof").as_string()}.find("granted") !=
        std::string_view::npos);
}

TEST_CASE("A community is found where the agent answers it") {
  FakeNetwork network;
  network.udp[161] = agent("private", true);
  const auto run = ask_udp(network, "udp/161", {"public", "private"});
  CHECK(run.record.text("credentials.dialect") == "snmp-community");
  CHECK(run.record.value("credentials.open") == json::value(false));
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.accepted").at(0).at("username") == json::value(""));
}

TEST_CASE("Silence of an agent that was heard is a refusal, of a port that was not it is nothing") {
  FakeNetwork network;
  network.udp[161] = agent("uncommon", true);
  const auto heard = ask_udp(network, "udp/161", {"public", "private"});
  CHECK(heard.record.value("credentials.accepted").as_array().empty());
  network.udp[161] = agent("uncommon", false);
  const auto silent = ask_udp(network, "udp/161", {"public", "private"});
  CHECK(silent.record.is_unobserved("credentials.accepted"));
  CHECK(silent.record.is_unobserved("credentials.open"));
  network.udp[161] = agent("private", false);
  const auto found = ask_udp(network, "udp/161", {"public", "private"});
  CHECK(found.record.value("credentials.accepted").as_array().size() == 1);
}

TEST_CASE("An agent that answers every community is open") {
  FakeNetwork network;
  network.udp[161] = [](std::string_view datagram) -> std::vector<std::string> {
    return {as_pdu(std::string{datagram}, datagram[4] == 3 ? 0xa8 : 0xa2)};
  };
  const auto run = ask_udp(network, "udp/161", {"public"});
  CHECK(run.record.value("credentials.open") == json::value(true));
  CHECK(run.record.value("credentials.accepted").as_array().empty());
}

TEST_CASE("Controls spend the budget of a secret that has no name, and the one after a hit is put aside") {
  FakeNetwork network;
  network.udp[161] = agent("third", true);
  network.login_budget[""] = 5;
  const auto spent = ask_udp(network, "udp/161", {"first", "second", "third"});
  CHECK(spent.record.value("credentials.accepted").as_array().empty());
  CHECK(coverage(spent, "tried") == 2);
  CHECK(coverage(spent, "skipped_budget") == 1);
  CHECK(network.permits[""] == 5);

  FakeNetwork richer;
  richer.udp[161] = agent("third", true);
  richer.login_budget[""] = 6;
  const auto found = ask_udp(richer, "udp/161", {"first", "second", "third"});
  CHECK(found.record.value("credentials.accepted").as_array().size() == 1);

  FakeNetwork poor;
  poor.udp[161] = agent("first", true);
  poor.login_budget[""] = 2;
  CHECK(ask_udp(poor, "udp/161", {"first"}).record.is_unobserved("credentials.accepted"));
}

TEST_CASE("Every message that an agent counts as a wrong community has a permit") {
  for (const bool reports : {true, false}) {
    CAPTURE(reports);
    for (const int budget : {3, 4, 5, 20}) {
      CAPTURE(budget);
      FakeNetwork network;
      auto counted = std::make_shared<int>(0);
      const auto usual = agent("uncommon", reports);
      network.udp[161] = [usual, counted](std::string_view datagram) {
        *counted += datagram.size() > 4 && datagram[4] == 3 ? 0 : 1;
        return usual(datagram);
      };
      network.login_budget[""] = budget;
      ask_udp(network, "udp/161", {"first", "second", "third"});
      CHECK(*counted > 0);
      CHECK(*counted <= budget);
      CHECK(*counted <= network.permits[""]);
    }
  }
}

TEST_CASE("A community of version 1 alone is found with what is left of the budget") {
  FakeNetwork network;
  const auto usual = agent("second", true);
  network.udp[161] = [usual](std::string_view datagram) {
    const bool version2 = datagram.size() > 4 && datagram[4] == 1;
    return version2 ? std::vector<std::string>{} : usual(datagram);
  };
  network.login_budget[""] = 20;
  const auto run = ask_udp(network, "udp/161", {"first", "second", "third"});
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(std::string_view{run.record.value("credentials.accepted").at(0).at("proof").as_string()}.find("SNMPv1") !=
        std::string_view::npos);
}

TEST_CASE("A hit by version 1 is confirmed by one message, so that a small budget does not hide it") {
  FakeNetwork network;
  const auto usual = agent("public", false);
  network.udp[161] = [usual](std::string_view datagram) {
    const bool version2 = datagram.size() > 4 && datagram[4] == 1;
    return version2 ? std::vector<std::string>{} : usual(datagram);
  };
  network.login_budget[""] = 5;
  const auto run = ask_udp(network, "udp/161", {"public"});
  CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
}

TEST_CASE("A community that an agent dropped along with its report is not taken for refused") {
  FakeNetwork network;
  auto asked = std::make_shared<int>(0);
  const auto usual = agent("uncommon", true);
  network.udp[161] = [usual, asked](std::string_view datagram) {
    *asked += datagram.find("second") != std::string_view::npos ? 1 : 0;
    const bool away = *asked > 0 && datagram.find("third") == std::string_view::npos;
    return away ? std::vector<std::string>{} : usual(datagram);
  };
  const auto run = ask_udp(network, "udp/161", {"first", "second"});
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK(coverage(run, "unclear") == 1);
}

TEST_CASE("A file that TFTP gives to anybody is open, unless a file of any name is given") {
  const auto server = [](bool all) -> fake::UdpPeer {
    return [all](std::string_view datagram) -> std::vector<std::string> {
      const auto name = std::string{datagram.substr(2, datagram.find('\0', 2) - 2)};
      const bool there = all || name == "config.bin";
      return {there ? "\x00\x03\x00\x01settings"s : "\x00\x05\x00\x01no such file\x00"s};
    };
  };
  FakeNetwork network;
  network.udp[69] = server(false);
  const auto run = ask_udp(network, "udp/69", {});
  CHECK(run.record.value("credentials.open") == json::value(true));
  CHECK(run.record.is_absent("credentials.clear"));
  CHECK(transcript(run).find("settings") == std::string::npos);
  network.udp[69] = server(true);
  CHECK(ask_udp(network, "udp/69", {}).record.is_unobserved("credentials.open"));
  network.udp[69] = [](std::string_view) -> std::vector<std::string> { return {"\x00\x05\x00\x02no\x00"s}; };
  CHECK(ask_udp(network, "udp/69", {}).record.value("credentials.open") == json::value(false));
}

TEST_CASE("A form that a script sends is named, and a form that sends itself is tried") {
  FakeNetwork network;
  const std::string fields = "<input name=u><input type=password name=p></form>";
  for (const auto& page : {"<form>" + fields, "<form method=post onsubmit='return hash()'>" + fields,
                           "<script>function go(){p.value=md5(p.value)}</script><form method=post>" + fields}) {
    CAPTURE(page);
    network.tcp[kPort] = web([page](const std::string&) { return ok(page); });
    const auto run = attack(network, pairs({{"admin", "admin"}}));
    CHECK(run.record.is_absent("credentials.dialect"));
    CHECK(run.record.is_unobserved("credentials.accepted"));
  }
}

TEST_CASE("Servers that stop in the middle of a login leave it open, whatever they speak") {
  const std::pair<const char*, std::string> greetings[] = {{"ftp", "220 FTP\r\n"},
                                                           {"imap", "* OK IMAP4rev1\r\n"},
                                                           {"pop3", "+OK POP3\r\n"},
                                                           {"vnc", "RFB 003.008\n"},
                                                           {"ssh", "SSH-2.0-x\r\n"},
                                                           {"vnc, then noise", "RFB 003.008\n\x01\x02xx"},
                                                           {"imap, then noise", "* OK\r\n\x00\xff\r\n"s}};
  for (const auto& [what, greeting] : greetings) {
    CAPTURE(what);
    FakeNetwork network;
    network.tcp[kPort] = fake::says(greeting);
    const auto run = attack(network, pairs({{"admin", "b22"}}));
    const auto accepted = run.record.value("credentials.accepted");
    CHECK((accepted.is_null() || accepted.as_array().empty()));
    CHECK(run.record.value("credentials.open") != json::value(true));
    CHECK((run.record.is_unobserved("credentials.accepted") || run.record.is_absent("credentials.accepted")));
  }
}

TEST_CASE("What a mailbox or a sick server says is nothing of the password") {
  const auto try_pop3 = [](std::string refusal) {
    FakeNetwork network;
    network.tcp[kPort] = lines({"+OK POP3\r\n", [refusal](const std::string& line) -> std::string {
                                  return line.starts_with("PASS") ? refusal : line == "CAPA" ? "-ERR\r\n" : "+OK\r\n";
                                }});
    return attack(network, pairs({{"admin", "b22"}}), without_blanks());
  };
  CHECK(try_pop3("-ERR No\r\n").record.value("credentials.accepted").as_array().empty());
  CHECK(try_pop3("-ERR [IN-USE] locked\r\n").record.is_unobserved("credentials.accepted"));
  CHECK(try_pop3("-ERR [SYS/TEMP] later\r\n").record.is_unobserved("credentials.accepted"));
  const auto locked = try_pop3("-ERR too many tries, locked\r\n");
  CHECK(locked.record.value("credentials.lockout").at("observed") == json::value(true));
}
