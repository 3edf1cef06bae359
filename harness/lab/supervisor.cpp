#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/lab/device_process.hpp"
#include "harness/lab/isolation.hpp"
#include "harness/lab/process.hpp"

namespace assay::lab {
namespace {

/// Descriptors 3 and 4 are the link; everything else that the starter had open is closed: a stray copy of a socket or
/// of a lock would live as long as the device.
SupervisorLink keep_only(const SupervisorLink& link, const std::filesystem::path& folder) {
  const int report = fcntl(link.report, F_DUPFD, 100);
  const int starter = fcntl(link.starter, F_DUPFD, 100);
  const int nothing = open("/dev/null", O_RDONLY);
  const int log = open((folder / "log/device.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  dup2(report, 3);
  dup2(starter, 4);
  syscall(SYS_close_range, 5U, ~0U, 0U);
  fcntl(3, F_SETFD, FD_CLOEXEC);
  fcntl(4, F_SETFD, FD_CLOEXEC);
  return {3, 4};
}

/// From here on SIGTERM, SIGINT and SIGCHLD are read from the returned descriptor.
Descriptor take_signals() {
  for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGPIPE, SIGUSR1, SIGUSR2}) {
    signal(number, SIG_DFL);  // the starter's handlers belong to the starter
  }
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGCHLD}) {
    sigaddset(&signals, number);
  }
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  return Descriptor{signalfd(-1, &signals, SFD_CLOEXEC)};
}

void report(int to, const Error& error) {
  const auto text = describe(error);
  // Nobody is left to tell when this fails: the starter sees the end of the pipe.
  [[maybe_unused]] const auto wrote = write(to, text.data(), text.size());
}

/// The veth pair and the tester's end of it. The device's first process is process 1 of the namespace that `ip` is
/// started in.
Result<> make_link(bool ipv6) {
  std::string commands = "link set lo up\nlink add tester type veth peer name eth0 netns 1\naddr add " +
                         std::string{kTesterAddress} + "/24 dev tester\n";
  if (ipv6) {
    commands += "addr add " + std::string{kTesterAddress6} + "/64 dev tester nodad\n";
  }
  return run_program({"ip", "-batch", "-"}, commands + "link set tester up\n");
}

/// True while the device shall live.
bool wait_for_end(const Descriptor& signals, int starter, pid_t device) {
  std::array<pollfd, 2> watched{pollfd{signals.get(), POLLIN, 0}, pollfd{starter, POLLIN, 0}};
  if (poll(watched.data(), watched.size(), -1) < 0) {
    return errno == EINTR;
  }
  if (watched[1].revents != 0) {
    return false;  // the starter is gone
  }
  signalfd_siginfo info{};
  if (read(signals.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return errno == EINTR;
  }
  if (info.ssi_signo != SIGCHLD) {
    return false;
  }
  for (pid_t ended = 0; (ended = waitpid(-1, nullptr, WNOHANG)) > 0;) {
    if (ended == device) {
      return false;
    }
  }
  return true;
}

[[noreturn]] void end(const ResolvedDevice& device, pid_t first) {
  if (first > 0) {
    kill(first, SIGKILL);
  }
  kill_all_children();
  std::error_code ignored;
  std::filesystem::remove_all(device.folder, ignored);
  _exit(0);
}

}  // namespace

void supervise(const ResolvedDevice& device, const SupervisorLink& from_starter) {
  setsid();  // Ctrl-C at the terminal is for the starter, which then stops the device in order
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "assay-device");
  const auto link = keep_only(from_starter, device.folder);
  const auto signals = take_signals();
  auto left = make_pipe();
  auto go = make_pipe();
  auto done = leave_host(device.isolation);
  if (!done || !left || !go) {
    report(link.report, !done ? done.error() : system_error("cannot make a pipe"));
    end(device, -1);
  }
  const pid_t first = fork();
  if (first == 0) {
    close(link.starter);
    left->read.close();
    go->write.close();
    run_device(device, link.report, left->write.get(), go->read.get());
  }
  left->write.close();
  char byte = 0;
  if (first > 0 && read(left->read.get(), &byte, 1) == 1) {
    done = device.isolation == Isolation::loopback ? Result<>{} : make_link(device.ipv6);
    if (!done) {
      report(link.report, done.error());
      end(device, first);
    }
    byte = 'g';
    [[maybe_unused]] const auto wrote = write(go->write.get(), &byte, 1);
  }
  close(link.report);
  while (first > 0 && wait_for_end(signals, link.starter, first)) {
  }
  end(device, first);
}

}  // namespace assay::lab
