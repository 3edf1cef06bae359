#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/lab/device_process.hpp"
#include "harness/lab/emulation.hpp"
#include "harness/lab/placeholders.hpp"

namespace assay::lab {

/// A description turned into what will run: addresses and ports chosen, programs found, placeholders filled in.
struct Resolved {
  ResolvedDevice device;
  Placeholders placeholders;
  std::string address;
  std::string address6;
  std::string tester;  // where the device finds servers of the tester
  std::string variant;
  std::map<std::string, Endpoint> endpoints;
  std::map<std::string, Endpoint> tester_ports;
  std::vector<std::string> cannot_show;
};

Result<Resolved> resolve(const EmulationRequest& request, Isolation isolation, const std::filesystem::path& folder);

/// The DUT file's text. `{lab}` becomes the pace and, with a namespace, the vantage point it is probed from;
/// `{vantages}` that point alone, for a `lab` that says more.
Result<std::string> fill_dut(const Resolved& resolved, const std::string& dut_template, const std::string& netns);

}  // namespace assay::lab
