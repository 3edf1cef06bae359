#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

namespace {

/// A telnet login program and shell, with the habits a test asks for.
struct TelnetHabits {
  std::string username = "root";
  std::string password = "secret99";
  std::string wrong = "\r\nLogin incorrect\r\n";
  milliseconds wrong_after{3000};
  int tries_per_connection = 3;
  bool evaluates = true;      // the shell runs echo; else it answers as a simple command line
  bool silent_wrong = false;  // a wrong login is answered by nothing
  bool takes_all = false;
  std::string prompt = "hub login: ";
  std::string shell = "# ";
  std::string key{};         // waits for a key before it asks for a name, with these words
  bool key_of_line = false;  // up to LF; else any byte is one
  bool key_inside = false;   // before the shell, too
};

class TelnetServer {
 public:
  explicit TelnetServer(TelnetHabits habits) : habits_(std::move(habits)) {}

  void operator()(std::string_view written, Line& line) {
    if (written.empty()) {
      line.say("\xff\xfd\x01\xff\xfb\x01\xff\xfb\x03\r\n"s);
      ask(habits_.prompt, line);
      return;
    }
    for (const char c : written) {
      if (static_cast<unsigned char>(c) == 0xff) {
        skip_ = 3;
      }
      if (skip_ > 0) {
        --skip_;
      } else if (!behind_key_.empty()) {
        press(c, line);
      } else if (c == '\n') {
        entered(std::exchange(line_, {}), line);
      } else if (c != '\r') {
        line_ += c;
      }
    }
  }

 private:
  void ask(const std::string& prompt, Line& line) {
    behind_key_ = habits_.key.empty() ? "" : prompt;
    line.say(habits_.key.empty() ? prompt : habits_.key);
  }

  void press(char key, Line& line) {
    if (!habits_.key_of_line || key == '\n') {
      line.say("\r\n" + std::exchange(behind_key_, {}));
    }
  }

  void entered(const std::string& text, Line& line) {
    if (stage_ == 0) {
      username_ = text;
      stage_ = 1;
      line.say(text + "\r\nPassword: ");
    } else if (stage_ == 1) {
      answer_login(text, line);
    } else {
      run(text, line);
    }
  }

  void answer_login(const std::string& password, Line& line) {
    if (habits_.takes_all || (username_ == habits_.username && password == habits_.password)) {
      stage_ = 2;
      line.say("\r\n\r\nBusyBox\r\n");
      habits_.key_inside ? ask(habits_.shell, line) : line.say(habits_.shell);
      return;
    }
    stage_ = 0;
    if (habits_.silent_wrong) {
      return;
    }
    line.pause(habits_.wrong_after);
    line.say(habits_.wrong);
    if (++tries_ == habits_.tries_per_connection) {
      line.close();
    } else {
      ask(habits_.prompt, line);
    }
  }

  void run(const std::string& text, Line& line) {
    line.say(text + "\r\n");
    if (habits_.evaluates && text.starts_with("echo ")) {
      std::string out = text.substr(5);
      for (auto at = out.find("''"); at != std::string::npos; at = out.find("''")) {
        out.erase(at, 2);
      }
      line.say(out + "\r\n");
    } else if (!text.empty()) {
      line.say("unknown command\r\n");
    }
    line.say(habits_.shell);
  }

  TelnetHabits habits_;
  std::string line_;
  std::string username_;
  std::string behind_key_;  // what is asked behind a key that is waited for
  int stage_ = 0;
  int tries_ = 0;
  int skip_ = 0;
};

fake::PeerMaker telnet(TelnetHabits habits) {
  return [habits](int) -> Peer { return TelnetServer{habits}; };
}

}  // namespace

TEST_CASE("A server that hangs up between two logins costs no account another attempt") {
  FakeNetwork network;
  TelnetHabits habits;
  habits.tries_per_connection = 1;
  habits.wrong = "\r\nLogin incorrect\r\nhub login: ";
  network.tcp[kPort] = telnet(habits);
  const auto run = attack(network, pairs({{"root", "secret99"}, {"admin", "x11"}}), without_blanks());
  CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(network.permits["root"] == 2);  // the hit, and a wrong password of the same name
  CHECK(coverage(run, "unclear") == 0);
}

TEST_CASE("A device that takes no more connections after wrong logins shows a lockout") {
  FakeNetwork network;
  auto habits = TelnetHabits{};
  habits.tries_per_connection = 1;
  network.tcp[kPort] = telnet(habits);
  network.refuse_after[kPort] = 6;  // two to look, two controls, two candidates
  const auto run =
      attack(network, pairs({{"root", "a11"}, {"root", "a22"}, {"root", "a33"}, {"root", "a44"}}), without_blanks());
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(true));
  CHECK(network.connections[kPort] <= 9);
}

TEST_CASE("A BusyBox login is found although each wrong one takes three seconds") {
  FakeNetwork network;
  network.tcp[kPort] = telnet({});
  const auto run =
      attack(network, pairs({{"admin", "admin"}, {"root", "root"}, {"user", "user"}, {"root", "secret99"}}));
  REQUIRE(run.ended);
  CHECK(run.record.text("credentials.dialect") == "telnet");
  CHECK(run.record.value("credentials.open") == json::value(false));
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.accepted").at(0).at("username") == json::value("root"));
  CHECK(run.record.value("credentials.accepted").at(0).at("proof") == json::value("a shell evaluated a random echo"));
  CHECK(coverage(run, "unclear") == 0);
  CHECK(transcript(run).find("secret99") == std::string::npos);
}

TEST_CASE("Slow refusals are no success") {
  FakeNetwork network;
  network.tcp[kPort] = telnet({});
  const auto run = attack(network, pairs({{"admin", "admin"}, {"root", "root"}, {"user", "user"}}));
  CHECK(run.record.value("credentials.accepted").as_array().empty());
  CHECK(run.record.value("credentials.tried") == json::value(6));
  CHECK(coverage(run, "unclear") == 0);
}

TEST_CASE("Prompt characters in a refusal are no success") {
  for (const char* wrong : {"\r\nError #5 > $\r\n", "\r\n### Login incorrect ###\r\n> \r\n", "\r\nBad login $ "}) {
    CAPTURE(wrong);
    FakeNetwork network;
    TelnetHabits habits;
    habits.wrong = wrong;
    network.tcp[kPort] = telnet(habits);
    const auto run = attack(network, pairs({{"admin", "admin"}, {"user", "user"}}));
    CHECK(run.record.value("credentials.open") != json::value(true));
    const auto accepted = run.record.value("credentials.accepted");
    CHECK((accepted.is_null() || accepted.as_array().empty()));
  }
}

TEST_CASE("A command line without a shell proves itself by its prompt") {
  FakeNetwork network;
  TelnetHabits habits;
  habits.evaluates = false;
  habits.shell = "hub> ";
  habits.prompt = "Benutzer: ";
  network.tcp[kPort] = telnet(habits);
  const auto run = attack(network, pairs({{"root", "secret99"}}));
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
}

TEST_CASE("Silence after a wrong login is no verdict") {
  FakeNetwork network;
  TelnetHabits habits;
  habits.silent_wrong = true;
  network.tcp[kPort] = telnet(habits);
  const auto run = attack(network, pairs({{"root", "a11"}}));
  REQUIRE(run.ended);
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK(run.record.is_unobserved("credentials.open"));
}

TEST_CASE("A telnet login that takes every password is open") {
  FakeNetwork network;
  TelnetHabits habits;
  habits.takes_all = true;
  network.tcp[kPort] = telnet(habits);
  const auto run = attack(network, pairs({{"root", "a11"}}));
  CHECK(run.record.value("credentials.open") == json::value(true));
  CHECK(run.record.value("credentials.accepted").as_array().empty());
}

TEST_CASE("A shell that asks for no login at all is open") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.empty()) {
        line.say("\xff\xfb\x01# "s);
      } else if (const auto at = written.find("echo ass''ay-"); at != std::string_view::npos) {
        const auto nonce = written.substr(at + 13, 12);
        line.say("echo ass''ay-" + std::string{nonce} + "\r\nassay-" + std::string{nonce} + "\r\n# ");
      }
    };
  };
  const auto run = attack(network, pairs({{"root", "a11"}}));
  CHECK(run.record.text("credentials.dialect") == "telnet");
  CHECK(run.record.value("credentials.open") == json::value(true));
  CHECK(run.record.value("credentials.accepted").as_array().empty());
}

TEST_CASE("A server that echoes what is typed is no open shell") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      line.say(written.empty() ? "\xff\xfb\x01$ "s : std::string{written} + "\r\n");
    };
  };
  const auto run = attack(network, pairs({{"root", "a11"}}));
  CHECK(run.record.value("credentials.open") != json::value(true));
}

TEST_CASE("A device that waits for a key before it asks for a name is given one, and no more") {
  // The last two say it in words that are not known, or not at all.
  for (const std::string key :
       {"Press any key to continue", "Beliebige Taste...\r\n", "[Press ENTER] ", "Op!", "Hub\r\n"}) {
    for (const bool of_line : {false, true}) {
      for (const bool inside : {false, key.find("Hub") == std::string::npos}) {
        CAPTURE(key, of_line, inside);
        TelnetHabits habits;
        habits.key = key;
        habits.key_of_line = of_line;
        habits.key_inside = inside;
        FakeNetwork network;
        network.tcp[kPort] = telnet(habits);
        const auto weak = attack(network, pairs({{"admin", "x11"}, {"root", "secret99"}}), without_blanks());
        REQUIRE(weak.record.facts.contains("credentials.accepted"));
        REQUIRE(weak.record.value("credentials.accepted").as_array().size() == 1);
        CHECK(weak.record.value("credentials.accepted").at(0).at("username") == json::value("root"));
        CHECK(network.permits["root"] == 2);
        CHECK(network.permits["admin"] == 1);
        const auto sound = attack(network, pairs({{"admin", "x11"}, {"root", "x22"}}), without_blanks());
        CHECK(sound.record.value("credentials.accepted") == json::value(json::array{}));
        CHECK(sound.record.value("credentials.open") == json::value(false));
      }
    }
  }
}

TEST_CASE("A password that is asked for behind a key which nobody asked for leaves the login open") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.empty()) {
        line.say("\xff\xfb\x01Hub\r\n"s);  // and a name, in silence
      } else if (written.front() != '\xff') {
        line.say("\r\nPassword: ");
      }
    };
  };
  const auto run = attack(network, pairs({{"root", "secret99"}}), without_blanks());
  CHECK(run.record.is_unobserved("credentials.accepted"));
}
