#include <algorithm>

#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

/// Telnet in any words: which prompt asks for what, which answer is a refusal, and what is behind a login.

namespace {

struct PromptWords {
  std::string banner;  // before each question for a name
  std::string name = "login: ";
  std::string secret = "Password: ";
  std::string wrong = "\r\nLogin incorrect\r\n";
  std::string inside = "\r\nACME# ";
  bool secret_alone = false;
  bool takes_all = false;     // every password leads to `inside`
  bool echoes = false;        // each byte of a password by itself
  bool echoes_names = true;   // as terminals do
  std::string free_name{};    // that is let in without a password
  std::string known_name{};   // of which a wrong password is answered by `known_wrong`
  std::string known_wrong{};  // and whatever is typed then as well
};

struct PromptSeen {
  std::map<std::string, int> wrong{};  // passwords by name
  std::vector<std::string> passwords{};
  std::vector<std::string> behind{};  // lines that were typed behind a login
};

/// On which admin has the password letmein1; one that asks for a password alone takes that.
class PromptDevice {
 public:
  PromptDevice(PromptWords words, PromptSeen& seen) : words_(std::move(words)), seen_(seen) {}

  void operator()(std::string_view written, Line& line) {
    if (written.empty()) {
      line.say("\xff\xfb\x01\xff\xfb\x03"s);
      begin(line);
      return;
    }
    for (const char c : written) {
      skip_ = static_cast<unsigned char>(c) == 0xff ? 3 : skip_;
      if (skip_ > 0) {
        --skip_;
      } else if (c == '\n') {
        entered(std::exchange(typed_, {}), line);
      } else if (c != '\r') {
        typed_ += c;
        if (words_.echoes && stage_ == Stage::secret) {
          line.drip(std::string(1, c));
        }
      }
    }
  }

 private:
  enum class Stage : std::uint8_t { name, secret, inside, refused };

  void begin(Line& line) {
    stage_ = words_.secret_alone ? Stage::secret : Stage::name;
    line.say(words_.banner + (words_.secret_alone ? words_.secret : words_.name));
  }

  void entered(const std::string& text, Line& line) {
    if (stage_ == Stage::name) {
      name_ = text;
      stage_ = text == words_.free_name ? Stage::inside : Stage::secret;
      line.say((words_.echoes_names ? text : "") + "\r\n" + (stage_ == Stage::inside ? words_.inside : words_.secret));
    } else if (stage_ == Stage::secret) {
      judge(text, line);
    } else if (stage_ == Stage::inside) {
      seen_.behind.push_back(text);
      line.say("\r\nUnknown command\r\n" + words_.inside);
    } else {
      seen_.behind.push_back(text);
      line.say(words_.known_wrong);
    }
  }

  void judge(const std::string& password, Line& line) {
    seen_.passwords.push_back(password);
    if (words_.takes_all || (password == "letmein1" && (words_.secret_alone || name_ == "admin"))) {
      stage_ = Stage::inside;
      line.say(words_.inside);
      return;
    }
    ++seen_.wrong[name_];
    if (!words_.known_name.empty() && name_ == words_.known_name) {
      stage_ = Stage::refused;
      line.say(words_.known_wrong);
      return;
    }
    line.say(words_.wrong);
    begin(line);
  }

  PromptWords words_;
  PromptSeen& seen_;
  std::string typed_;
  std::string name_;
  Stage stage_ = Stage::name;
  int skip_ = 0;
};

struct PromptAttack {
  fake::Run run;
  PromptSeen seen;
  std::map<std::string, int> permits;

  json::array accepted() const {
    const auto value = run.record.value("credentials.accepted");
    return value.is_array() ? value.get_array() : json::array{};
  }

  bool typed_commands_as_passwords() const {
    return std::any_of(seen.passwords.begin(), seen.passwords.end(),
                       [](const auto& word) { return word.starts_with("echo"); });
  }
};

PromptAttack attack_prompts(const PromptWords& words, std::vector<std::pair<std::string, std::string>> list,
                            int budget = 1000) {
  PromptAttack out;
  FakeNetwork network;
  network.budget = budget;
  network.tcp[kPort] = [&](int) -> Peer { return PromptDevice{words, out.seen}; };
  out.run = attack(network, pairs(std::move(list)), without_blanks());
  out.permits = network.permits;
  return out;
}

const std::vector<std::pair<std::string, std::string>> kOneRight{
    {"root", "root1"}, {"admin", "admin1"}, {"admin", "letmein1"}};
const std::vector<std::pair<std::string, std::string>> kNoneRight{
    {"root", "root1"}, {"admin", "admin1"}, {"admin", "admin2"}};

}  // namespace

TEST_CASE("A login is asked for in any words, and no command is typed as a password") {
  const std::pair<const char*, const char*> questions[] = {
      {"User? ", "Password? "},       {"login> ", "password> "}, {"Benutzer: ", "Kennwort: "}, {"account =", "PIN ="},
      {"[Username] ", "[Passcode] "}, {"Name", "Password"},      {"hub> ", "code> "},          {"Who?", "Word?"}};
  for (const auto& [name, secret] : questions) {
    CAPTURE(name, secret);
    PromptWords words;
    words.name = name;
    words.secret = secret;
    const auto found = attack_prompts(words, kOneRight);
    REQUIRE(found.accepted().size() == 1);
    CHECK(found.accepted()[0].at("username") == json::value("admin"));
    CHECK_FALSE(found.typed_commands_as_passwords());
    const auto none = attack_prompts(words, kNoneRight);
    CHECK(none.run.record.value("credentials.accepted") == json::value(json::array{}));
    CHECK(none.run.record.value("credentials.open") == json::value(false));
    CHECK_FALSE(none.typed_commands_as_passwords());
  }
}

TEST_CASE("A menu behind a login is a command line, although the banner stands after a refusal too") {
  PromptWords words;
  words.banner = "ACME Router R100 v1.2\r\n";
  words.inside = "\r\nACME Router R100 v1.2\r\n 1. Status\r\n 2. Exit\r\nEnter selection: ";
  const auto found = attack_prompts(words, kOneRight);
  REQUIRE(found.accepted().size() == 1);
  CHECK(found.accepted()[0].at("username") == json::value("admin"));
  for (const auto& choice : found.seen.behind) {
    CHECK(choice.empty());  // nothing is chosen
  }
  const auto none = attack_prompts(words, kNoneRight);
  CHECK(none.run.record.value("credentials.accepted") == json::value(json::array{}));
}

TEST_CASE("A menu without a wrong login left to tell it by is no verdict") {
  PromptWords words;
  words.inside = "\r\n 1. Status\r\n 2. Exit\r\nEnter selection: ";
  const auto run = attack_prompts(words, {{"admin", "letmein1"}}, 1);
  CHECK(run.run.record.is_unobserved("credentials.accepted"));
}

TEST_CASE("Another answer to a name that the device knows is no login") {
  PromptWords words;
  words.known_name = "admin";
  words.known_wrong = "\r\nWrong. Send a reminder (y/n): ";
  const auto run = attack_prompts(words, kNoneRight);
  CHECK(run.accepted().empty());
  CHECK(run.run.record.is_unobserved("credentials.accepted"));
}

TEST_CASE("Counters, times and other words in a refusal are no login") {
  for (const char* wrong :
       {"\r\nAttempt 1 of 3 failed at 12:01:07\r\n", "\r\nNo.\r\n", "\r\nAccess denied, 2 left\r\n"}) {
    PromptWords words;
    words.wrong = wrong;
    const auto run = attack_prompts(words, kNoneRight);
    CHECK(run.run.record.value("credentials.accepted") == json::value(json::array{}));
  }
}

TEST_CASE("A command line that numbers its prompts is one") {
  PromptWords words;
  words.inside = "\r\nACME[7]# ";
  CHECK(attack_prompts(words, kOneRight).accepted().size() == 1);
}

TEST_CASE("A name that is let in without a password is reported without one") {
  PromptWords words;
  words.free_name = "root";
  const auto run = attack_prompts(words, {{"root", "root1"}, {"user", "user1"}});
  REQUIRE(run.accepted().size() == 1);
  const auto entry = run.accepted()[0].as_object();
  CHECK(entry.at("username") == json::value("root"));
  CHECK(entry.at("source") == json::value("no password, the name alone; from dictionary iot-common entry 1"));
  CHECK_FALSE(entry.contains("secret"));
  CHECK_FALSE(run.seen.wrong.contains("root"));
}

TEST_CASE("A telnet that asks for a password alone has one secret, and its budget holds") {
  PromptWords words;
  words.secret_alone = true;
  std::vector<std::pair<std::string, std::string>> list;
  for (int i = 0; i < 20; ++i) {
    list.emplace_back("name" + std::to_string(i), "wrong" + std::to_string(i));
  }
  const auto none = attack_prompts(words, list, 5);
  CHECK(none.seen.wrong.at("") == 5 - 1);  // one is kept for the control that follows a hit
  CHECK(none.permits.size() == 1);
  CHECK(coverage(none.run, "skipped_budget") == 18);
  const auto found = attack_prompts(words, kOneRight, 10);
  REQUIRE(found.accepted().size() == 1);
  CHECK(found.accepted()[0].at("username") == json::value(""));
}

TEST_CASE("A new password that is demanded behind a login shows that it was taken, and none is given") {
  for (const char* inside :
       {"\r\nNew password: ", "\r\nEnter new password> ", "\r\nNeues Kennwort: ", "\r\nNew password # ",
        "\r\nYou are required to change your password immediately (root enforced).\r\nCurrent password: ",
        "\r\nYour password has expired.\r\nPassword: ", "\r\nYou have to choose a new password.\r\nEnter: "}) {
    CAPTURE(inside);
    PromptWords words;
    words.inside = inside;
    auto list = kOneRight;
    list.emplace_back("guest", "guest1");
    const auto found = attack_prompts(words, list);
    REQUIRE(found.accepted().size() == 1);
    const auto entry = found.accepted()[0].as_object();
    CHECK(entry.at("username") == json::value("admin"));
    CHECK(entry.at("must_change") == json::value(true));
    CHECK(found.seen.behind.empty());
    CHECK(coverage(found.run, "tried") == 4);  // it settles nothing, so the others are tried too
    const auto none = attack_prompts(words, kNoneRight);
    CHECK(none.run.record.value("credentials.accepted") == json::value(json::array{}));
  }
}

TEST_CASE("A hint to change the password before a command line or a menu is no demand") {
  for (const char* inside : {"\r\nPlease change the default password!\r\nACME# ",
                             "\r\nPlease change the password!\r\n 1. Status\r\n 2. Exit\r\nEnter selection: "}) {
    CAPTURE(inside);
    PromptWords words;
    words.inside = inside;
    const auto found = attack_prompts(words, kOneRight);
    REQUIRE(found.accepted().size() == 1);
    CHECK_FALSE(found.accepted()[0].as_object().contains("must_change"));
  }
}

TEST_CASE("A device that asks everybody, or whoever has a known name, for a new password shows nothing of one") {
  PromptWords everybody;
  everybody.takes_all = true;
  everybody.inside = "\r\nNew password: ";
  PromptWords by_name;
  by_name.known_name = "admin";
  by_name.known_wrong = "\r\nNew password: ";
  PromptWords at_once;
  at_once.secret = "New password: ";
  PromptWords first;
  first.secret_alone = true;
  first.secret = "Choose a password: ";
  for (const auto& words : {everybody, by_name, at_once, first}) {
    CAPTURE(words.secret, words.inside, words.known_wrong);
    const auto run = attack_prompts(words, kNoneRight);
    CHECK(run.accepted().empty());
    CHECK(run.run.record.is_unobserved("credentials.accepted"));
    CHECK(run.seen.behind.empty());
    CHECK((words.known_name.empty() ? run.run.record.is_unobserved("credentials.open") : true));
    CHECK((words.secret == "Password: " || run.seen.passwords.empty()));
  }
  const auto run = attack_prompts(everybody, kNoneRight);
  CHECK(run.run.record.reasons.at("credentials.open").find("asked for a new password too") != std::string::npos);
}

TEST_CASE("A demand without a wrong login left to tell it by is no verdict") {
  PromptWords words;
  words.inside = "\r\nNew password: ";
  const auto run = attack_prompts(words, {{"admin", "letmein1"}}, 1);
  CHECK(run.run.record.is_unobserved("credentials.accepted"));
  CHECK(run.seen.behind.empty());
}

TEST_CASE("A password that comes back byte by byte stands in no transcript") {
  PromptWords words;
  words.echoes = true;
  const auto run = attack_prompts(words, kOneRight);
  REQUIRE(run.accepted().size() == 1);
  const auto text = transcript(run.run);
  CHECK(text.find("letmein1") == std::string::npos);
  for (const std::string_view letters : {"|l|", "|e|", "|1|"}) {
    CHECK(text.find(letters) == std::string::npos);
  }
}

TEST_CASE("FTP that refuses names it does not know is tried with those it knows") {
  const auto refuse = [](const std::string& right) {
    return lines({"220 FTP\r\n", [right](const std::string& line) -> std::string {
                    if (line.starts_with("USER ")) {
                      return line == "USER admin" ? "331 Password\r\n" : "530 Unknown user\r\n";
                    }
                    if (line.starts_with("PASS ")) {
                      return line == "PASS " + right ? "230 In\r\n" : "530 No\r\n";
                    }
                    return line == "PWD" ? "257 \"/\"\r\n" : "502 What\r\n";
                  }});
  };
  FakeNetwork weak;
  weak.tcp[kPort] = refuse("letmein1");
  const auto found = attack(weak, pairs(kOneRight), without_blanks());
  CHECK(found.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(found.record.value("credentials.clear") == json::value(true));
  FakeNetwork sound;
  sound.tcp[kPort] = refuse("nobody knows");
  const auto none = attack(sound, pairs(kOneRight), without_blanks());
  CHECK(none.record.value("credentials.accepted") == json::value(json::array{}));
  CHECK(none.record.value("credentials.open") == json::value(false));
  const auto strangers = attack(sound, pairs({{"root", "root1"}}), without_blanks());
  CHECK(strangers.record.is_unobserved("credentials.accepted"));
}
