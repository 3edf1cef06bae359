#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

/// How a login is sent is told before a password goes out, and nothing is called a refusal that judged no password.

namespace {

fake::Run log_in(const std::string& greeting, std::function<std::string(const std::string& line)> answer,
                 fake::PeerMaker upgraded = {}) {
  FakeNetwork network;
  network.tcp[kPort] = lines({greeting, std::move(answer)});
  network.upgraded = std::move(upgraded);
  return attack(network, pairs({{"admin", "b22"}}), without_blanks());
}

/// An FTP server that refuses everybody, and answers the guest with `guest`.
fake::Run ftp_with_guest(const std::string& guest, const std::string& path = "550 No\r\n") {
  auto user = std::make_shared<std::string>();
  return log_in("220 FTP\r\n", [=](const std::string& line) -> std::string {
    if (line.starts_with("USER ")) {
      *user = line.substr(5);
      return "331 Password?\r\n";
    }
    if (line.starts_with("PASS ")) {
      return *user == "anonymous" ? guest : "530 No\r\n";
    }
    return line == "PWD" ? path : "221 Bye\r\n";
  });
}

Dut declared_api() {
  LoginRecipe recipe;
  recipe.port = Endpoint{Transport::tcp, kPort};
  recipe.path = "/login";
  recipe.body = R"({"user": "{username}", "word": "{password}"})";
  recipe.check = "/status";
  Dut dut;
  dut.logins.push_back(recipe);
  return dut;
}

}  // namespace

TEST_CASE("IMAP whose capabilities did not come shows its way by a login that it refuses, and by nothing else") {
  const auto cut = log_in("* OK IMAP\r\n", [](const std::string& line) -> std::string {
    return line.starts_with("a1") ? "" : "a2 NO wrong\r\n";
  });
  CHECK(cut.record.is_unobserved("credentials.clear"));
  const auto private_only = log_in("* OK IMAP\r\n", [](const std::string& line) -> std::string {
    return line.starts_with("a1") ? "a1 BAD what\r\n" : "a2 NO [PRIVACYREQUIRED] not in clear\r\n";
  });
  CHECK(private_only.record.is_unobserved("credentials.clear"));
  CHECK(private_only.record.is_unobserved("credentials.accepted"));
  const auto refused = log_in("* OK IMAP\r\n", [](const std::string& line) -> std::string {
    return line.starts_with("a1") ? "a1 BAD what\r\n" : "a2 NO wrong\r\n";
  });
  CHECK(refused.record.value("credentials.clear") == json::value(true));
  CHECK(refused.record.value("credentials.accepted") == json::value(json::array{}));
}

TEST_CASE("POP3 that takes no USER in clear has no login in clear") {
  const auto silent =
      log_in("+OK POP3\r\n", [](const std::string& line) -> std::string { return line == "CAPA" ? "" : "+OK\r\n"; });
  CHECK(silent.record.is_unobserved("credentials.clear"));
  const auto old = log_in("+OK POP3 <1.2@hub>\r\n", [](const std::string&) -> std::string { return "-ERR no\r\n"; });
  CHECK(old.record.is_unobserved("credentials.clear"));
  CHECK(old.record.is_unobserved("credentials.accepted"));
  const auto apop = log_in("+OK POP3 <1.2@hub>\r\n", [](const std::string& line) -> std::string {
    return line == "CAPA" ? "+OK\r\nAPOP\r\n.\r\n" : "-ERR no\r\n";
  });
  CHECK(apop.record.value("credentials.clear") != json::value(true));
  CHECK(apop.record.is_unobserved("credentials.accepted"));
  const auto plain = log_in("+OK POP3\r\n", [](const std::string& line) -> std::string {
    return line == "CAPA" || line.starts_with("PASS") ? "-ERR no\r\n" : "+OK\r\n";
  });
  CHECK(plain.record.value("credentials.clear") == json::value(true));
}

TEST_CASE("A server with much to do, which greets after the questions for those that wait, is known by its greeting") {
  const auto greeter = lines({"+OK POP3\r\n", [](const std::string& line) -> std::string {
                                return line == "CAPA" || line.starts_with("PASS") ? "-ERR no\r\n" : "+OK\r\n";
                              }});
  FakeNetwork network;
  network.tcp[kPort] = [greeter](int number) -> Peer {
    return [peer = greeter(number)](std::string_view written, Line& line) {
      if (written.empty()) {
        line.pause(milliseconds{900});
      }
      peer(written, line);
    };
  };
  const auto run = attack(network, pairs({{"admin", "b22"}}), without_blanks());
  CHECK(run.record.value("credentials.dialect") == json::value("pop3"));
  CHECK(run.record.value("credentials.accepted") == json::value(json::array{}));
}

TEST_CASE("A port that is asked in the protocol that it is known for shows who greets there instead") {
  fake::FakeLibrary library;
  library.dictionaries["iot-common"] = pairs({{"admin", "b22"}});
  const auto dialect_on = [&library](std::uint16_t port, const std::string& greeting, const std::string& says) {
    FakeNetwork network;
    network.tcp[port] = lines({greeting, [says](const std::string&) { return says; }});
    const auto run = fake::observe(probes::credentials::kDescriptor, network, "tcp/" + std::to_string(port),
                                   without_blanks(), {}, library);
    return run.record.text("credentials.dialect");
  };
  for (const auto port : std::initializer_list<std::uint16_t>{80, 554, 1883, 5432, 6379}) {
    CHECK(dialect_on(port, "220 FTP\r\n", "530 No\r\n") == "ftp");
    CHECK(dialect_on(port, "+OK POP3\r\n", "-ERR no\r\n") == "pop3");
  }
}

TEST_CASE("An FTP server that hangs up on every question shows no way") {
  const auto cut = log_in("220 FTP\r\n", [](const std::string& line) -> std::string {
    return line == "USER anonymous" ? "530 No\r\n" : "";
  });
  CHECK(cut.record.is_unobserved("credentials.clear"));
  const auto names = log_in("220 FTP\r\n", [](const std::string& line) -> std::string {
    return line.starts_with("USER") ? "530 No\r\n" : "500 What\r\n";
  });
  CHECK(names.record.is_unobserved("credentials.clear"));
  CHECK(names.record.is_unobserved("credentials.accepted"));
}

TEST_CASE("A guest that was not clearly refused is not known to be shut out") {
  CHECK(ftp_with_guest("530 No\r\n").record.value("credentials.open") == json::value(false));
  CHECK(ftp_with_guest("530 No\r\n").record.value("credentials.accepted") == json::value(json::array{}));
  for (const auto& answer : {"230 In\r\n", "421 Later\r\n", "450 Busy\r\n", ""}) {
    CAPTURE(answer);
    const auto run = ftp_with_guest(answer);
    CHECK(run.record.is_unobserved("credentials.open"));
    CHECK(run.record.is_unobserved("credentials.accepted"));
  }
  CHECK(ftp_with_guest("230 In\r\n", "257 \"/\"\r\n").record.value("credentials.open") == json::value(true));
}

TEST_CASE("A guest without a permit is not known to be shut out, and a pair that works is still named") {
  FakeNetwork network;
  network.login_budget["anonymous"] = 0;
  network.tcp[kPort] = lines({"220 FTP\r\n", [user = std::make_shared<std::string>()](const std::string& line) {
                                if (line.starts_with("USER ")) {
                                  *user = line.substr(5);
                                  return "331 Password?\r\n"s;
                                }
                                if (line.starts_with("PASS ")) {
                                  const bool right = *user == "admin" && line == "PASS b22";
                                  return right ? "230 In\r\n"s : "530 No\r\n"s;
                                }
                                return "257 \"/\"\r\n"s;
                              }});
  const auto run = attack(network, pairs({{"admin", "b22"}}), without_blanks());
  CHECK(run.record.is_unobserved("credentials.open"));
  CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
}

TEST_CASE("A guest that only TLS lets in is let in") {
  const auto clear = [](const std::string& line) -> std::string {
    return line == "AUTH TLS" ? "234 Go on\r\n" : "530 Use encryption\r\n";
  };
  const auto inside = [user = std::make_shared<std::string>()](const std::string& line) -> std::string {
    if (line.starts_with("USER ")) {
      *user = line.substr(5);
      return "331 Password?\r\n";
    }
    if (line.starts_with("PASS ")) {
      return *user == "anonymous" ? "230 In\r\n" : "530 No\r\n";
    }
    return "257 \"/\"\r\n";
  };
  const auto run = log_in("220 FTP\r\n", clear, lines({"", inside}));
  CHECK(run.record.value("credentials.open") == json::value(true));
  CHECK(run.record.value("credentials.clear") == json::value(false));
}

TEST_CASE("A declared login is sent in clear only where HTTP in clear was heard") {
  FakeNetwork network;
  std::string written;
  network.tcp[kPort] = [&written](int) -> Peer {
    return [&written](std::string_view bytes, Line&) { written += bytes; };  // as HTTPS that is slow
  };
  const auto run = attack(network, pairs({{"admin", "b22"}}), without_blanks(), declared_api());
  CHECK(written.find("POST") == std::string::npos);
  CHECK(run.record.is_unobserved("credentials.clear"));
  CHECK(run.record.is_unobserved("credentials.accepted"));

  FakeNetwork plain;
  plain.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view bytes, Line& line) {
      if (bytes.starts_with("POST ")) {
        const bool right = bytes.find("b22") != std::string_view::npos;
        line.say(right ? "HTTP/1.1 200 OK\r\nSet-Cookie: s=opened99\r\nContent-Length: 2\r\n\r\n{}" : k401 + "\r\n");
      } else if (bytes.starts_with("GET ")) {
        line.say(bytes.find("opened99") != std::string_view::npos ? ok("{\"up\": 1}") : k401 + "\r\n");
      }
    };
  };
  const auto found = attack(plain, pairs({{"admin", "b22"}}), without_blanks(), declared_api());
  CHECK(found.record.value("credentials.clear") == json::value(true));
  CHECK(found.record.value("credentials.accepted").as_array().size() == 1);
}

TEST_CASE("SMTP that breaks off after STARTTLS is not without a login") {
  const auto ehlo = [](const std::string& tls) {
    return [tls](const std::string& line) -> std::string {
      return line.starts_with("EHLO") ? "250-hub\r\n250 STARTTLS\r\n" : tls;
    };
  };
  const auto failed = log_in("220 hub ESMTP\r\n", ehlo("220 go on\r\n"));
  CHECK(failed.record.is_unobserved("credentials.accepted"));
  const auto refused = log_in("220 hub ESMTP\r\n", ehlo("454 not now\r\n"));
  CHECK(refused.record.is_unobserved("credentials.accepted"));
  const auto cut = log_in("220 hub ESMTP\r\n", ehlo("220 go on\r\n"),
                          lines({"", [](const std::string&) -> std::string { return ""; }}));
  CHECK(cut.record.is_unobserved("credentials.accepted"));
}

TEST_CASE("SMTP that wants TLS or a stronger mechanism has judged no password") {
  const auto answering = [](std::string reply) {
    return log_in("220 hub ESMTP\r\n", [reply](const std::string& line) -> std::string {
      return line.starts_with("EHLO") ? "250-hub\r\n250 AUTH PLAIN\r\n" : reply;
    });
  };
  CHECK(answering("535 no\r\n").record.value("credentials.accepted") == json::value(json::array{}));
  CHECK(answering("538 encrypt first\r\n").record.is_unobserved("credentials.accepted"));
  CHECK(answering("534 too weak\r\n").record.is_unobserved("credentials.accepted"));
}

TEST_CASE("A TLS endpoint that ends every session at once has a login that is not known") {
  FakeNetwork network;
  const auto alert = [](int) -> Peer {
    return [](std::string_view, Line& line) { line.say("\x15\x03\x01\0\x02\x02\x28"s); };
  };
  network.tcp[kPort] = [alert](int connection) -> Peer {
    return [=](std::string_view bytes, Line& line) {
      if (bytes.starts_with("\x16\x03")) {
        alert(connection)(bytes, line);
      } else if (!bytes.empty()) {
        line.close();
      }
    };
  };
  network.tls[kPort] = [](int) -> Peer { return [](std::string_view, Line& line) { line.close(); }; };
  const auto ended = attack(network, pairs({{"admin", "b22"}}), without_blanks());
  CHECK(ended.record.is_unobserved("credentials.accepted"));
  network.tls[kPort] = [](int) -> Peer { return [](std::string_view, Line&) {}; };
  const auto silent = attack(network, pairs({{"admin", "b22"}}), without_blanks());
  CHECK_FALSE(silent.record.is_unobserved("credentials.accepted"));
}
