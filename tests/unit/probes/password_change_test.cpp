#include "tests/unit/probes/first_use_support.hpp"

namespace assay::probes::password_change {
extern const ProbeDescriptor kDescriptor;
}

namespace assay::password_tests {

namespace {

fake::Run change(std::shared_ptr<Hub> hub, const Dut& dut = described(), int budget = 20) {
  FakeNetwork network;
  network.budget = budget;
  return look(probes::password_change::kDescriptor, network, std::move(hub), dut);
}

}  // namespace

TEST_CASE("A sound change: the old value and old sessions die, weak ones are refused, and it is brought back") {
  auto hub = std::make_shared<Hub>();
  const auto run = change(hub);
  const auto changed = run.record.value("password.change");
  CHECK(changed.at("taken") == json::value(true));
  CHECK(changed.at("old_refused") == json::value(true));
  CHECK(changed.at("length") == json::value(14));
  CHECK(changed.at("refused").as_array().empty());
  CHECK(run.record.value("password.sessions").at("other") == json::value(false));
  CHECK(run.record.value("password.old_asked").at("wrong_taken") == json::value(false));
  CHECK(run.record.value("password.old_asked").at("empty_taken") == json::value(false));
  CHECK(run.record.value("password.weak").as_array().size() == 4);
  CHECK(taken(run, "password.weak").empty());
  CHECK(run.record.value("password.again") == json::value(true));
  CHECK(run.record.value("password.restored") == json::value(true));
  CHECK(hub->password == "Old4-word!x");
}

TEST_CASE("Each flaw of a change shows in its own fact, and the password is brought back") {
  auto hub = std::make_shared<Hub>();
  hub->keeps_old = true;
  auto run = change(hub);
  CHECK(run.record.value("password.change").at("old_refused") == json::value(false));
  CHECK(hub->password == "Old4-word!x");

  hub = std::make_shared<Hub>();
  hub->keeps_sessions = true;
  run = change(hub);
  CHECK(run.record.value("password.sessions").at("other") == json::value(true));

  hub = std::make_shared<Hub>();
  hub->asks_old = false;
  run = change(hub);
  CHECK(run.record.value("password.old_asked").at("wrong_taken") == json::value(true));
  CHECK(hub->password == "Old4-word!x");

  hub = std::make_shared<Hub>();
  hub->takes_all = true;
  run = change(hub);
  CHECK(taken(run, "password.weak") == std::set<std::string>{"blank", "short", "username"});
  CHECK(run.record.value("password.restored") == json::value(true));
  CHECK(hub->password == "Old4-word!x");
}

TEST_CASE("A device that takes no password at all refuses none in particular") {
  auto hub = std::make_shared<Hub>();
  hub->takes_none = true;
  const auto run = change(hub);
  CHECK(run.record.value("password.change").at("taken") == json::value(false));
  CHECK(run.record.is_unobserved("password.weak"));
  CHECK(run.record.value("password.restored") == json::value(true));
}

TEST_CASE("Whatever the budget is, wrong logins stay within it and the password comes back") {
  for (int budget = 0; budget <= 6; ++budget) {
    for (const bool keeps_old : {false, true}) {
      for (const bool takes_all : {false, true}) {
        CAPTURE(budget, keeps_old, takes_all);
        auto hub = std::make_shared<Hub>();
        hub->keeps_old = keeps_old;
        hub->takes_all = takes_all;
        const auto run = change(hub, described(), budget);
        CHECK(hub->wrong <= budget);
        CHECK(hub->password == "Old4-word!x");
        CHECK(run.record.is_unobserved("password.change") == (budget < 4));
        CHECK((budget >= 4 || hub->changes == 0));
      }
    }
  }
}

TEST_CASE("A device of a few characters, or of letters and digits alone, gets a password that it takes") {
  auto hub = std::make_shared<Hub>();
  hub->longest = 10;
  auto run = change(hub);
  CHECK(run.record.value("password.change").at("length") == json::value(10));
  CHECK(run.record.value("password.change").at("refused").as_array().size() == 2);
  CHECK(run.record.value("password.again") == json::value(true));
  CHECK(taken(run, "password.weak").empty());
  CHECK(hub->password == "Old4-word!x");

  hub = std::make_shared<Hub>();
  hub->letters_only = true;
  run = change(hub);
  CHECK(run.record.value("password.change").at("length") == json::value(12));
  CHECK(run.record.value("password.again") == json::value(true));
}

TEST_CASE("A device that remembers its passwords gets the old one back when it has forgotten it") {
  auto hub = std::make_shared<Hub>();
  hub->remembers = 5;
  const auto run = change(hub);
  CHECK(run.record.value("password.restored") == json::value(true));
  CHECK(run.record.is_absent("password.left"));
  CHECK(run.record.value("password.again") == json::value(true));
  CHECK(hub->password == "Old4-word!x");
  CHECK(run.record.held == "Old4-word!x");
}

TEST_CASE("Where there is no way back, whoever is in charge has the password that holds") {
  auto hub = std::make_shared<Hub>();
  hub->most_changes = 1;
  auto run = change(hub);
  CHECK(run.record.value("password.restored") == json::value(false));
  CHECK(run.record.value("password.left").at("kept_in") == json::value("a test"));
  CHECK(run.record.value("password.again") == json::value(false));
  CHECK(run.record.is_unobserved("password.weak"));
  CHECK(run.record.is_unobserved("password.old_asked"));
  CHECK(hub->password == run.record.held);

  hub = std::make_shared<Hub>();
  hub->remembers = 500;
  run = change(hub);
  CHECK(run.record.value("password.restored") == json::value(false));
  CHECK(run.record.value("password.again") == json::value(true));
  CHECK(hub->password == run.record.held);
  CHECK(hub->changes <= 40);
}

TEST_CASE("What was refused before a strong password was refused too is not known") {
  auto hub = std::make_shared<Hub>();
  hub->most_changes = 2;  // the right one and the way back
  const auto run = change(hub);
  CHECK(run.record.value("password.restored") == json::value(true));
  CHECK(run.record.value("password.again") == json::value(false));
  CHECK(run.record.is_unobserved("password.weak"));
  CHECK(run.record.is_unobserved("password.old_asked"));
}

TEST_CASE("Passwords are drawn anew in every run, and handed over before they are sent") {
  auto hub = std::make_shared<Hub>();
  hub->remembers = 3;
  const auto one = change(hub);
  hub = std::make_shared<Hub>();
  hub->remembers = 3;
  const auto other = change(hub);
  REQUIRE(!one.record.entrusted.empty());
  CHECK(one.record.entrusted.front() != other.record.entrusted.front());
}

TEST_CASE("Without a recipe nothing is changed") {
  auto hub = std::make_shared<Hub>();
  auto dut = described();
  dut.web[0].change_password.reset();
  const auto run = change(hub, dut);
  CHECK(run.record.is_unobserved("password.weak"));
  CHECK(hub->changes == 0);
}

}  // namespace assay::password_tests
