#include "harness/plan/attack_times.hpp"

#include "harness/model/attacks.hpp"
#include "tests/support/catch.hpp"

using namespace assay;

namespace {

constexpr std::int64_t kTakes = 20000;

Attack timed_attack(std::string id, json::object server = {}, std::vector<std::string> needs = {}) {
  Attack out;
  out.id = std::move(id);
  out.server = std::move(server);
  out.needs = std::move(needs);
  return out;
}

AttackList timed_attacks() {
  AttackList out;
  out.attacks = {timed_attack("flip"), timed_attack("older", {}, {"older"}),
                 timed_attack("endless", {{"endless", true}}), timed_attack("power-50", {{"power_at", 50}}, {"power"}),
                 timed_attack("same")};
  out.attacks.back().after_update = true;
  return out;
}

Dut timed_device() {
  Dut out;
  UpdateMechanism mechanism;
  mechanism.mechanism = "UM-1";
  mechanism.takes_ms = kTakes;
  mechanism.restore = Recipe{};
  out.updates.push_back(mechanism);
  out.lab.power_cycle = Recipe{};
  return out;
}

PlannedStep timed_step(std::int64_t budget_s, const char* attacks = "all", bool restore = true) {
  PlannedStep out;
  out.id = "s2";
  out.parameters = {{"attacks", attacks}, {"mechanism", ""},      {"list", "update"},
                    {"restore", restore}, {"budget_s", budget_s}, {"watch_s", 0}};
  return out;
}

std::vector<std::string> ids_of(const AttackTimes& times) {
  std::vector<std::string> out;
  for (const auto& one : times.attacks) {
    out.push_back(one.id);
  }
  return out;
}

}  // namespace

TEST_CASE(
    "Attacks take what their kind takes, in the order in which they are tried; one whose need is not given takes "
    "none") {
  const auto times = attack_times(timed_step(900), timed_device(), timed_attacks());
  CHECK(ids_of(times) == std::vector<std::string>{"same", "flip", "endless", "power-50"});
  CHECK(times.attacks[1].estimate_ms == 2 * kTakes);
  CHECK(times.attacks[2].estimate_ms == 2 * kTakes + 5 * kTakes);
  CHECK(times.attacks[3].estimate_ms == 3 * kTakes);
  CHECK(times.controls_ms == 4 * kTakes);
  CHECK(times.needs_ms == (2 + 2 + 7 + 3 + 4) * kTakes);
  CHECK(times.fit());
  CHECK(times.left_out().empty());
}

TEST_CASE("Attacks that could end later than their budget are left out, with time for the last genuine update") {
  const auto times = attack_times(timed_step(200), timed_device(), timed_attacks());
  CHECK_FALSE(times.fit());
  CHECK(times.left_out() == std::vector<std::string>{"endless", "power-50"});
  const auto exact = attack_times(timed_step(18 * kTakes / 1000), timed_device(), timed_attacks());
  CHECK(exact.fit());
  CHECK(exact.left_out().empty());
}

TEST_CASE(
    "Attacks are those that were chosen; without a way back neither the first genuine update nor what follows it is "
    "tried") {
  CHECK(ids_of(attack_times(timed_step(900, " power-50,flip"), timed_device(), timed_attacks())) ==
        std::vector<std::string>{"flip", "power-50"});
  const auto times = attack_times(timed_step(900, "flip,same", false), timed_device(), timed_attacks());
  CHECK(ids_of(times) == std::vector<std::string>{"flip"});
  CHECK(times.controls_ms == 2 * kTakes);
  auto without = timed_device();
  without.updates[0].restore.reset();
  CHECK(attack_times(timed_step(900), without, timed_attacks()).attacks.empty());
}

TEST_CASE("Where a person reads the version, who is asked when the device has had its time, all takes longer") {
  constexpr std::int64_t kWatched = 3 * kTakes + 10000;
  auto device = timed_device();
  device.updates[0].version_at.prompt = Recipe{};
  const auto times = attack_times(timed_step(900, "flip,power-50"), device, timed_attacks());
  CHECK(times.attacks.at(0).estimate_ms == kWatched);
  CHECK(times.attacks.at(1).estimate_ms == kWatched + kTakes);
  CHECK(times.controls_ms == 2 * kWatched);
}

TEST_CASE("A device that is watched first is given the time to start before that") {
  auto device = timed_device();
  device.updates[0].serve = UpdateServer{};
  auto step = timed_step(900);
  const auto at_once = attack_times(step, device, timed_attacks());
  step.parameters["watch_s"] = 60;
  const auto watched = attack_times(step, device, timed_attacks());
  CHECK(watched.needs_ms == at_once.needs_ms + kTakes + 60000);
  CHECK(watched.watched_ms == kTakes + 60000);
  CHECK(at_once.watched_ms == 0);
}

TEST_CASE("A download that never ends is kept up for 12 s to 5 minutes") {
  UpdateMechanism mechanism;
  mechanism.takes_ms = 0;
  CHECK(hold_ms(mechanism) == 12000);
  mechanism.takes_ms = 3600000;
  CHECK(hold_ms(mechanism) == 300000);
}
