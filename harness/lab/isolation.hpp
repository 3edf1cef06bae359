#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/model/emulated_device.hpp"
#include "harness/model/result.hpp"

namespace assay::lab {

/// Moves this process into a user namespace (when asked) with itself as root, a network namespace of its own, and its
/// next children into a process namespace. Nothing for loopback. Single-threaded processes only.
Result<> leave_host(Isolation isolation);

/// For the device's first process: its own network, host name, IPC and mounts (nothing propagates back).
Result<> leave_tester();

/// Puts the folder's etc, tmp, run and var in the place of the machine's, gives the device its own process table and
/// terminals, and keeps `keep` visible where they would be hidden. Call after leave_tester(), in a process namespace.
Result<> hide_host_files(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& keep);

/// Tries the isolation for real (namespaces, mounts, a veth pair) in a child that ends at once. Empty when it works.
std::string why_impossible(Isolation isolation);

}  // namespace assay::lab
