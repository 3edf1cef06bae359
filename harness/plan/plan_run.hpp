#pragma once

#include <string>
#include <vector>

#include "harness/model/dut.hpp"
#include "harness/model/plan.hpp"
#include "harness/model/run_plan.hpp"

namespace assay {

struct PlanOptions {
  std::string date;  // RFC 3339 UTC
  Intrusiveness allow = Intrusiveness::intrusive;
  std::vector<std::string> vantages = {"lan"};  // this machine can probe from
  std::string state = "initialised";            // the state the device is in
  bool person = false;                          // somebody is at the terminal and can be asked
  std::vector<std::string> assumptions;
};

/// Where this machine can probe the device from: its own LAN, and what the DUT file's lab says.
std::vector<std::string> vantages_of(const Dut& dut);

/// (plan, declaration, probes) -> run plan. Pure. Decides applicability with the reason, makes the graph of steps with
/// equal ones merged, and binds units to steps. Input errors (unknown ids, bad parameters) come back all at once.
Result<RunPlan> make_run_plan(const Plan& plan, const Dut& dut, const ProbeCatalogue& probes,
                              const PlanOptions& options);

}  // namespace assay
