#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/cli/context.hpp"
#include "harness/model/dut.hpp"

/// The first hour with a device: no file yet, nothing declared, one command.
namespace assay {

class Bundle;

/// A service that a run reached.
struct SeenService {
  std::string endpoint;
  std::string protocol;  // empty: not identified
  bool login = false;    // it asks for one
};

/// Each endpoint once, TCP first.
std::vector<SeenService> seen_services(const Bundle& bundle);

bool person_at_terminal();

/// A device of which only the address is known; its identity is asked when a person is there, else "unknown".
Dut undeclared_device(const std::string& address, bool ask);

/// Writes a dut.yaml to go on from, filled with what the run in `folder` found: never over an existing file.
void write_first_dut(Context& context, const std::filesystem::path& folder);

}  // namespace assay
