#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "harness/model/emulated_device.hpp"
#include "harness/model/endpoint.hpp"
#include "harness/model/result.hpp"

/// Devices made of real daemons, started on this machine (tests/devices/README.md).
namespace assay {

/// The strongest isolation that works here, found by trying (some 20 ms): root_namespaces for root, user_namespaces for
/// others, loopback where neither is allowed.
Isolation best_isolation();

struct EmulationRequest {
  std::string name;               // "camera-weak", for messages and the folder's name
  DeviceSpec spec;                // load_device()
  std::string dut_template;       // text of dut.yaml; may be empty
  std::string variant{};          // one of spec.variants, what {variant} becomes; empty: the first
  std::filesystem::path support;  // tests/devices/support, what {support} becomes
  std::filesystem::path work;     // where the device's private folder is made; empty: the system's temporary folder
  std::optional<Isolation> isolation{};  // empty: the best
};

/// A running device. Destruction stops it; so does the death of this process, however it comes. Nothing of it is left
/// behind: no process, namespace, mount or file.
class EmulatedDevice {
 public:
  EmulatedDevice(const EmulatedDevice&) = delete;
  EmulatedDevice& operator=(const EmulatedDevice&) = delete;
  ~EmulatedDevice();

  const std::string& name() const { return name_; }

  Isolation isolation() const { return isolation_; }

  /// Which of the folder's devices this is; empty where there is only one.
  const std::string& variant() const { return variant_; }

  /// Sentences on what this isolation hides.
  const std::vector<std::string>& cannot_show() const { return cannot_show_; }

  const std::string& address() const { return address_; }

  /// Empty where there is no IPv6.
  const std::string& address6() const { return address6_; }

  /// Name -> port it really has.
  const std::map<std::string, Endpoint>& endpoints() const { return endpoints_; }

  /// Name -> port of the tester's side that the device calls; nothing listens there yet.
  const std::map<std::string, Endpoint>& tester_ports() const { return tester_ports_; }

  /// Where the device looks for servers of the tester.
  const std::string& tester() const { return tester_; }

  /// The namespace the device is reached from ("/proc/123/ns/net"), empty on loopback. enter_namespace() takes it.
  std::string netns_path() const;
  /// The user namespace above it; empty unless isolation() is user_namespaces.
  std::string userns_path() const;

  /// The DUT file's text, filled in, and where it was written (gone after stop()).
  const std::string& dut_yaml() const { return dut_yaml_; }

  std::filesystem::path dut_path() const { return folder_ / "dut.yaml"; }

  /// The device's private folder, with log/NAME.log of each daemon.
  const std::filesystem::path& folder() const { return folder_; }

  /// False when the device as a whole has ended by itself. Single daemons may end without that.
  bool running();

  /// Ends all of it and waits for that. Twice does nothing.
  void stop();

 private:
  friend Result<std::unique_ptr<EmulatedDevice>> start_emulated(const EmulationRequest& request);
  EmulatedDevice() = default;

  pid_t supervisor_ = -1;
  std::string name_;
  Isolation isolation_ = Isolation::loopback;
  std::vector<std::string> cannot_show_;
  std::string address_;
  std::string address6_;
  std::string variant_;
  std::string tester_;
  std::map<std::string, Endpoint> endpoints_;
  std::map<std::string, Endpoint> tester_ports_;
  std::string dut_yaml_;
  std::filesystem::path folder_;
};

/// Starts a device and returns when all its daemons are ready (well below a second for most). Forks: call it before
/// other threads run. Errors: `bad_input` in the description, `unsupported` for a missing program or an isolation that
/// this machine does not allow, `io` and `timed_out` when a daemon does not come up, with its last words.
Result<std::unique_ptr<EmulatedDevice>> start_emulated(const EmulationRequest& request);

/// Moves the calling process into a network namespace, so that the sockets it opens from now on are there. An ordinary
/// user has to enter the user namespace above it first: this does so when needed (`userns` is looked up when empty).
/// Single-threaded processes only; there is no way back.
Result<> enter_namespace(const std::string& netns, const std::string& userns = "");

/// How to reach the device, for a person at a terminal.
std::string describe(const EmulatedDevice& device);

}  // namespace assay
