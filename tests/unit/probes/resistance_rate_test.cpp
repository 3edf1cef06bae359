#include "tests/unit/probes/resistance_support.hpp"

/// What rate and which threshold follow, and which do not: a bound is told of what lasted.
using namespace assay;
using namespace assay::guarded;
using probes::resistance::Growth;
using probes::resistance::growth_of;

namespace {

std::int64_t low(const Measure& seen) {
  return seen.object("resistance.rate").at("per_day_low").as_int64();
}

std::int64_t high(const Measure& seen) {
  return seen.object("resistance.rate").at("per_day_high").as_int64();
}

bool basis_says(const Measure& seen, std::string_view words) {
  return seen.object("resistance.rate").at("basis").as_string().find(words) != json::string::npos;
}

/// Locks an account each fifth failure, twice as long each time, until a right login.
Said doubling(const Login& login, Device& self) {
  auto& record = self.accounts[login.username];
  if (login.now < record.until) {
    return {reply("429 Too Many Requests")};
  }
  record.failures = login.right ? 0 : record.failures + 1;
  if (record.failures > 0 && record.failures % 5 == 0) {
    record.until = login.now + milliseconds{2000} * (1 << (record.failures / 5));
  }
  return decide(login.right);
}

/// Locks an address for wrong logins, whatever right ones come between.
Said stubborn(const Login& login, Device& self, int after, milliseconds time) {
  auto& record = self.sources[login.source];
  if (login.now < record.until) {
    return {reply("403 Forbidden")};
  }
  record.failures += login.right ? 0 : 1;
  if (record.failures >= after) {
    record = {0, login.now + time};
  }
  return decide(login.right);
}

std::vector<milliseconds> times(std::initializer_list<int> list) {
  std::vector<milliseconds> out;
  for (const auto one : list) {
    out.emplace_back(one);
  }
  return out;
}

}  // namespace

TEST_CASE("A lock that was seen once bears no rate of a day") {
  Device device{[](const Login& login, Device& self) {
    return lock(self.accounts[login.username], login, 20, milliseconds{3'600'000}, {reply("429 Too Many Requests")});
  }};
  const auto seen = measure(device);
  CHECK(seen.reaction("seen") == json::value(true));
  CHECK(seen.reaction("after") == json::value(20));
  CHECK(seen.reaction("repeated") == json::value(false));
  CHECK(low(seen) == 0);
  CHECK(seen.object("resistance.rate").at("per_day").is_null());
  CHECK(basis_says(seen, "guesses_per_login"));
}

TEST_CASE("A bucket that fills up slowly is told by what it lets through after it was empty") {
  // Seventeen at once, and ten a minute: 14,400 a day.
  double tokens = 17;
  milliseconds then{0};
  Device device{[&](const Login& login, Device&) {
    tokens = std::min(17.0, tokens + static_cast<double>((login.now - then).count()) / 6000);
    then = login.now;
    if (tokens < 1) {
      return Said{reply("429 Too Many Requests")};
    }
    tokens -= 1;
    return decide(login.right);
  }};
  const auto seen = measure(device, true, {{"attempts", 200}});
  CHECK(seen.reaction("sign") == json::value("limited"));
  CHECK(seen.reaction("sooner") == json::value(true));
  CHECK(seen.reaction("repeated") == json::value(true));
  CHECK(seen.object("resistance.rate").at("by_device") == json::value(true));
  CHECK(low(seen) <= 14'400);
  CHECK(low(seen) > 7'000);
  CHECK(high(seen) >= 14'400);
  CHECK(high(seen) < 60'000);
}

TEST_CASE("A lock that doubles is timed twice, and no rate of a day is made of it") {
  Device device{doubling};
  const auto seen = measure(device, true, {{"attempts", 200}});
  CHECK(seen.reaction("repeated") == json::value(true));
  CHECK(seen.reaction("grows") == json::value("block"));
  CHECK(low(seen) == 0);
  // Five in eight seconds at most.
  CHECK(high(seen) <= 5 * 86'400 / 4);
  CHECK(basis_says(seen, "it grows"));
  const auto& recovery = seen.object("resistance.recovery");
  CHECK(recovery.at("seconds_most").to_number<double>() < recovery.at("again").at("seconds_least").to_number<double>());
}

TEST_CASE("A lock that is as long the second time bears a rate through both") {
  Device device{[](const Login& login, Device& self) {
    return lock(self.accounts[login.username], login, 5, milliseconds{4000}, {reply("429 Too Many Requests")});
  }};
  const auto seen = measure(device, true, {{"attempts", 200}});
  CHECK(seen.reaction("grows") == json::value("none"));
  CHECK(low(seen) > 60'000);
  CHECK(low(seen) <= 5 * 86'400 / 4);
  CHECK(high(seen) >= 5 * 86'400 / 4);
}

TEST_CASE("Delays that grow by a little are a reaction that bears no rate of a day") {
  const auto step = GENERATE(10, 60);
  const auto attempts = GENERATE(40, 250);
  Device device{[step](const Login& login, Device& self) {
    auto& record = self.accounts[login.username];
    record.failures = login.right ? 0 : record.failures + 1;
    auto said = decide(login.right);
    said.after = milliseconds{step * record.failures};
    return said;
  }};
  const auto seen = measure(device, true, {{"attempts", attempts}});
  CHECK(seen.reaction("seen") == json::value(true));
  CHECK(seen.reaction("sign") == json::value("slow"));
  CHECK(low(seen) == 0);
  CHECK(seen.object("resistance.right_password").at("in_attack") == json::value(true));
  if (attempts == 250) {
    CHECK(seen.reaction("repeated") == json::value(true));
    CHECK(basis_says(seen, "still growing"));
  }
}

TEST_CASE("Growth is told from noise, from a step and from a clock of whole milliseconds") {
  CHECK(growth_of(times({100, 160, 220, 280, 340, 400, 460, 520})) == Growth::linear);
  CHECK(growth_of(times({100, 151, 224, 338, 506, 760, 1139, 1708})) == Growth::exponential);
  CHECK(growth_of(times({100, 200, 400, 800, 1600, 3200, 6400, 12800})) == Growth::exponential);
  CHECK(growth_of(times({100, 130, 90, 120, 95, 140, 100, 125, 135, 110})) == Growth::none);
  CHECK(growth_of(times({50, 50, 51, 50, 400, 401, 400, 402, 400, 401})) == Growth::none);
  CHECK(growth_of(times({1, 1, 1, 1, 2, 2, 2, 2})) == Growth::none);
  CHECK(growth_of(times({1, 100, 200})) == Growth::none);
  CHECK(growth_of({}) == Growth::none);
}

TEST_CASE("The threshold is that of a fresh start: logins before the attack count too") {
  const auto after = GENERATE(6, 8);
  const bool lets_right_in = GENERATE(false, true);
  Device device{[=](const Login& login, Device& self) {
    return lets_right_in && login.right ? decide(true) : stubborn(login, self, after, milliseconds{20'000});
  }};
  const auto seen = measure(device, true, {{"attempts", 200}});
  CHECK(seen.reaction("repeated") == json::value(true));
  CHECK(seen.reaction("after") == json::value(after));
  CHECK(seen.reaction("after_most") == json::value(after));
}

TEST_CASE("A threshold that was met once may be higher by the logins before it") {
  Device device{[](const Login& login, Device& self) { return stubborn(login, self, 8, milliseconds{3'600'000}); }};
  const auto seen = measure(device);
  CHECK(seen.reaction("after") == json::value(6));
  CHECK(seen.reaction("after_most") == json::value(8));
}

TEST_CASE("A right login whose answer means neither is unobserved for that reason") {
  const bool cut = GENERATE(true, false);
  Device device{[cut](const Login& login, Device& self) {
    const Said held = cut ? kCut : Said{reply("503 Service Unavailable")};
    return lock(self.accounts[login.username], login, 4, milliseconds{20'000}, held);
  }};
  const auto seen = measure(device);
  if (!cut) {  // a limit, which the right password meets too
    CHECK(seen.run.record.value("resistance.right_password").at("in_attack") == json::value(false));
    return;
  }
  CHECK(seen.run.record.is_unobserved("resistance.right_password"));
  CHECK(seen.run.record.reasons.at("resistance.right_password").find("neither yes nor no") != std::string::npos);
}

TEST_CASE("Several addresses that are held one by one have a rate together") {
  Device device{[](const Login& login, Device& self) {
    return lock(self.sources[login.source], login, 6, milliseconds{6000}, {refusal("Too many logins")});
  }};
  device.network.sources = {"192.0.2.8", "192.0.2.9"};
  const auto seen = measure(device, true, {{"attempts", 200}});
  CHECK(seen.reaction("bound") == json::value("source"));
  const auto& together = seen.object("resistance.rate_together");
  CHECK(together.at("addresses") == json::value(3));
  CHECK(low(seen) > 0);
  CHECK(together.at("per_day_low").as_int64() / 3 == low(seen));
}

TEST_CASE("Addresses that nothing holds have a rate together, and without another there is none") {
  Device device{[](const Login& login, Device&) {
    auto said = decide(login.right);
    said.after = milliseconds{100};
    return said;
  }};
  CHECK(measure(device).run.record.is_absent("resistance.rate_together"));
  device.network.sources = {"192.0.2.8"};
  device.network.guessed = 0;
  device.judged = 0;
  const auto seen = measure(device);
  const auto& together = seen.object("resistance.rate_together");
  CHECK(together.at("addresses") == json::value(2));
  CHECK(together.at("per_day_low").as_int64() <= 864'000);
  CHECK(together.at("per_day_high").as_int64() >= 2 * 864'000);
}

TEST_CASE("A device that still holds whoever asks is waited for before its login is looked for") {
  const auto free_after = GENERATE(milliseconds{20'000}, milliseconds{3'600'000});
  const auto words = GENERATE(as<std::string>{}, "429 Too Many Requests", "503 Service Unavailable", "");
  FakeNetwork network;
  network.tcp[kPort] = [&](int) -> fake::Peer {
    return [&](std::string_view written, Line& line) {
      if (written.empty()) {
        return;
      }
      if (!written.starts_with("GET ") || (network.passed < free_after && words.empty())) {
        line.close();
      } else {
        line.say(network.passed < free_after ? reply(words) : refusal());
      }
    };
  };
  const auto run = fake::observe(probes::resistance::kDescriptor, network, "tcp/4000", {{"attempts", 12}}, dut(false));
  CHECK(run.record.fault.empty());
  CHECK_FALSE(run.record.is_absent("resistance.dialect"));
  if (free_after < milliseconds{60'000}) {
    CHECK(run.record.value("resistance.dialect") == json::value("http-basic"));
    CHECK(run.record.value("resistance.attempts").as_int64() > 4);
  } else {
    CHECK(run.record.is_unobserved("resistance.dialect"));
    CHECK(run.record.is_unobserved("resistance.reaction"));
    CHECK(run.record.reasons.at("resistance.dialect").find("holds us or is busy") != std::string::npos);
    CHECK(network.guessed == 0);
    CHECK(network.passed < milliseconds{180'000});
  }
}
