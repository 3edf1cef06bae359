#include "harness/engine/kept_logins.hpp"

#include "tests/support/catch.hpp"

namespace assay {
namespace {

RunPlan attacking(bool allowed) {
  RunPlan plan;
  plan.dut.accounts = {{"guest", "visitor", {}}, {"admin", "maker", {}}, {"admin", "other", {}}, {"reader", "", {}}};
  plan.dut.updates.resize(3);
  plan.dut.updates[0].version_at.ssh = VersionCommand{{Transport::tcp, 22}, "admin", "cat /etc/version"};
  plan.dut.updates[1].version_at.snmp = VersionObject{};
  plan.dut.updates[1].version_at.snmp->port = {Transport::udp, 161};
  plan.dut.updates[1].version_at.snmp->login = "reader";
  plan.dut.updates[2].version_at.mqtt = VersionTopic{Endpoint{Transport::tcp, 1883}, false, "", "hub/version"};
  PlannedStep guesses;
  guesses.probe = "credentials";
  guesses.allowed = true;
  guesses.target.address = "192.0.2.8";
  plan.steps.push_back(guesses);
  PlannedStep attacks;
  attacks.probe = "update";
  attacks.allowed = allowed;
  attacks.target.address = "192.0.2.7";
  plan.steps.push_back(attacks);
  return plan;
}

TEST_CASE("engine: one login is kept for each account that reads a version, where updates are attacked") {
  const std::vector<KeptLogin> expected{{"192.0.2.7", {Transport::tcp, 22}, "maker"},
                                        {"192.0.2.7", {Transport::udp, 161}, ""}};
  CHECK(kept_logins(attacking(true)) == expected);
  CHECK(kept_logins(attacking(false)).empty());
}

}  // namespace
}  // namespace assay
