#include "harness/lab/isolation.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/lab/process.hpp"

namespace assay::lab {
namespace {

constexpr std::array<const char*, 4> kPrivateFolders{"etc", "tmp", "run", "var"};

Result<> write_proc(const char* path, const std::string& text) {
  const Descriptor file{open(path, O_WRONLY | O_CLOEXEC)};
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return system_error(std::string{"cannot write "} + path);
  }
  return {};
}

/// A user namespace in which this user is root and nobody else exists.
Result<> become_root_of_user_namespace() {
  const auto user = std::to_string(geteuid());
  const auto group = std::to_string(getegid());
  if (unshare(CLONE_NEWUSER) != 0) {
    return system_error("user namespaces are not allowed");
  }
  // The kernel wants setgroups denied before an ordinary user may map a group.
  if (auto done = write_proc("/proc/self/setgroups", "deny"); !done) {
    return done;
  }
  if (auto done = write_proc("/proc/self/uid_map", "0 " + user + " 1"); !done) {
    return done;
  }
  return write_proc("/proc/self/gid_map", "0 " + group + " 1");
}

Result<> mount_over(const std::string& from, const std::filesystem::path& to) {
  if (mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return system_error("cannot mount " + from + " on " + to.string());
  }
  return {};
}

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

bool gets_hidden(const std::filesystem::path& path) {
  for (const auto* name : kPrivateFolders) {
    if (is_below(path, std::filesystem::path("/") / name)) {
      return true;
    }
  }
  return false;
}

/// A new /proc is refused where the machine's own is partly covered (containers), terminals where devpts is missing:
/// the device then sees the machine's, which changes nothing on the network.
void mount_own_proc_and_terminals() {
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") == 0) {
    mount("/dev/pts/ptmx", "/dev/ptmx", nullptr, MS_BIND, nullptr);
  }
}

Result<> try_isolation(Isolation isolation) {
  if (auto done = leave_host(isolation); !done) {
    return done;
  }
  if (auto done = run_program({"ip", "link", "add", "tester", "type", "veth", "peer", "name", "device"}, ""); !done) {
    return done;
  }
  if (auto done = leave_tester(); !done) {
    return done;
  }
  return mount_over("/proc/self", "/tmp");
}

}  // namespace

Result<> leave_host(Isolation isolation) {
  if (isolation == Isolation::loopback) {
    return {};
  }
  if (isolation == Isolation::user_namespaces) {
    if (auto done = become_root_of_user_namespace(); !done) {
      return done;
    }
  }
  if (unshare(CLONE_NEWNET | CLONE_NEWPID) != 0) {
    return system_error("network and process namespaces are not allowed");
  }
  return {};
}

Result<> leave_tester() {
  if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) != 0) {
    return system_error("mount namespaces are not allowed");
  }
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return system_error("cannot keep mounts to the device");
  }
  return {};
}

Result<> hide_host_files(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& keep) {
  // What lies below a folder that gets hidden is held open and mounted again at its own path.
  std::vector<Descriptor> held;
  for (const auto& path : keep) {
    held.emplace_back(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!held.back()) {
      return system_error("cannot open " + path.string());
    }
  }
  const Descriptor private_folder{open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  const auto from = "/proc/self/fd/" + std::to_string(private_folder.get()) + "/";
  for (const auto* name : kPrivateFolders) {
    if (auto done = mount_over(from + name, std::filesystem::path("/") / name); !done) {
      return done;
    }
  }
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (!gets_hidden(keep[i])) {
      continue;
    }
    std::error_code failed;
    std::filesystem::create_directories(keep[i], failed);
    if (auto done = mount_over("/proc/self/fd/" + std::to_string(held[i].get()), keep[i]); !done) {
      return done;
    }
  }
  mount_own_proc_and_terminals();
  return {};
}

std::string why_impossible(Isolation isolation) {
  if (isolation == Isolation::loopback) {
    return {};
  }
  if (isolation == Isolation::root_namespaces && geteuid() != 0) {
    return "it needs root";
  }
  auto answer = make_pipe();
  if (!answer) {
    return describe(answer.error());
  }
  const pid_t child = fork();
  if (child == 0) {
    const auto tried = try_isolation(isolation);
    const auto text = tried ? std::string{} : describe(tried.error());
    const auto wrote = write(answer->write.get(), text.data(), text.size());
    _exit(tried && wrote == 0 ? 0 : 1);
  }
  answer->write.close();
  std::array<char, 512> text{};
  const auto got = read(answer->read.get(), text.data(), text.size());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    return "no process can be started";
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return {};
  }
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "the trial of it ended early";
}

}  // namespace assay::lab
