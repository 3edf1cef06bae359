#include "harness/engine/kept_logins.hpp"

#include <algorithm>

namespace assay {

namespace {

/// Of `version_at`: where somebody logs in, and in which role.
std::vector<std::pair<Endpoint, std::string>> logins_of(const VersionSource& source) {
  std::vector<std::pair<Endpoint, std::string>> out;
  if (source.mqtt && source.mqtt->port) {
    out.emplace_back(*source.mqtt->port, source.mqtt->login);
  }
  if (source.ssh) {
    out.emplace_back(source.ssh->port, source.ssh->login);
  }
  if (source.snmp) {
    out.emplace_back(source.snmp->port, source.snmp->login);
  }
  return out;
}

}  // namespace

std::vector<KeptLogin> kept_logins(const RunPlan& plan) {
  std::vector<KeptLogin> out;
  const auto& accounts = plan.dut.accounts;
  for (const auto& step : plan.steps) {
    if (!step.allowed || step.probe != "update") {
      continue;
    }
    for (const auto& mechanism : plan.dut.updates) {
      for (const auto& [endpoint, role] : logins_of(mechanism.version_at)) {
        const auto account = std::find_if(accounts.begin(), accounts.end(),
                                          [&, &wanted = role](const auto& one) { return one.role == wanted; });
        if (!role.empty() && account != accounts.end()) {
          out.push_back({step.target.address, endpoint, account->username});
        }
      }
    }
  }
  return out;
}

}  // namespace assay
