#include "harness/lab/recipes.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "harness/lab/process.hpp"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kKeptOutput = std::size_t{64} * 1024;
constexpr std::size_t kKeptLine = 4096;

/// A command under way: its process group, how to see its end, and what it says.
struct Command {
  pid_t process = -1;
  lab::Descriptor ended;
  lab::Descriptor output;
  std::string said;
};

/// Ours with the additions; made before the fork, for after it nothing may be allocated.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& added) {
    for (char** one = environ; *one != nullptr; ++one) {
      const std::string text = *one;
      if (!added.contains(text.substr(0, text.find('=')))) {
        texts_.push_back(text);
      }
    }
    for (const auto& [name, value] : added) {
      texts_.push_back(name + "=" + value);
    }
    for (auto& text : texts_) {
      pointers_.push_back(text.data());
    }
    pointers_.push_back(nullptr);
  }

  char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

[[noreturn]] void become(const std::string& command, const std::string& folder, const Environment& environment,
                         int output) {
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (folder.empty() || chdir(folder.c_str()) == 0) {
    execle("/bin/sh", "sh", "-c", command.c_str(), nullptr, environment.get());
  }
  _exit(127);
}

Result<Command> start(const std::string& command, const RecipeSurroundings& surroundings) {
  auto pipe = lab::make_pipe();
  if (!pipe) {
    return pipe.error();
  }
  const Environment environment(surroundings.environment);
  const auto folder = surroundings.folder.string();
  Command out;
  out.process = fork();
  if (out.process == 0) {
    become(command, folder, environment, pipe->write.get());
  }
  if (out.process < 0) {
    return lab::system_error("cannot start a command");
  }
  setpgid(out.process, out.process);  // in both processes: whoever comes first
  fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK);
  out.output = std::move(pipe->read);
  out.ended = lab::open_pidfd(out.process);
  return out;
}

/// Takes what is there. False at the end of the output.
bool read_output(Command& command) {
  std::array<char, 4096> block{};
  for (;;) {
    const auto got = read(command.output.get(), block.data(), block.size());
    if (got <= 0) {
      return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    command.said.append(block.data(), static_cast<std::size_t>(got));
    if (command.said.size() > 2 * kKeptOutput) {
      command.said.erase(0, command.said.size() - kKeptOutput);
    }
  }
}

enum class End : std::uint8_t { by_itself, timed_out, cancelled };

/// Waits for the process, not for the end of its output: a background process may hold that open for ever.
End wait_for(Command& command, Clock::time_point until, int cancel) {
  std::array<pollfd, 3> watched{pollfd{command.ended.get(), POLLIN, 0}, pollfd{command.output.get(), POLLIN, 0},
                                pollfd{cancel, POLLIN, 0}};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) {
      return End::timed_out;
    }
    if (poll(watched.data(), watched.size(), static_cast<int>(left)) <= 0) {
      continue;
    }
    if (watched[2].revents != 0) {
      return End::cancelled;
    }
    if (watched[1].revents != 0 && !read_output(command)) {
      watched[1].fd = -1;
    }
    if (watched[0].revents != 0) {
      return End::by_itself;
    }
  }
}

/// The last line with something in it, for an error's sentence.
std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of(" \r\n\t");
  if (end == std::string::npos) {
    return "it said nothing";
  }
  const auto line_end = text.find_last_of('\n', end);
  const auto begin = line_end == std::string::npos ? 0 : line_end + 1;
  return "it said: " + text.substr(begin, std::min<std::size_t>(end + 1 - begin, 300));
}

std::string how_it_ended(int status) {
  return WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status))
                             : "ended with status " + std::to_string(WEXITSTATUS(status));
}

Result<RecipeOutcome> run_command(const Recipe& recipe, const RecipeSurroundings& surroundings) {
  auto command = start(*recipe.exec, surroundings);
  if (!command) {
    return command.error();
  }
  if (!command->ended) {
    kill(-command->process, SIGKILL);
    waitpid(command->process, nullptr, 0);
    return Error{ErrorKind::unsupported, "recipes need Linux 5.3 or newer", ""};
  }
  const auto end = wait_for(*command, Clock::now() + std::chrono::milliseconds{recipe.within_ms}, surroundings.cancel);
  if (end != End::by_itself) {
    kill(-command->process, SIGKILL);
  }
  int status = 0;
  while (waitpid(command->process, &status, 0) < 0 && errno == EINTR) {
  }
  read_output(*command);
  const auto name = "the command \"" + *recipe.exec + "\" ";
  if (end == End::cancelled) {
    return Error{ErrorKind::cancelled, name + "was stopped because the run was interrupted", ""};
  }
  if (end == End::timed_out) {
    return Error{ErrorKind::timed_out,
                 name + "did not end within " + std::to_string(recipe.within_ms) + " ms; " + last_line(command->said),
                 ""};
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Error{ErrorKind::io, name + how_it_ended(status) + "; " + last_line(command->said), ""};
  }
  if (command->said.size() > kKeptOutput) {
    command->said.erase(0, command->said.size() - kKeptOutput);
  }
  return RecipeOutcome{RecipeOutcome::Kind::done, command->said};
}

}  // namespace

Result<RecipeOutcome> run_recipe(const Recipe& recipe, const RecipeSurroundings& surroundings) {
  if (recipe.exec) {
    return run_command(recipe, surroundings);
  }
  if (recipe.tcp) {
    return RecipeOutcome{RecipeOutcome::Kind::needs_network, recipe.tcp->text()};
  }
  if (recipe.emulate) {
    return RecipeOutcome{RecipeOutcome::Kind::needs_device, *recipe.emulate};
  }
  if (recipe.prompt) {
    const auto typed = surroundings.ask ? surroundings.ask(*recipe.prompt) : std::nullopt;
    return typed ? RecipeOutcome{RecipeOutcome::Kind::done, typed->substr(0, kKeptLine)}
                 : RecipeOutcome{RecipeOutcome::Kind::needs_person, *recipe.prompt};
  }
  return Error{ErrorKind::bad_input, "the recipe says neither exec, tcp, prompt nor emulate", ""};
}

}  // namespace assay
