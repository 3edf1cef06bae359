#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/model/emulated_device.hpp"
#include "harness/model/endpoint.hpp"

/// The two processes behind an emulated device. The *supervisor*, a child of the starter, lives in the tester-side
/// network and ends everything when the starter asks, dies, or the device ends. Its child, the *device's first
/// process*, is process 1 of the device's process namespace and starts the daemons: with it every daemon dies, whatever
/// it did.
namespace assay::lab {

constexpr std::string_view kTesterAddress = "10.66.0.1";
constexpr std::string_view kDeviceAddress = "10.66.0.2";
constexpr std::string_view kTesterAddress6 = "fd00:66::1";
constexpr std::string_view kDeviceAddress6 = "fd00:66::2";

struct ResolvedDaemon {
  std::string name;
  std::vector<std::string> argv;  // the program's full path first
  std::vector<Endpoint> ready;
  std::filesystem::path ready_file;
};

/// A device with every placeholder filled in.
struct ResolvedDevice {
  Isolation isolation = Isolation::loopback;
  std::filesystem::path folder;
  std::vector<std::filesystem::path> keep;  // folders that daemons read
  std::vector<ResolvedDaemon> daemons;
  std::string loopback_address;  // where ready ports listen without namespaces
  bool ipv6 = false;
};

/// What the supervisor needs of its starter.
struct SupervisorLink {
  int report = -1;   // gets "ready" or a sentence that says why not
  int starter = -1;  // pidfd of the starter
};

inline constexpr std::string_view kReady = "ready";

/// Runs the device until the starter sends SIGTERM or ends; removes the folder. Call in a freshly forked child.
[[noreturn]] void supervise(const ResolvedDevice& device, const SupervisorLink& link);

/// The device's first process: takes its side of the network, starts the daemons, reports, reaps. `report` is closed
/// once used; `go` gives one byte when the tester's side of the network is there. `left` is told when it left it.
[[noreturn]] void run_device(const ResolvedDevice& device, int report, int left, int go);

/// Does a TCP or UDP port listen here? Read from the kernel's table, so that no connection disturbs the daemon.
/// `address` is an IPv4 address on loopback, empty for any.
bool is_listening(Endpoint port, const std::string& address);

}  // namespace assay::lab
