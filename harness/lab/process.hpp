#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "harness/model/result.hpp"

/// Small wrappers around processes and descriptors, for this room only.
namespace assay::lab {

/// An open file descriptor, closed by destruction.
class Descriptor {
 public:
  Descriptor() = default;

  explicit Descriptor(int value) : value_(value) {}

  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}

  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }

  ~Descriptor() { close(); }

  void close();

  int get() const { return value_; }

  explicit operator bool() const { return value_ >= 0; }

 private:
  int value_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

/// Both ends close on exec.
Result<Pipe> make_pipe();

/// "text: what errno says" as an `io` error.
Error system_error(const std::string& text);

/// The program's full path: of PATH, then of the folders that PATH of an ordinary user leaves out (sbin). Empty when
/// it is nowhere. A name with a slash is only checked.
std::filesystem::path find_program(const std::string& name);

/// Runs a program to its end with `input` on its standard input. An `io` error with its last words when it cannot be
/// started or does not end with 0.
Result<> run_program(const std::vector<std::string>& argv, const std::string& input);

/// Ends every child of this process and, being their reaper, all that they leave behind. Needs
/// PR_SET_CHILD_SUBREAPER to reach grandchildren.
void kill_all_children();

/// A process-exit descriptor (pidfd), invalid where the kernel has none or the process is gone.
Descriptor open_pidfd(pid_t process);

/// Waits until the process behind a pidfd has ended. False when it has not within that time.
bool has_ended(const Descriptor& pidfd, std::chrono::milliseconds within);

}  // namespace assay::lab
