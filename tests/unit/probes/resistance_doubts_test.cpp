#include "tests/unit/probes/resistance_support.hpp"

/// What is no reaction: wrong passwords that get in, lost logins, other addresses that are not reached.
using namespace assay;
using namespace assay::guarded;

namespace {

Said lock_address(const Login& login, Device& self) {
  return lock(self.sources[login.source], login, 6, milliseconds{20'000}, {refusal("Too many logins")});
}

json::object only_source(const Measure& seen) {
  const auto sources = seen.run.record.value("resistance.sources").as_array();
  REQUIRE(sources.size() == 1);
  return sources[0].as_object();
}

}  // namespace

TEST_CASE("Another address that never gets through is no witness of a hold") {
  Device device{
      [](const Login& login, Device& self) { return login.source.empty() ? lock_address(login, self) : kCut; }};
  device.network.sources = {"192.0.2.8"};
  const auto seen = measure(device);
  CHECK(seen.reaction("bound") == json::value("source_or_all"));
  CHECK(only_source(seen).at("reached") == json::value(false));
  CHECK(only_source(seen).at("held").is_null());
}

TEST_CASE("Another address that is gone is not taken for the usual one") {
  Device device{lock_address};
  device.network.sources = {"192.0.2.8"};
  device.network.gone_source = "192.0.2.8";
  const auto seen = measure(device);
  CHECK(seen.reaction("bound") == json::value("source_or_all"));
  CHECK(only_source(seen).at("reached") == json::value(false));
}

TEST_CASE("Silence at another address after the attack leaves open what the reaction is bound to") {
  Device device{[](const Login& login, Device& self) {
    return login.source.empty() || self.judged < 6 ? lock_address(login, self) : kCut;
  }};
  device.network.sources = {"192.0.2.8"};
  const auto seen = measure(device);
  CHECK(seen.reaction("bound") == json::value("unknown"));
  CHECK(only_source(seen).at("reached") == json::value(true));
  CHECK(only_source(seen).at("held").is_null());
}

TEST_CASE("Without a reaction an address is called held by an answer alone") {
  const bool locked = GENERATE(true, false);
  Device device{[locked](const Login& login, Device& self) {
    const Said odd = locked ? Said{refusal("blocked")} : kCut;
    return login.source.empty() || self.judged < 6 ? decide(login.right) : odd;
  }};
  device.network.sources = {"192.0.2.8"};
  const auto seen = measure(device);
  CHECK(seen.reaction("seen") == json::value(false));
  CHECK(only_source(seen).at("reached") == json::value(true));
  CHECK(only_source(seen).at("held") == (locked ? json::value(true) : json::value(nullptr)));
}

TEST_CASE("A right login that is lost shows no lock") {
  Device device{
      [](const Login& login, Device& self) { return login.right && self.judged > 8 ? kCut : decide(login.right); }};
  const auto seen = measure(device);
  CHECK(seen.reaction("seen") == json::value(false));
  CHECK(seen.reaction("silent") == json::value(false));
  CHECK(seen.run.record.is_unobserved("resistance.right_password"));
}

TEST_CASE("A right login that is lost while wrong ones are locked is not called refused") {
  Device device{[](const Login& login, Device& self) {
    const auto said = lock(self.accounts[login.username], login, 5, milliseconds{30'000}, {refusal("locked")});
    return login.right && self.judged > 6 ? kCut : said;
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("seen") == json::value(true));
  CHECK(seen.run.record.is_unobserved("resistance.right_password"));
}

TEST_CASE("A silent lock whose second time is lost is not called repeated") {
  const bool lost = GENERATE(true, false);
  int taken = 0;
  Device device{[&taken, lost](const Login& login, Device& self) {
    const bool locks = login.now < self.accounts[login.username].until;
    const auto said = lock(self.accounts[login.username], login, 5, milliseconds{20'000}, {refusal()});
    const bool again = taken == 2;  // before the attack, and after the lock
    taken += login.right && !locks ? 1 : 0;
    return lost && login.right && again ? kCut : said;
  }};
  device.network.guesses = 5000;
  // The second series is longer than the first: only a large budget has room for it.
  Measure seen;
  seen.run =
      fake::observe(probes::resistance::kDescriptor, device.network, "tcp/4000", {{"attempts", 4000}}, dut(true));
  CHECK(seen.reaction("silent") == json::value(true));
  CHECK(seen.reaction("afresh") == json::value("waiting"));
  CHECK(seen.reaction("repeated") == json::value(!lost));
}

TEST_CASE("What a reaction is bound to follows from both looks, and from no doubtful one") {
  using probes::resistance::Answer;
  using probes::resistance::Bound;
  using probes::resistance::bound_of;
  CHECK(bound_of(Answer::no, Answer::yes, false) == Bound::account);
  CHECK(bound_of(Answer::no, Answer::no, false) == Bound::account_and_source);
  CHECK(bound_of(Answer::yes, Answer::no, false) == Bound::source);
  CHECK(bound_of(Answer::yes, Answer::yes, false) == Bound::everything);
  CHECK(bound_of(Answer::yes, std::nullopt, false) == Bound::source_or_all);
  CHECK(bound_of(Answer::yes, std::nullopt, true) == Bound::unknown);
  CHECK(bound_of(Answer::unknown, Answer::no, false) == Bound::unknown);
  CHECK(bound_of(Answer::no, Answer::unknown, false) == Bound::unknown);
}

TEST_CASE("Wrong passwords that get in end the siege and are no reaction") {
  const bool with_account = GENERATE(true, false);
  Device device{[](const Login& login, Device& self) { return decide(login.right || self.judged > 10); }};
  const auto seen = measure(device, with_account);
  CHECK(seen.object("resistance.let_in").at("after") == json::value(10));
  CHECK(seen.object("resistance.let_in").at("by_page") == json::value(true));  // HTTP
  CHECK(seen.object("resistance.let_in").at("times") == json::value(2));
  CHECK(seen.reaction("seen") == json::value(false));
  CHECK(seen.object("resistance.rate").at("by_device") == json::value(false));
  CHECK(device.judged == 12);
}

TEST_CASE("One wrong password that gets in is told, and ends nothing") {
  Device device{[](const Login& login, Device& self) { return decide(login.right || self.judged == 10); }};
  const auto seen = measure(device);
  CHECK(seen.object("resistance.let_in").at("times") == json::value(1));
  CHECK(seen.reaction("seen") == json::value(false));
  CHECK(seen.reaction("after") == json::value(33));
}

TEST_CASE("A lock that lets in whoever comes after it is told as both") {
  Device device{[](const Login& login, Device& self) {
    if (login.now > milliseconds{8000}) {
      return decide(true);
    }
    return lock(self.accounts[login.username], login, 5, milliseconds{5'000}, {refusal("This account is locked")});
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("seen") == json::value(true));
  CHECK(seen.object("resistance.let_in").at("times") == json::value(2));
}

TEST_CASE("Connections that all die of their second login cost what the device may have counted") {
  Device device{[](const Login& login, Device&) { return login.on_connection == 2 ? kCut : decide(login.right); }};
  const auto seen = measure(device);
  CHECK(seen.run.record.value("resistance.attempts") == json::value(device.judged));
  CHECK(seen.reaction("seen") == json::value(false));
}

TEST_CASE("A right login that is lost before the attack takes a second permit for the second try") {
  Device device{[](const Login& login, Device& self) { return self.judged == 3 ? kCut : decide(login.right); }};
  SECTION("which gets in") {
    const auto seen = measure(device);
    CHECK(device.network.permits["admin"] == 2);
    CHECK(seen.object("resistance.account").at("known") == json::value(true));
  }
  SECTION("and without one is not made") {
    device.network.login_budget["admin"] = 1;
    const auto seen = measure(device);
    CHECK(seen.object("resistance.account").at("known") == json::value(false));
  }
}

TEST_CASE("A login without names is charged to no name, and one connection for each login is no limit") {
  FakeNetwork network;
  network.tcp[6379] = [](int) -> fake::Peer {
    return [inside = false](std::string_view written, Line& line) mutable {
      if (written.find("AUTH") != std::string_view::npos) {
        inside = written.find(kRight) != std::string_view::npos;
        line.say(inside ? "+OK\r\n" : "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
      } else if (written.find("PING") != std::string_view::npos) {
        line.say(inside ? "+PONG\r\n" : "-NOAUTH Authentication required.\r\n");
      }
    };
  };
  const auto run = fake::observe(probes::resistance::kDescriptor, network, "tcp/6379", {}, dut(true));
  REQUIRE(run.ended);
  CHECK(run.record.value("resistance.dialect") == json::value("redis"));
  CHECK(run.record.value("resistance.account").at("known") == json::value(true));
  CHECK(network.permits == std::map<std::string, int>{{"", 1}});
  CHECK(run.record.is_absent("resistance.per_connection"));
}
