#pragma once

#include <string>
#include <vector>

#include "harness/model/run_plan.hpp"

namespace assay {

/// An account at the place where it logs in to read the version of a device.
struct KeptLogin {
  std::string address;
  Endpoint endpoint;
  std::string account;

  bool operator==(const KeptLogin&) const = default;
};

/// Of whose budget one login is set aside: the accounts of `version_at`, on the devices whose updates are attacked.
/// What guesses at passwords comes before that.
std::vector<KeptLogin> kept_logins(const RunPlan& plan);

}  // namespace assay
