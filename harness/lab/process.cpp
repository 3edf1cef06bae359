#include "harness/lab/process.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace assay::lab {
namespace {

/// Parent of a process by /proc, or -1 when it is gone.
pid_t parent_of(const std::filesystem::path& process) {
  std::ifstream file(process / "stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');  // the name may hold blanks and parentheses
  if (name_end == std::string::npos || name_end + 4 >= line.size()) {
    return -1;
  }
  pid_t parent = -1;
  std::from_chars(line.data() + name_end + 4, line.data() + line.size(), parent);
  return parent;
}

std::vector<pid_t> children() {
  std::vector<pid_t> out;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto name = entry.path().filename().string();
    pid_t process = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), process);
    if (read.ec == std::errc{} && read.ptr == name.data() + name.size() && parent_of(entry.path()) == getpid()) {
      out.push_back(process);
    }
  }
  return out;
}

void write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const auto wrote = write(to, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

/// Reads to the end and keeps the last bytes.
std::string read_tail(int from) {
  std::string out;
  std::array<char, 4096> block{};
  for (;;) {
    const auto got = read(from, block.data(), block.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return out;
    }
    out.append(block.data(), static_cast<std::size_t>(got));
    if (out.size() > 2 * block.size()) {
      out.erase(0, out.size() - block.size());
    }
  }
}

}  // namespace

void Descriptor::close() {
  if (value_ >= 0) {
    ::close(std::exchange(value_, -1));
  }
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return system_error("cannot make a pipe");
  }
  return Pipe{Descriptor{ends[0]}, Descriptor{ends[1]}};
}

Error system_error(const std::string& text) {
  return Error{ErrorKind::io, text + ": " + std::strerror(errno), ""};
}

std::filesystem::path find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return access(name.c_str(), X_OK) == 0 ? std::filesystem::path{name} : std::filesystem::path{};
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders((path != nullptr ? std::string{path} : "") +
                             ":/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto candidate = std::filesystem::path(folder) / name;
    std::error_code ignored;
    if (!folder.empty() && access(candidate.c_str(), X_OK) == 0 &&
        std::filesystem::is_regular_file(candidate, ignored)) {
      return candidate;
    }
  }
  return {};
}

Result<> run_program(const std::vector<std::string>& argv, const std::string& input) {
  const auto program = find_program(argv.front());
  if (program.empty()) {
    return Error{ErrorKind::unsupported, "the program " + argv.front() + " is not installed", ""};
  }
  auto to_child = make_pipe();
  auto from_child = make_pipe();
  if (!to_child || !from_child) {
    return to_child ? from_child.error() : to_child.error();
  }
  std::vector<char*> words;
  for (const auto& word : argv) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child->read.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_child->write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_child->write.get(), STDERR_FILENO);
  pid_t process = -1;
  const int failed = posix_spawn(&process, program.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    errno = failed;
    return system_error("cannot start " + program.string());
  }
  to_child->read.close();
  from_child->write.close();
  write_all(to_child->write.get(), input);
  to_child->write.close();
  const auto words_of_child = read_tail(from_child->read.get());
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Error{ErrorKind::io, program.string() + " failed: " + words_of_child, ""};
  }
  return {};
}

void kill_all_children() {
  for (;;) {
    for (const pid_t child : children()) {
      kill(child, SIGKILL);
    }
    const pid_t ended = waitpid(-1, nullptr, 0);
    if (ended < 0 && errno == ECHILD) {
      return;
    }
  }
}

Descriptor open_pidfd(pid_t process) {
  return Descriptor{static_cast<int>(syscall(SYS_pidfd_open, process, 0))};
}

bool has_ended(const Descriptor& pidfd, std::chrono::milliseconds within) {
  pollfd watched{pidfd.get(), POLLIN, 0};
  int ready = 0;
  while ((ready = poll(&watched, 1, static_cast<int>(within.count()))) < 0 && errno == EINTR) {
  }
  return ready > 0;
}

}  // namespace assay::lab
