#pragma once

#include "harness/cli/context.hpp"
#include "harness/model/json.hpp"

namespace assay {

/// What the run was made with and on: tool, commit, libraries, system, clock. Becomes host.json.
json::object host_record(const Context& context);

/// One line of `assay doctor`: what this machine allows, and what it costs the verdicts when it does not.
struct Capability {
  std::string name;
  bool there = false;
  std::string detail;
  std::string cost;  // when it is not there
};
BOOST_DESCRIBE_STRUCT(Capability, (), (name, there, detail, cost))

std::vector<Capability> capabilities();

}  // namespace assay
