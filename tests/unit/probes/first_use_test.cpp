#include "tests/unit/probes/first_use_support.hpp"

namespace assay::probes::first_use {
extern const ProbeDescriptor kDescriptor;
}

namespace assay::password_tests {

namespace {

std::shared_ptr<Hub> factory() {
  auto hub = std::make_shared<Hub>();
  hub->ready = false;
  hub->password.clear();
  return hub;
}

fake::Run begin(std::shared_ptr<Hub> hub, const Dut& dut = described()) {
  FakeNetwork network;
  network.budget = 20;
  return look(probes::first_use::kDescriptor, network, std::move(hub), dut);
}

}  // namespace

TEST_CASE("A sound first use: nothing works before, weak passwords are refused, and it happens once") {
  auto hub = factory();
  const auto run = begin(hub);
  CHECK(run.record.value("first_use.set_up").at("taken") == json::value(true));
  CHECK(run.record.value("first_use.action") ==
        json::value(json::object{{"before", false}, {"after", false}, {"control", true}}));
  CHECK(run.record.value("first_use.weak").as_array().size() == 3);  // there is no value before
  CHECK(taken(run, "first_use.weak").empty());
  CHECK(run.record.value("first_use.again") == json::value(false));
  CHECK(run.record.value("first_use.weak").at(1).at("schemes") == json::value(json::array{"cls-iot-gateway"}));
  CHECK(run.record.value("first_use.weak").at(0).as_object().if_contains("schemes") == nullptr);
  CHECK(hub->password == run.record.held);
  CHECK(hub->password.size() == 14);
  CHECK(run.record.value("first_use.kept_in") == json::value("a test"));
  CHECK(hub->name == "Hub");
}

TEST_CASE("What works before the set-up shows by the value that is there afterwards") {
  auto hub = factory();
  hub->open = true;
  const auto run = begin(hub);
  CHECK(run.record.value("first_use.action").at("before") == json::value(true));
  CHECK(run.record.value("first_use.action").at("after") == json::value(true));
}

TEST_CASE("A weak password that is taken ends the set-up, and what comes after it is not known") {
  auto hub = factory();
  hub->takes_all = true;
  const auto run = begin(hub);
  CHECK(taken(run, "first_use.weak") == std::set<std::string>{"blank"});
  CHECK(run.record.is_unobserved("first_use.set_up"));
  CHECK(run.record.held == hub->password);
}

TEST_CASE("A device of a few characters is set up with a password that it takes, drawn anew in every run") {
  std::string before;
  for (int i = 0; i < 2; ++i) {
    auto hub = factory();
    hub->longest = 10;
    const auto run = begin(hub);
    CHECK(run.record.value("first_use.set_up").at("taken") == json::value(true));
    CHECK(run.record.value("first_use.again") == json::value(false));
    CHECK(hub->password.size() == 10);
    CHECK(hub->password == run.record.held);
    CHECK(hub->password != std::exchange(before, hub->password));
  }
}

TEST_CASE("Where a device takes nothing, every password that was sent had been handed over") {
  auto hub = factory();
  hub->takes_none = true;
  const auto run = begin(hub);
  CHECK(run.record.entrusted.size() == 7);  // three weak ones, four strong ones
  CHECK(run.record.held.empty());
}

TEST_CASE("A device that is set up already, or takes no password, shows nothing of a first use") {
  const auto ready = begin(std::make_shared<Hub>());
  CHECK(ready.record.is_unobserved("first_use.weak"));
  auto hub = factory();
  hub->takes_none = true;
  const auto run = begin(hub);
  CHECK(run.record.value("first_use.set_up").at("taken") == json::value(false));
  CHECK(run.record.is_unobserved("first_use.action"));
}

TEST_CASE("Weak passwords are filled in from their rules") {
  using probes::first_use::weak_passwords;
  PasswordRules rules;
  rules.weak = {{"short", "{random:5}", "", ""}, {"username", "x{username}", "", ""}, {"previous", "{old}", "", ""}};
  const auto all = weak_passwords(rules, "bo", Secret{"was", "old"});
  REQUIRE(all.size() == 3);
  CHECK(all[0].value.reveal().size() == 5);
  CHECK(all[1].value.reveal() == "xbo");
  CHECK(all[2].value.reveal() == "was");
  CHECK(weak_passwords(rules, "bo", Secret{}).size() == 2);
}

TEST_CASE("What is drawn has the classes that it says, and no equal characters in a row") {
  using probes::first_use::weak_passwords;
  PasswordRules rules;
  rules.weak = {
      {"one_class", "{digits:10}", "", ""}, {"one_class", "{lower:10}", "", ""}, {"doubled", "kk{random:8}", "", ""}};
  const auto twins = [](const std::string& text) {
    int count = 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
      count += text[i] == text[i - 1] ? 1 : 0;
    }
    return count;
  };
  for (int i = 0; i < 100; ++i) {
    const auto all = weak_passwords(rules, "bo", Secret{});
    REQUIRE(all.size() == 3);
    CHECK(all[0].value.reveal().find_first_not_of("0123456789") == std::string::npos);
    CHECK(all[1].value.reveal().find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos);
    CHECK(all[2].value.reveal().starts_with("kk"));
    CHECK(all[2].value.reveal().find_first_of("0123456789") != std::string::npos);
    for (std::size_t one = 0; one < all.size(); ++one) {
      CHECK(all[one].value.reveal().size() == 10);
      CHECK(twins(all[one].value.reveal()) == (one == 2 ? 1 : 0));
    }
    auto hub = factory();
    if (i < 20) {
      begin(hub);
      CHECK(twins(hub->password) == 0);
    }
  }
}

}  // namespace assay::password_tests
