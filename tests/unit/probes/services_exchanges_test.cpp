#include "probes/wire/bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::services {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;
using namespace std::string_literals;
using fake::FakeNetwork;
using fake::kPort;
using fake::Line;
using fake::Peer;

namespace {

fake::Run ask_port(FakeNetwork& network, std::string_view endpoint = "tcp/4000") {
  auto run = fake::observe(probes::services::kDescriptor, network, endpoint);
  CHECK(run.record.fault.empty());
  return run;
}

/// Greets, then answers by how the words begin.
fake::PeerMaker dialogue(std::string greeting, std::map<std::string, std::string> answers) {
  return [=](int) -> Peer {
    return [=](std::string_view written, Line& line) {
      if (written.empty()) {
        return line.say(greeting);
      }
      for (const auto& [words, reply] : answers) {
        if (written.starts_with(words)) {
          return line.say(reply);
        }
      }
    };
  };
}

}  // namespace

TEST_CASE("STARTTLS is taken up where it is offered, and the plain port stays plain") {
  FakeNetwork network;
  network.tcp[kPort] =
      dialogue("220 hub ESMTP\r\n", {{"EHLO", "250-hub\r\n250 STARTTLS\r\n"}, {"STARTTLS", "220 go\r\n"}});
  network.upgraded = fake::says("");
  auto run = ask_port(network);
  CHECK(run.record.text("service.protocol") == "smtp");
  CHECK(run.record.value("service.tls") == json::value(false));
  CHECK(run.record.value("service.starttls") == json::value(true));
  CHECK(run.record.value("service.starttls_session").at("version") == json::value("TLSv1.3"));
  CHECK(run.record.text("service.confidence") == "exchange");

  network.upgraded = nullptr;
  run = ask_port(network);
  CHECK(run.record.text("service.protocol") == "smtp");
  CHECK(run.record.is_unobserved("service.starttls"));

  network.tcp[kPort] =
      dialogue("220 hub ESMTP\r\n", {{"EHLO", "250-hub\r\n250 STARTTLS\r\n"}, {"STARTTLS", "454 not now\r\n"}});
  CHECK(ask_port(network).record.is_unobserved("service.starttls"));
}

TEST_CASE("One byte of consent to TLS names no database; what is said inside does") {
  FakeNetwork network;
  network.tcp[5432] = dialogue("", {{"\x00\x00\x00\x08"s, "S"}});
  network.upgraded = dialogue("", {{""s, "R\x00\x00\x00\x0c\x00\x00\x00\x05salt"s}});
  auto run = ask_port(network, "tcp/5432");
  CHECK(run.record.text("service.protocol") == "postgresql");
  CHECK(run.record.value("service.starttls") == json::value(true));
  network.upgraded = fake::says("");
  run = ask_port(network, "tcp/5432");
  CHECK(run.record.is_absent("service.protocol"));
}

TEST_CASE("A shell without login is shown by what it does with an echo") {
  FakeNetwork network;
  const auto shell = [](bool joins) -> fake::PeerMaker {
    return [joins](int) -> Peer {
      return [joins](std::string_view written, Line& line) {
        if (written.empty()) {
          return line.say("BusyBox v1.35.0 built-in shell (ash)\r\n\r\n/ # ");
        }
        std::string words{written};
        if (const auto quotes = words.find("''"); joins && quotes != std::string::npos) {
          words.erase(quotes, 2);
          words.erase(0, 5);
        }
        line.say(words + "/ # ");
      };
    };
  };
  network.tcp[kPort] = shell(true);
  auto run = ask_port(network);
  CHECK(run.record.text("service.protocol") == "shell");
  CHECK(run.record.value("service.shell") == json::value(true));
  network.tcp[kPort] = shell(false);
  run = ask_port(network);
  CHECK(run.record.is_absent("service.protocol"));
  CHECK(run.record.is_unobserved("service.shell"));
}

TEST_CASE("An answer to the wrong question leads to the right one") {
  FakeNetwork network;
  network.tcp[kPort] = dialogue("", {{"GET ", "-ERR wrong number of arguments for 'get' command\r\n"},
                                     {"*1\r\n$4\r\nPING", "-NOAUTH Authentication required.\r\n"}});
  const auto run = ask_port(network);
  CHECK(run.record.text("service.protocol") == "redis");
  CHECK(run.record.value("service.logins").as_array().size() == 1);
  CHECK(network.connections[kPort] == 2);
  CHECK(run.record.text("service.evidence") == wire::hex("-NOAUTH Authentication required.\r\n"));
}

TEST_CASE("Bytes that nobody understands are kept and name nothing") {
  FakeNetwork network;
  network.tcp[kPort] = fake::says("\x07\x01\xc8"s);
  const auto run = ask_port(network);
  CHECK(run.record.is_absent("service.protocol"));
  CHECK(run.record.is_absent("service.confidence"));
  CHECK(run.record.text("service.evidence") == "0701c8");
}

TEST_CASE("An answer that comes while the next question waits is still heard") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.starts_with("GET / ")) {
        line.pause(milliseconds{700});
        line.say("HTTP/1.1 200 OK\r\nServer: slow/1\r\nContent-Length: 0\r\n\r\n");
      }
    };
  };
  const auto run = ask_port(network);
  CHECK(run.record.text("service.protocol") == "http");
  CHECK(run.record.text("service.product") == "slow");
}

TEST_CASE("A fingerprint adds product and CPE name, and never a protocol") {
  fake::FakeLibrary library;
  library.prints = {{"server", "nginx/{version}*", "nginx", "cpe:2.3:a:f5:nginx:{version}:*:*:*:*:*:*:*", ""},
                    {"banner", "*OpenWrt*", "OpenWrt", "", "OpenWrt"}};
  FakeNetwork network;
  network.tcp[kPort] = dialogue("", {{"GET ", "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\n\r\n"}});
  auto run = fake::observe(probes::services::kDescriptor, network, "tcp/4000", {}, {}, library);
  CHECK(run.record.text("service.cpe") == "cpe:2.3:a:f5:nginx:1.22.1:*:*:*:*:*:*:*");
  CHECK(run.record.is_absent("service.os_hint"));
  network.tcp[kPort] = fake::says("OpenWrt nginx/1.22.1\r\n");
  run = fake::observe(probes::services::kDescriptor, network, "tcp/4000", {}, {}, library);
  CHECK(run.record.is_absent("service.protocol"));
  CHECK(run.record.is_absent("service.os_hint"));
}

TEST_CASE("A greeting that comes after our question is heard again on a connection of its own") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    // As FTP servers do, every line is answered: the lines of a GET as well, before FEAT and USER.
    return [](std::string_view written, Line& line) {
      if (written.empty()) {
        line.pause(milliseconds{500});
        line.say("220 hub (thing 1.0)\r\n");
      } else if (written.starts_with("FEAT")) {
        line.say("211-Features\r\n UTF8\r\n211 End\r\n");
      } else if (written.starts_with("USER")) {
        line.say("331 password\r\n");
      } else {
        line.say("530 Please login\r\n");
      }
    };
  };
  auto run = ask_port(network);
  CHECK(run.record.text("service.protocol") == "ftp");
  CHECK(run.record.value("service.details").at("user_reply") == json::value(331));
  CHECK(network.connections[kPort] == 2);

  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      std::string words{written};
      const auto quotes = words.find("''");
      if (written.empty()) {
        line.pause(milliseconds{500});
      } else if (quotes != std::string::npos) {
        line.say(words.erase(quotes, 2).substr(5));
      }
      line.say("/ # ");
    };
  };
  run = ask_port(network);
  CHECK(run.record.text("service.protocol") == "shell");
}

TEST_CASE("A prompt that comes in pieces is no telnet without negotiation") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      std::string words{written};
      const auto quotes = words.find("''");
      if (quotes != std::string::npos) {
        line.say(words.erase(quotes, 2).substr(5));
      } else if (written.empty()) {
        line.say("sh:");
        line.say(" can't access tty\n/ # ");
      }
    };
  };
  CHECK(ask_port(network).record.text("service.protocol") == "shell");
}

TEST_CASE("A list of features that comes line by line is heard to its end") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.empty()) {
        line.say("220 (vsFTPd 3.0.3)\r\n");
      } else if (written.starts_with("FEAT")) {
        line.say("211-Features:\r\n");
        for (int i = 0; i < 20; ++i) {
          line.say(" MDTM\r\n");
        }
        line.say("211 End\r\n");
      } else if (written.starts_with("USER")) {
        line.say("331 Please specify the password.\r\n");
      }
    };
  };
  const auto run = ask_port(network);
  CHECK(run.record.text("service.protocol") == "ftp");
  CHECK(run.record.value("service.details").at("user_reply") == json::value(331));
}
