#include "tests/unit/probes/resistance_support.hpp"

using namespace assay;
using namespace assay::guarded;

TEST_CASE("A login without any guard is told by its own account, and its rate is ours") {
  Device device{[](const Login& login, Device&) {
    auto said = decide(login.right);
    said.after = milliseconds{100};
    return said;
  }};
  const auto seen = measure(device);
  CHECK(seen.run.record.is_absent("resistance.let_in"));
  CHECK(seen.reaction("seen") == json::value(false));
  CHECK(seen.reaction("after") == json::value(33));
  CHECK(seen.object("resistance.account").at("known") == json::value(true));
  CHECK(seen.object("resistance.account").at("role") == json::value("owner"));
  CHECK(seen.object("resistance.right_password").at("in_attack") == json::value(true));
  const auto& rate = seen.object("resistance.rate");
  CHECK(rate.at("by_device") == json::value(false));
  CHECK(rate.at("per_day") == json::value(864000));
  CHECK(rate.at("attempts") == json::value(33));
  CHECK(rate.at("basis").as_string().find("more than 33 was not looked for") != json::string::npos);
  CHECK(seen.run.record.is_unobserved("resistance.resets"));
  CHECK(seen.run.record.is_absent("resistance.per_connection"));
}

TEST_CASE("Without an account of the device a name that it has not is tried, and said so") {
  Device device{[](const Login& login, Device&) { return decide(login.right); }};
  const auto seen = measure(device, false);
  CHECK(seen.object("resistance.account").at("known") == json::value(false));
  CHECK(seen.run.record.is_absent("resistance.right_password"));
  CHECK_FALSE(device.network.permits.contains("admin"));
}

TEST_CASE("A lock of the account is told from a lock of the address, and its end is seen") {
  Device device{[](const Login& login, Device& self) {
    return lock(self.accounts[login.username], login, 5, milliseconds{30'000}, {refusal("This account is locked")});
  }};
  device.network.sources = {"192.0.2.8"};
  const auto seen = measure(device);
  CHECK(seen.reaction("seen") == json::value(true));
  CHECK(seen.reaction("sign") == json::value("locked"));
  CHECK(seen.reaction("repeated") == json::value(true));
  CHECK(seen.reaction("after") == json::value(5));
  CHECK(seen.reaction("afresh") == json::value("waiting"));
  CHECK(seen.reaction("bound") == json::value("account"));
  CHECK(seen.reaction("says").as_string().find("locked") != json::string::npos);
  CHECK(seen.object("resistance.right_password").at("in_attack") == json::value(false));
  CHECK(seen.object("resistance.recovery").at("seen") == json::value(true));
  CHECK(seen.object("resistance.recovery").at("seconds_least").to_number<double>() <= 30);
  CHECK(seen.object("resistance.recovery").at("seconds_most").to_number<double>() >= 30);
  const auto& rate = seen.object("resistance.rate");
  CHECK(rate.at("by_device") == json::value(true));
  // Five in thirty seconds are 14,400 a day.
  CHECK(rate.at("per_day_low").as_int64() <= 14'400);
  CHECK(rate.at("per_day_high").as_int64() >= 14'400);
}

TEST_CASE("A lock of the address lets the same account be guessed at from another") {
  Device device{[](const Login& login, Device& self) {
    return lock(self.sources[login.source], login, 6, milliseconds{600'000}, {refusal("Too many logins")});
  }};
  device.network.sources = {"192.0.2.8", "192.0.2.9"};
  const auto seen = measure(device);
  CHECK(seen.reaction("bound") == json::value("source"));
  CHECK(seen.reaction("afresh") == json::value("another address"));
  CHECK(seen.reaction("repeated") == json::value(true));
  CHECK(seen.reaction("after") == json::value(6));
  CHECK(seen.object("resistance.recovery").at("seen") == json::value(false));
  CHECK(seen.object("resistance.rate").at("per_day_low") == json::value(0));
  CHECK(device.network.source.empty());
}

TEST_CASE("Without another address a lock of the address is not told from one of everything") {
  Device device{[](const Login& login, Device& self) {
    return lock(self.sources[login.source], login, 6, milliseconds{20'000}, {refusal("Too many logins")});
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("bound") == json::value("source_or_all"));
  CHECK(seen.reaction("repeated") == json::value(true));
}

namespace {

/// A terminal that makes each wrong login of an account wait longer, from the fifth on, until a right one.
class SlowTerminal {
 public:
  SlowTerminal() {
    network.tcp[kPort] = [this](int) -> fake::Peer {
      auto typed = std::make_shared<std::vector<std::string>>();
      return [this, typed](std::string_view written, Line& line) { hear(written, *typed, line); };
    };
  }

  FakeNetwork network;
  int judged = 0;

 private:
  void hear(std::string_view written, std::vector<std::string>& typed, Line& line) {
    if (written.empty()) {
      line.say("hub login: ");
      return;
    }
    const std::string text{written.substr(0, written.find_first_of("\r\n"))};
    if (typed.size() == 2) {
      const auto mark = text.find("''");
      line.say(mark == std::string::npos ? "\r\n# " : "\r\nassay" + text.substr(mark + 4) + "\r\n# ");
      return;
    }
    typed.push_back(text);
    if (typed.size() == 1) {
      line.say("\r\nPassword: ");
      return;
    }
    ++judged;
    auto& failures = failures_[typed[0]];
    const int waits = failures - 4;
    line.pause(waits < 0 ? milliseconds{0} : milliseconds{2200} * (1 << std::min(waits, 1)));
    if (typed[0] == "admin" && text == kRight) {
      failures = 0;
      line.say("\r\nwelcome\r\n# ");
      return;
    }
    ++failures;
    typed.clear();
    line.say("\r\nLogin incorrect\r\nhub login: ");
  }

  std::map<std::string, int> failures_;
};

}  // namespace

TEST_CASE("A delay that grows is followed and comes again after a right login") {
  SlowTerminal device;
  Measure seen;
  seen.run = fake::observe(probes::resistance::kDescriptor, device.network, "tcp/4000", {{"seconds", 300}}, dut(true));
  CHECK(seen.run.record.fault.empty());
  CHECK(device.judged <= device.network.guessed);
  CHECK(seen.reaction("sign") == json::value("slow"));
  CHECK(seen.reaction("after") == json::value(4));
  CHECK(seen.reaction("repeated") == json::value(true));
  CHECK(seen.reaction("bound") == json::value("account"));
  CHECK(seen.object("resistance.right_password").at("in_attack") == json::value(true));
  CHECK(seen.object("resistance.right_password").at("lifts") == json::value(true));
  CHECK(seen.run.record.value("resistance.resets") == json::value(true));
  const auto delays = seen.run.record.value("resistance.delays").as_array();
  REQUIRE(delays.size() >= 6);
  CHECK(delays[0].as_int64() < 1000);
  CHECK(delays[4].as_int64() >= 1800);
  CHECK(delays[5].as_int64() >= 3600);
  CHECK(seen.object("resistance.rate").at("by_device") == json::value(true));
}

TEST_CASE("A riddle beside the password is told: the right password alone gets nobody in") {
  Device device{[](const Login& login, Device& self) {
    auto& record = self.sources[login.source];
    if (record.failures >= 7) {
      return Said{refusal("<p>Please solve the captcha</p>")};
    }
    record.failures += login.right ? 0 : 1;
    return decide(login.right);
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("sign") == json::value("changed"));
  CHECK(seen.object("resistance.right_password").at("in_attack") == json::value(false));
  // It never ends here, and there is no other address: nothing can begin anew.
  CHECK(seen.reaction("repeated") == json::value(false));
  CHECK(seen.object("resistance.rate").at("by_device") == json::value(false));
}

TEST_CASE("A riddle that is bound to the address comes again from another") {
  Device device{[](const Login& login, Device& self) {
    auto& record = self.sources[login.source];
    record.failures += login.right ? 0 : 1;
    return record.failures > 7 ? Said{reply("200 OK", "<p>Please solve the captcha</p>")} : decide(login.right);
  }};
  device.network.sources = {"192.0.2.8"};
  const auto seen = measure(device);
  CHECK(seen.reaction("sign") == json::value("changed"));
  CHECK(seen.reaction("repeated") == json::value(true));
  CHECK(seen.reaction("bound") == json::value("source"));
}

TEST_CASE("A connection that ends after the third failure holds nobody back") {
  Device device{[](const Login& login, Device&) {
    auto said = decide(login.right);
    said.closes = login.on_connection == 3;
    return said;
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("seen") == json::value(false));
  CHECK(seen.run.record.value("resistance.per_connection") == json::value(3));
}

TEST_CASE("A connection that is cut instead of the third answer is no reaction either") {
  Device device{[](const Login& login, Device&) {
    auto said = decide(login.right);
    if (login.on_connection == 3) {
      said = {"", milliseconds{0}, true};
    }
    return said;
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("seen") == json::value(false));
}

TEST_CASE("A limit of requests is told by its status") {
  Device device{[](const Login& login, Device& self) {
    return lock(self.sources[login.source], login, 10, milliseconds{10'000},
                {reply("429 Too Many Requests", "", "Retry-After: 10\r\n")});
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("sign") == json::value("limited"));
  CHECK(seen.reaction("after").as_int64() >= 8);
  CHECK(seen.reaction("after").as_int64() <= 10);
  CHECK(seen.object("resistance.recovery").at("seen") == json::value(true));
}

TEST_CASE("Slow answers now and then are no reaction") {
  Device device{[](const Login& login, Device& self) {
    auto said = decide(login.right);
    said.after = self.judged % 5 == 0 ? milliseconds{3000} : milliseconds{20};
    return said;
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("seen") == json::value(false));
}

TEST_CASE("Silence that does not come again from a fresh start is not called a threshold") {
  Device device{[](const Login& login, Device& self) {
    // The device is ill once, for a while.
    const bool ill = self.judged > 8 && login.now < milliseconds{60'000};
    return ill ? Said{""} : decide(login.right);
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("sign") == json::value("no_answer"));
  CHECK(seen.reaction("repeated") == json::value(false));
  CHECK(seen.object("resistance.rate").at("by_device") == json::value(false));
}

TEST_CASE("A lock that only the right password shows is found") {
  Device device{[](const Login& login, Device& self) {
    return lock(self.accounts[login.username], login, 5, milliseconds{20'000}, {refusal()});
  }};
  const auto seen = measure(device, true, {{"attempts", 40}});
  CHECK(seen.reaction("seen") == json::value(true));
  CHECK(seen.reaction("silent") == json::value(true));
  CHECK(seen.object("resistance.right_password").at("in_attack") == json::value(false));
}

TEST_CASE("A right login that does not wipe off the wrong ones is told") {
  Device device{[](const Login& login, Device& self) {
    auto& record = self.accounts[login.username];
    if (login.now < record.until) {
      return Said{refusal("locked")};
    }
    if (record.until > milliseconds{0}) {
      record = {};
    }
    record.failures += login.right ? 0 : 1;
    record.until = record.failures >= 4 ? login.now + milliseconds{15'000} : milliseconds{0};
    return decide(login.right);
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("repeated") == json::value(true));
  CHECK(seen.run.record.value("resistance.resets") == json::value(false));
}

TEST_CASE("The budget of the pace ends the measure, by the device's own count") {
  Device device{[](const Login& login, Device&) { return decide(login.right); }};
  device.network.guesses = 10;
  const auto seen = measure(device);
  CHECK(device.judged <= 10);
  CHECK(device.network.guessed == 10);
  CHECK(seen.run.record.value("resistance.attempts") == json::value(9));  // one is kept in reserve
  CHECK(seen.reaction("after").as_int64() <= 10);
  CHECK(seen.run.record.coverages.at("guessing").at("stopped_because").as_string().find("budget") !=
        json::string::npos);
}

TEST_CASE("Without a budget nothing is tried") {
  Device device{[](const Login& login, Device&) { return decide(login.right); }};
  device.network.guesses = 0;
  const auto seen = measure(device);
  CHECK(device.judged == 0);
  CHECK(seen.run.record.is_unobserved("resistance.reaction"));
}

TEST_CASE("The time of the measure is kept") {
  Device device{[](const Login& login, Device&) {
    auto said = decide(login.right);
    said.after = milliseconds{3000};
    return said;
  }};
  const auto seen = measure(device, true, {{"seconds", 30}, {"recover", 0}});
  CHECK(device.network.passed < milliseconds{45'000});
  CHECK(seen.reaction("after").as_int64() < 12);
}

TEST_CASE("Where everybody is let in nobody has to guess") {
  Device device{[](const Login& login, Device&) {
    return Said{login.path == "/" ? reply("200 OK", "welcome") : reply("404 Not Found")};
  }};
  const auto seen = measure(device);
  CHECK(seen.run.record.is_unobserved("resistance.reaction"));
  CHECK(device.judged <= 4);
}

TEST_CASE("The right password stands nowhere in the records of a siege") {
  Device device{[](const Login& login, Device&) { return decide(login.right); }};
  const auto seen = measure(device);
  REQUIRE_FALSE(seen.run.record.artifacts.empty());
  const auto& text = seen.run.record.artifacts.back().bytes;
  CHECK(text.find(kRight) == std::string::npos);
  CHECK(text.find(wire::base64("admin:" + std::string{kRight})) == std::string::npos);
  CHECK(seen.run.record.concealed.contains(std::string{kRight}));
}

TEST_CASE("A page without a login has no resistance") {
  FakeNetwork network;
  network.tcp[kPort] = fake::answers(reply("200 OK", "welcome"));
  const auto run = fake::observe(probes::resistance::kDescriptor, network, "tcp/4000");
  CHECK(run.record.is_absent("resistance.dialect"));
  CHECK(run.record.is_absent("resistance.reaction"));
  CHECK(network.guessed == 0);
}
