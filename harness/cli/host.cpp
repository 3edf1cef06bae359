#include "harness/cli/host.hpp"

#include <cstdlib>
#include <fstream>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/version.hpp>
#include <openssl/crypto.h>

#include "harness/cli/app.hpp"

namespace assay {

namespace {

std::string os_name() {
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("PRETTY_NAME=")) {
      auto name = line.substr(12);
      std::erase(name, '"');
      return name;
    }
  }
  return "unknown";
}

std::string boost_version() {
  return std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000) + "." +
         std::to_string(BOOST_VERSION % 100);
}

/// The kernel's own view: whether something disciplines the clock, and by how much it thinks it is off.
json::object clock_record() {
  timex state{};
  const int status = adjtimex(&state);
  const bool nano = (state.status & STA_NANO) != 0;
  return {{"source", "system clock"},
          {"synchronised", status != TIME_ERROR && (state.status & STA_UNSYNC) == 0},
          {"offset_us", nano ? state.offset / 1000 : state.offset},
          {"maximum_error_us", state.maxerror}};
}

bool can_open(int domain, int type, int protocol) {
  const int descriptor = socket(domain, type | SOCK_CLOEXEC, protocol);
  if (descriptor < 0) {
    return false;
  }
  close(descriptor);
  return true;
}

/// In a child, so that this process stays where it is.
bool can_unshare(int flags) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(unshare(flags) == 0 ? 0 : 1);
  }
  int status = 1;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool on_path(const std::string& program) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): before any thread
  std::string folders = std::string{path != nullptr ? path : ""} + ":/usr/sbin:/sbin";
  for (std::size_t from = 0; from <= folders.size();) {
    const auto colon = std::min(folders.find(':', from), folders.size());
    if (colon > from && access((folders.substr(from, colon - from) + "/" + program).c_str(), X_OK) == 0) {
      return true;
    }
    from = colon + 1;
  }
  return false;
}

Capability descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return {"descriptors", limit.rlim_max >= 4096, std::to_string(limit.rlim_max) + " sockets at once",
          "Scans keep fewer connections in flight and take longer. Raise `ulimit -Hn`."};
}

}  // namespace

json::object host_record(const Context&) {
  utsname system{};
  uname(&system);
  json::object libraries{{"openssl", OpenSSL_version(OPENSSL_VERSION)}, {"boost", boost_version()}};
  return {{"format", "host/1"},
          {"tool", std::string{"assay "} + kVersion},
          {"commit", kCommit},
          {"compiler", __VERSION__},
          {"libraries", std::move(libraries)},
          {"os", os_name()},
          {"kernel", std::string{system.sysname} + " " + system.release + " " + system.machine},
          {"privileged", geteuid() == 0},
          {"clock", clock_record()}};
}

std::vector<Capability> capabilities() {
  const bool root_namespaces = can_unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID);
  const bool user_namespaces = can_unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID);
  const auto clock = clock_record();
  std::vector<Capability> all;
  all.push_back(
      {"raw-sockets", can_open(AF_INET, SOCK_RAW, IPPROTO_TCP), "raw TCP packets",
       "Port scans use connect(): slower on filtered ports, and a filtered port cannot be told by ICMP code."});
  all.push_back({"capture", can_open(AF_PACKET, SOCK_RAW, 0), "packet capture",
                 "No packet captures in the evidence; transcripts of each exchange are kept all the same."});
  all.push_back({"network-namespaces", root_namespaces, "emulated devices in namespaces of their own",
                 "Emulated devices fall back to user namespaces or to loopback addresses."});
  all.push_back({"user-namespaces", user_namespaces, "emulated devices as an ordinary user",
                 "Without root, emulated devices run on loopback addresses with high ports: absence of other listeners "
                 "and logins that need groups cannot be shown."});
  all.push_back(descriptors());
  all.push_back({"clock", clock.at("synchronised").as_bool(), "disciplined by a time source",
                 "Times in the bundle are only as good as this machine's clock; a laboratory needs a stated offset."});
  for (const auto* program : {"ip", "busybox", "lighttpd", "dropbear", "mosquitto", "vsftpd"}) {
    all.push_back(
        {std::string{"program-"} + program, on_path(program), "for emulated devices",
         std::string{"Emulated devices that use "} + program + " cannot be started. Run: make install-packages"});
  }
  return all;
}

}  // namespace assay
