#include "harness/lab/emulation.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/lab/device_files.hpp"
#include "harness/lab/device_process.hpp"
#include "harness/lab/isolation.hpp"
#include "harness/lab/process.hpp"
#include "harness/lab/resolve.hpp"

namespace assay {
namespace {

constexpr int kStartWithinMs = 30'000;
constexpr std::chrono::seconds kStopWithin{5};

std::string proc_path(pid_t process, const char* name) {
  return "/proc/" + std::to_string(process) + "/ns/" + name;
}

/// What the supervisor says until it closes the pipe.
std::string read_report(int from) {
  std::string out;
  std::array<char, 1024> block{};
  for (;;) {
    pollfd watched{from, POLLIN, 0};
    const int ready = poll(&watched, 1, kStartWithinMs);
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    const auto got = ready > 0 ? read(from, block.data(), block.size()) : 0;
    if (got <= 0) {
      return ready == 0 ? "it did not start within 30 s" : out;
    }
    out.append(block.data(), static_cast<std::size_t>(got));
  }
}

/// Forks the supervisor. The child never returns from here.
Result<pid_t> launch(const lab::ResolvedDevice& device, lab::Pipe& report) {
  const auto self = lab::open_pidfd(getpid());
  if (!self) {
    return Error{ErrorKind::unsupported, "emulated devices need Linux 5.3 or newer", ""};
  }
  const pid_t process = fork();
  if (process < 0) {
    return lab::system_error("cannot start a process for the device");
  }
  if (process == 0) {
    lab::supervise(device, {report.write.get(), self.get()});
  }
  report.write.close();
  return process;
}

Result<> write_dut(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  return out ? Result<>{} : Result<>{Error{ErrorKind::io, "cannot write " + path.string(), ""}};
}

Result<Isolation> choose(const EmulationRequest& request) {
  if (!request.isolation) {
    return best_isolation();
  }
  if (const auto reason = lab::why_impossible(*request.isolation); !reason.empty()) {
    return Error{ErrorKind::unsupported,
                 "this machine cannot isolate a device by " + enum_name(*request.isolation) + ": " + reason, ""};
  }
  return *request.isolation;
}

/// Removes the folder of a device that did not start. One that did is removed by its supervisor.
class FolderGuard {
 public:
  explicit FolderGuard(std::filesystem::path folder) : folder_(std::move(folder)) {}

  FolderGuard(const FolderGuard&) = delete;
  FolderGuard& operator=(const FolderGuard&) = delete;

  ~FolderGuard() {
    std::error_code ignored;
    if (!folder_.empty()) {
      std::filesystem::remove_all(folder_, ignored);
    }
  }

  void release() { folder_.clear(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace

Isolation best_isolation() {
  for (const auto isolation : {Isolation::root_namespaces, Isolation::user_namespaces}) {
    if (lab::why_impossible(isolation).empty()) {
      return isolation;
    }
  }
  return Isolation::loopback;
}

Result<std::unique_ptr<EmulatedDevice>> start_emulated(const EmulationRequest& request) {
  auto isolation = choose(request);
  if (!isolation) {
    return isolation.error();
  }
  auto folder = lab::make_device_folder(request.work, request.name);
  if (!folder) {
    return folder.error();
  }
  FolderGuard guard{*folder};
  std::unique_ptr<EmulatedDevice> out{new EmulatedDevice};
  auto resolved = lab::resolve(request, *isolation, *folder);
  if (!resolved) {
    return resolved.error();
  }
  if (auto done = lab::write_device_files(*folder, request.spec, *isolation, resolved->placeholders); !done) {
    return done.error();
  }
  auto report = lab::make_pipe();
  if (!report) {
    return report.error();
  }
  auto supervisor = launch(resolved->device, *report);
  if (!supervisor) {
    return supervisor.error();
  }
  out->supervisor_ = *supervisor;
  out->name_ = request.name;
  out->isolation_ = *isolation;
  out->cannot_show_ = resolved->cannot_show;
  out->address_ = resolved->address;
  out->address6_ = resolved->address6;
  out->endpoints_ = resolved->endpoints;
  out->variant_ = resolved->variant;
  out->tester_ = resolved->tester;
  out->tester_ports_ = resolved->tester_ports;
  out->folder_ = *folder;
  if (const auto said = read_report(report->read.get()); said != lab::kReady) {
    return Error{ErrorKind::io,
                 "device " + request.name + " did not start: " + (said.empty() ? "its first process ended" : said), ""};
  }
  auto dut = lab::fill_dut(*resolved, request.dut_template, out->netns_path());
  if (!dut) {
    return dut.error();
  }
  out->dut_yaml_ = *dut;
  if (auto done = write_dut(out->dut_path(), *dut); !done) {
    return done.error();
  }
  guard.release();
  return out;
}

EmulatedDevice::~EmulatedDevice() {
  stop();
}

std::string EmulatedDevice::netns_path() const {
  return isolation_ == Isolation::loopback || supervisor_ < 0 ? "" : proc_path(supervisor_, "net");
}

std::string EmulatedDevice::userns_path() const {
  return isolation_ != Isolation::user_namespaces || supervisor_ < 0 ? "" : proc_path(supervisor_, "user");
}

bool EmulatedDevice::running() {
  if (supervisor_ > 0 && waitpid(supervisor_, nullptr, WNOHANG) == supervisor_) {
    supervisor_ = -1;
  }
  return supervisor_ > 0;
}

void EmulatedDevice::stop() {
  if (!running()) {
    return;
  }
  const auto ended = lab::open_pidfd(supervisor_);
  kill(supervisor_, SIGTERM);
  if (!lab::has_ended(ended, kStopWithin)) {
    kill(supervisor_, SIGKILL);  // its child dies with it
  }
  while (waitpid(supervisor_, nullptr, 0) < 0 && errno == EINTR) {
  }
  supervisor_ = -1;
}

Result<> enter_namespace(const std::string& netns, const std::string& userns) {
  const lab::Descriptor network{open(netns.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!network) {
    return lab::system_error("cannot open the network namespace " + netns);
  }
  if (setns(network.get(), CLONE_NEWNET) == 0) {
    return {};
  }
  if (errno != EPERM) {
    return lab::system_error(netns + " is not a network namespace");
  }
  const lab::Descriptor user{userns.empty() ? ioctl(network.get(), NS_GET_USERNS)
                                            : open(userns.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!user || setns(user.get(), CLONE_NEWUSER) != 0 || setns(network.get(), CLONE_NEWNET) != 0) {
    return lab::system_error("cannot enter the network namespace " + netns);
  }
  return {};
}

std::string describe(const EmulatedDevice& device) {
  std::string out = "device:    " + device.name() + " (" + enum_name(device.isolation()) + ")\n";
  out += "address:   " + device.address() + (device.address6().empty() ? "" : " and " + device.address6()) + "\n";
  out += "ports:    ";
  for (const auto& [name, endpoint] : device.endpoints()) {
    out += " " + name + " " + endpoint.text();
  }
  out += "\nDUT file:  " + device.dut_path().string() + "\n";
  if (const auto netns = device.netns_path(); !netns.empty()) {
    const auto user = device.userns_path();
    out += "namespace: " + netns + "\nreach it:  nsenter " +
           (user.empty() ? "" : "--user=" + user + " --preserve-credentials ") + "--net=" + netns + " COMMAND\n";
  }
  for (const auto& sentence : device.cannot_show()) {
    out += "note:      " + sentence + "\n";
  }
  return out;
}

}  // namespace assay
