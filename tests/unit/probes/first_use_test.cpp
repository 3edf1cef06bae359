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
  CHECK(hub->password == probes::first_use::kStrong);
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

}  // namespace assay::password_tests
