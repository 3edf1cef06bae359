#include "harness/lab/resolve.hpp"

#include <arpa/inet.h>
#include <fstream>
#include <random>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/lab/certificates.hpp"
#include "harness/lab/device_files.hpp"
#include "harness/lab/process.hpp"

namespace assay::lab {
namespace {

/// New namespaces may take over the machine's switches.
bool machine_has_ipv6() {
  for (const auto* name : {"all", "default"}) {
    std::ifstream file(std::string{"/proc/sys/net/ipv6/conf/"} + name + "/disable_ipv6");
    int disabled = 1;
    if (!(file >> disabled) || disabled != 0) {
      return false;
    }
  }
  return true;
}

/// Any of the 16 million loopback addresses, so that devices side by side do not meet.
std::string random_loopback_address() {
  std::random_device source;
  std::uniform_int_distribution<int> byte{1, 254};
  return "127." + std::to_string(byte(source)) + "." + std::to_string(byte(source)) + "." +
         std::to_string(byte(source));
}

/// A port that is free at this address now; 0 when none can be had.
std::uint16_t free_port(const std::string& address, Transport transport) {
  const Descriptor socket{
      ::socket(AF_INET, (transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  inet_pton(AF_INET, address.c_str(), &at.sin_addr);
  socklen_t size = sizeof at;
  auto* raw = reinterpret_cast<sockaddr*>(&at);
  if (bind(socket.get(), raw, size) != 0 || getsockname(socket.get(), raw, &size) != 0) {
    return 0;
  }
  return ntohs(at.sin_port);
}

/// The ports of one side, at `address`.
Result<std::map<std::string, Endpoint>> choose_ports(const std::map<std::string, Endpoint>& wanted, Isolation isolation,
                                                     const std::string& address) {
  std::map<std::string, Endpoint> out;
  for (const auto& [name, endpoint] : wanted) {
    auto port = endpoint;
    if (isolation == Isolation::loopback) {
      port.port = free_port(address, endpoint.transport);
      if (port.port == 0) {
        return Error{ErrorKind::io, "no free port on " + address, ""};
      }
    }
    out.emplace(name, port);
  }
  return out;
}

Result<> choose_endpoints(Resolved& out, const DeviceSpec& spec) {
  auto own = choose_ports(spec.ports, out.device.isolation, out.address);
  if (!own) {
    return own.error();
  }
  auto tester = choose_ports(spec.tester_ports, out.device.isolation, out.tester);
  if (!tester) {
    return tester.error();
  }
  out.endpoints = std::move(*own);
  out.tester_ports = std::move(*tester);
  return {};
}

/// The variant that is meant; empty for a device without any.
Result<std::string> choose_variant(const EmulationRequest& request) {
  const auto& variants = request.spec.variants;
  if (request.variant.empty()) {
    return variants.empty() ? std::string{} : variants.front().name;
  }
  for (const auto& one : variants) {
    if (one.name == request.variant) {
      return one.name;
    }
  }
  return Error{ErrorKind::bad_input, "the device has no variant \"" + request.variant + "\"", ""};
}

void set_placeholders(Resolved& out, const EmulationRequest& request) {
  auto& names = out.placeholders;
  const bool loopback = out.device.isolation == Isolation::loopback;
  const std::string any = out.device.ipv6 ? "::" : "0.0.0.0";
  names.set("dir", out.device.folder.string());
  names.set("support", request.support.string());
  names.set("address", out.address);
  names.set("address6", out.address6.empty() ? out.address : out.address6);
  names.set("listen", loopback ? out.address : any);
  names.set("listen_url", loopback ? out.address : out.device.ipv6 ? "[::]" : "0.0.0.0");
  names.set("any4", loopback ? out.address : "0.0.0.0");
  names.set("isolation", enum_name(out.device.isolation));
  names.set("variant", out.variant);
  names.set("tester", out.tester);
  for (const auto& [name, endpoint] : out.tester_ports) {
    names.set("tester:" + name, std::to_string(endpoint.port));
  }
  // The system's interpreter first: one of a user's own environment may be a script that needs the home folder.
  const auto system_python = find_program("/usr/bin/python3");
  names.set("python", (system_python.empty() ? find_program("python3") : system_python).string());
  for (const auto& [name, endpoint] : out.endpoints) {
    names.set("port:" + name, std::to_string(endpoint.port));
  }
  for (const auto& certificate : request.spec.certificates) {
    names.set("cert:" + certificate.name, certificate_file(out.device.folder / "certificates", certificate.name));
    names.set("key:" + certificate.name, key_file(out.device.folder / "certificates", certificate.name));
  }
}

Error missing_program(const std::string& daemon, const std::string& program) {
  return Error{ErrorKind::unsupported,
               "daemon " + daemon + " needs the program \"" + program + "\", which is not installed", ""};
}

Result<ResolvedDaemon> resolve_daemon(const Resolved& device, const DaemonSpec& spec) {
  ResolvedDaemon out{spec.name, {}, {}, {}};
  for (const auto& word : spec.argv) {
    auto filled = device.placeholders.fill(word, "daemon " + spec.name);
    if (!filled) {
      return filled.error();
    }
    out.argv.push_back(*filled);
  }
  if (out.argv.empty()) {
    return Error{ErrorKind::bad_input, "daemon " + spec.name + " has no program in argv", ""};
  }
  const auto program = find_program(out.argv.front());
  if (program.empty()) {
    return missing_program(spec.name, out.argv.front().empty() ? "python3" : out.argv.front());
  }
  out.argv.front() = program.string();
  for (const auto& needed : spec.needs) {
    if (find_program(needed).empty()) {
      return missing_program(spec.name, needed);
    }
  }
  for (const auto& port : spec.ready) {
    const auto found = device.endpoints.find(port);
    if (found == device.endpoints.end()) {
      return Error{ErrorKind::bad_input,
                   "daemon " + spec.name + ": ready names the port \"" + port + "\", which ports does not list", ""};
    }
    out.ready.push_back(found->second);
  }
  if (!spec.ready_file.empty()) {
    out.ready_file = device.device.folder / spec.ready_file;
  }
  return out;
}

std::vector<std::string> limits_of(Isolation isolation, const DeviceSpec& spec) {
  std::vector<std::string> out;
  if (isolation == Isolation::loopback) {
    out.emplace_back("On loopback, services of this machine that listen on all addresses show up as the device's.");
    out.emplace_back("On loopback, ports are not the usual ones and nothing is filtered or lost.");
  }
  if (const auto own = spec.cannot_show.find(enum_name(isolation)); own != spec.cannot_show.end()) {
    out.insert(out.end(), own->second.begin(), own->second.end());
  }
  return out;
}

}  // namespace

Result<Resolved> resolve(const EmulationRequest& request, Isolation isolation, const std::filesystem::path& folder) {
  Resolved out;
  const bool loopback = isolation == Isolation::loopback;
  out.device.isolation = isolation;
  out.device.folder = folder;
  out.device.keep = {folder};
  if (!request.support.empty()) {
    out.device.keep.push_back(std::filesystem::absolute(request.support));
  }
  out.device.ipv6 = !loopback && machine_has_ipv6();
  out.address = loopback ? random_loopback_address() : std::string{kDeviceAddress};
  // On loopback a server of the tester is where connections of this machine come from unless told otherwise.
  out.tester = loopback ? "127.0.0.1" : std::string{kTesterAddress};
  out.address6 = out.device.ipv6 ? std::string{kDeviceAddress6} : "";
  out.device.loopback_address = loopback ? out.address : "";
  out.cannot_show = limits_of(isolation, request.spec);
  auto variant = choose_variant(request);
  if (!variant) {
    return variant.error();
  }
  out.variant = *variant;
  if (auto done = choose_endpoints(out, request.spec); !done) {
    return done.error();
  }
  set_placeholders(out, request);
  for (const auto& spec : request.spec.daemons) {
    if (!applies(spec.modes, isolation)) {
      continue;
    }
    auto daemon = resolve_daemon(out, spec);
    if (!daemon) {
      return daemon.error();
    }
    out.device.daemons.push_back(std::move(*daemon));
  }
  return out;
}

Result<std::string> fill_dut(const Resolved& resolved, const std::string& dut_template, const std::string& netns) {
  auto names = resolved.placeholders;
  // Nobody is locked out of an emulated device, but a daemon that answers after seconds would make every run wait. Ten
  // wrong logins have to be left beside the right one, the first two and the reserve.
  const std::string pace = "pace: {profile: fast, guesses_per_login: 15}";
  names.set("vantages", netns.empty() ? "vantages: {}" : "vantages: {lan: {netns: " + netns + "}}");
  names.set("lab", netns.empty() ? pace : pace + "\nlab:\n  vantages:\n    lan: {netns: " + netns + "}");
  return names.fill(dut_template, "the DUT file");
}

}  // namespace assay::lab
