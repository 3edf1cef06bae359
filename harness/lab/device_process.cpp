#include "harness/lab/device_process.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "harness/lab/isolation.hpp"
#include "harness/lab/process.hpp"

namespace assay::lab {
namespace {

constexpr std::chrono::seconds kReadyWithin{25};  // some make keys and images first, and the machine may be busy
constexpr std::chrono::milliseconds kFirstPause{3};
constexpr std::chrono::milliseconds kLongestPause{48};
constexpr rlim_t kLargestFile = 64UL * 1024 * 1024;

std::string hex(std::uint32_t value, int digits) {
  std::string out(static_cast<std::size_t>(digits), '0');
  for (auto at = out.rbegin(); at != out.rend(); ++at, value >>= 4U) {
    *at = "0123456789ABCDEF"[value & 15U];
  }
  return out;
}

std::string last_words(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::string line;
  std::string last;
  while (std::getline(file, line)) {
    last = line.empty() ? last : line.substr(0, 300);
  }
  return last.empty() ? "it said nothing" : "it said: " + last;
}

std::filesystem::path log_of(const ResolvedDevice& device, const ResolvedDaemon& daemon) {
  return device.folder / "log" / (daemon.name + ".log");
}

/// Linux sends one ICMP error a second to each peer; a scan that proves UDP ports closed would wait for nothing else. Where
/// the kernel keeps its limit the device is only slower to look at.
void lift_icmp_limit() {
  for (const auto* limit : {"/proc/sys/net/ipv4/icmp_ratelimit", "/proc/sys/net/ipv6/icmp/ratelimit"}) {
    std::ofstream{limit} << "0";
  }
}

Result<> take_network(bool ipv6) {
  lift_icmp_limit();
  std::string commands = "link set lo up\naddr add " + std::string{kDeviceAddress} + "/24 dev eth0\n";
  if (ipv6) {
    commands += "addr add " + std::string{kDeviceAddress6} + "/64 dev eth0 nodad\n";
  }
  return run_program({"ip", "-batch", "-"}, commands + "link set eth0 up\n");
}

[[noreturn]] void become(const ResolvedDevice& device, const ResolvedDaemon& daemon) {
  // On loopback nothing else ends a daemon when its parent is killed; in namespaces the kernel does.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  const int log = open(log_of(device, daemon).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  const rlimit file_size{kLargestFile, kLargestFile};
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_FSIZE, &file_size);
  setrlimit(RLIMIT_CORE, &no_core);
  if (chdir(device.folder.c_str()) != 0) {
    _exit(127);
  }
  std::vector<char*> words;
  for (const auto& word : daemon.argv) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  std::array<const char*, 5> environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LANG=C", "TERM=linux",
                                         nullptr};
  execve(words.front(), words.data(), const_cast<char* const*>(environment.data()));
  _exit(127);
}

bool is_ready(const ResolvedDevice& device, const ResolvedDaemon& daemon) {
  for (const auto& port : daemon.ready) {
    if (!is_listening(port, device.loopback_address)) {
      return false;
    }
  }
  std::error_code ignored;
  return daemon.ready_file.empty() || std::filesystem::exists(daemon.ready_file, ignored);
}

/// Starts one daemon and waits until it is ready. Reading the kernel's table again and again is all there is: a foreign
/// program does not tell when it listens. A read costs milliseconds of a processor that the daemon may need, so that
/// the pauses grow.
Result<> start(const ResolvedDevice& device, const ResolvedDaemon& daemon) {
  const pid_t process = fork();
  if (process == 0) {
    become(device, daemon);
  }
  if (process < 0) {
    return system_error("cannot start " + daemon.name);
  }
  const auto give_up = std::chrono::steady_clock::now() + kReadyWithin;
  auto pause = kFirstPause;
  while (!is_ready(device, daemon)) {
    if (waitpid(process, nullptr, WNOHANG) == process) {
      return Error{ErrorKind::io, daemon.name + " ended before it was ready; " + last_words(log_of(device, daemon)),
                   ""};
    }
    if (std::chrono::steady_clock::now() > give_up) {
      return Error{ErrorKind::timed_out,
                   daemon.name + " was not ready within 25 s; " + last_words(log_of(device, daemon)), ""};
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  return {};
}

Result<> bring_up(const ResolvedDevice& device, int left, int go) {
  if (device.isolation != Isolation::loopback) {
    if (auto done = leave_tester(); !done) {
      return done;
    }
  }
  char byte = 'l';
  if (write(left, &byte, 1) != 1 || read(go, &byte, 1) != 1) {
    _exit(0);  // the supervisor is gone, or has reported already
  }
  if (device.isolation != Isolation::loopback) {
    if (auto done = take_network(device.ipv6); !done) {
      return done;
    }
    if (auto done = hide_host_files(device.folder, device.keep); !done) {
      return done;
    }
  }
  for (const auto& daemon : device.daemons) {
    if (auto done = start(device, daemon); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace

bool is_listening(Endpoint port, const std::string& address) {
  const bool tcp = port.transport == Transport::tcp;
  in_addr wanted{};
  inet_pton(AF_INET, address.c_str(), &wanted);
  for (const std::string table :
       {tcp ? "/proc/self/net/tcp" : "/proc/self/net/udp", tcp ? "/proc/self/net/tcp6" : "/proc/self/net/udp6"}) {
    std::ifstream file(table);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string number;
      std::string local;
      std::string remote;
      std::string state;
      words >> number >> local >> remote >> state;
      const auto colon = local.find(':');
      // 0A is LISTEN; an unconnected UDP socket shows 07. Addresses are hexadecimal in the machine's byte order.
      if (colon == std::string::npos || state != (tcp ? "0A" : "07") || local.substr(colon + 1) != hex(port.port, 4)) {
        continue;
      }
      const auto at = local.substr(0, colon);
      if (address.empty() || at.size() != 8 || at == "00000000" || at == hex(wanted.s_addr, 8)) {
        return true;
      }
    }
  }
  return false;
}

void run_device(const ResolvedDevice& device, int report, int left, int go) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a supervisor that died before this line never sends the byte waited for below
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const auto up = bring_up(device, left, go);
  const auto text = up ? std::string{kReady} : describe(up.error());
  if (write(report, text.data(), text.size()) < 0 || !up) {
    _exit(1);
  }
  close(report);
  for (;;) {
    if (wait(nullptr) < 0 && errno == ECHILD) {
      pause();  // every daemon has ended; the device is still there, as one with its services down
    }
  }
}

}  // namespace assay::lab
