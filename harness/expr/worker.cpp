#include "harness/expr/worker.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <memory>
#include <optional>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "harness/expr/chunk.hpp"
#include "harness/expr/compiled.hpp"

namespace assay::expr {

namespace {

constexpr std::chrono::milliseconds kCompileTime{30000};  // for one chunk; measured: 0.3 s under sanitizers

/// Pages of virtual and of resident memory.
std::pair<long, long> pages() {
  long size = 0;
  long resident = 0;
  if (auto* file = std::fopen("/proc/self/statm", "re"); file != nullptr) {
    if (std::fscanf(file, "%ld %ld", &size, &resident) != 2) {
      size = resident = 0;
    }
    std::fclose(file);
  }
  return {size, resident};
}

void quiet_signals() {
  for (int signal = 1; signal < NSIG; ++signal) {
    std::signal(signal, SIG_DFL);  // NOLINT: SIGKILL and SIGSTOP refuse, which is fine
  }
  // A Ctrl-C is for the parent: it decides what becomes of us.
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGTSTP}) {
    std::signal(signal, SIG_IGN);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void lose_everything_but(int out) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int standard : {0, 1, 2}) {
    if (standard != out && null >= 0) {
      ::dup2(null, standard);
    }
  }
  const auto kept = static_cast<unsigned>(out);
  if (kept > 3) {
    ::close_range(3, kept - 1, 0);
  }
  ::close_range(std::max(kept, 2u) + 1, ~0u, 0);
}

void bound_memory([[maybe_unused]] std::size_t bytes) {
#ifndef ASSAY_SANITIZED  // a sanitizer reserves terabytes; the parent's watch alone bounds memory then
  const auto held = static_cast<rlim_t>(pages().first) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
  const rlimit limit{held + bytes, held + bytes};
  ::setrlimit(RLIMIT_AS, &limit);
#endif
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
}

/// SIGPROF ends the process when it has used this much processor time; zero switches it off.
void bound_time(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  itimerval timer{};
  timer.it_value.tv_sec = seconds.count();
  timer.it_value.tv_usec = std::chrono::microseconds(time - seconds).count();
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

class Worker {
 public:
  Worker(const WorkOrder& order, int out) : order_(order), out_(out) {}

  void run() {
    group();
    for (const auto index : order_.indices) {
      evaluate(index);
    }
  }

 private:
  /// A program's place: which chunk holds it and as which of its programs; no chunk when it does not compile.
  struct Place {
    std::size_t group = 0;
    std::size_t number = 0;  // in the chunk
    Chunk* chunk = nullptr;
    std::string error;
  };

  static constexpr std::size_t kNoGroup = ~std::size_t{0};  // the parent has compiled it

  struct Group {
    std::vector<std::string_view> programs;
    bool compiled = false;
  };

  /// Distinct programs that are not compiled yet, in order of first use, in chunks.
  void group() {
    const std::size_t size = order_.single ? 1 : kChunkSize;
    for (const auto index : order_.indices) {
      const std::string_view program = order_.evaluations[index].program;
      if (places_.contains(program)) {
        continue;
      }
      if (const auto* known = compiled().find(program)) {
        places_[program] = {kNoGroup, known->number, known->chunk, {}};
        continue;
      }
      if (groups_.empty() || groups_.back().programs.size() == size) {
        groups_.emplace_back();
      }
      groups_.back().programs.push_back(program);
      places_[program].group = groups_.size() - 1;
    }
  }

  void compile(Group& group, std::size_t index) {
    if (group.compiled) {
      return;
    }
    group.compiled = true;
    say(Line::compiling, std::to_string(index));
    compile_some(group.programs);
  }

  /// As one chunk, or halved until those that do not compile are found.
  void compile_some(std::span<const std::string_view> programs) {
    bound_time(kCompileTime);
    std::string error;
    auto chunk = Chunk::compile(programs, error);
    if (chunk == nullptr && programs.size() > 1) {
      compile_some(programs.first(programs.size() / 2));
      compile_some(programs.subspan(programs.size() / 2));
      return;
    }
    for (std::size_t i = 0; i < programs.size(); ++i) {
      auto& place = places_.at(programs[i]);
      place.number = i;
      place.chunk = chunk.get();
      place.error = error;
    }
    chunks_.push_back(std::move(chunk));
  }

  void evaluate(std::size_t index) {
    const auto& evaluation = order_.evaluations[index];
    const auto& place = places_.at(evaluation.program);
    if (place.group != kNoGroup) {
      compile(groups_[place.group], index);
    }
    say(Line::begin, std::to_string(index));
    bound_time(order_.limits.time);
    if (place.chunk == nullptr) {
      say_text(Line::error, place.error);
    } else if (!order_.only_compile) {
      execute(*place.chunk, place.number, evaluation);
    }
    say(Line::done, std::to_string(index));
  }

  /// Neighbours mostly read the same document: it is converted once for them.
  void hold(const Evaluation& evaluation) {
    if (last_ != nullptr && last_->shared == evaluation.shared && last_->document == evaluation.document) {
      return;
    }
    last_ = &evaluation;
    if (evaluation.shared == nullptr || !evaluation.document.is_object()) {
      held_.emplace(evaluation.document);
      return;
    }
    const auto [shared, fresh] = shared_.try_emplace(evaluation.shared);
    if (fresh) {
      shared->second = std::make_unique<Document>(json::value(*evaluation.shared));
    }
    held_.emplace(*shared->second, evaluation.document.get_object());
  }

  void execute(Chunk& chunk, std::size_t number, const Evaluation& evaluation) {
    hold(evaluation);
    ProgramEvents events;
    events.item = [this](std::string_view item) { say(Line::item, item); };
    events.missing = [this](std::string_view text) { say_text(Line::missing, text); };
    const auto error = chunk.run(number, *held_, order_.limits, events);
    if (!error.empty()) {
      say_text(Line::error, error);
    }
  }

  void say_text(Line line, std::string_view text) { say(line, json::serialize(json::string(text))); }

  /// Written at once: what was said before the process is killed counts.
  void say(Line line, std::string_view payload) {
    std::string text{static_cast<char>(line)};
    text += payload;
    text += '\n';
    for (std::size_t sent = 0; sent < text.size();) {
      const auto written = ::write(out_, text.data() + sent, text.size() - sent);
      if (written < 0 && errno != EINTR) {
        ::_exit(1);
      }
      sent += written < 0 ? 0 : static_cast<std::size_t>(written);
    }
  }

  const WorkOrder& order_;
  int out_;
  std::map<std::string_view, Place> places_;
  std::vector<Group> groups_;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::optional<Document> held_;
  std::map<const json::object*, std::unique_ptr<Document>> shared_;
  const Evaluation* last_ = nullptr;
};

}  // namespace

void work(const WorkOrder& order, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  quiet_signals();
  lose_everything_but(out);
  // libjq 1.6 reads ~/.jq as a library; strftime reads TZ. Neither may change a verdict.
  ::unsetenv("HOME");
  ::setenv("TZ", "UTC0", 1);
  bound_memory(order.limits.memory_bytes);
  try {
    const auto started = "S" + std::to_string(pages().second) + "\n";
    if (::write(out, started.data(), started.size()) > 0) {
      Worker{order, out}.run();
    }
  } catch (...) {
    ::_exit(kExitMemory);
  }
  ::_exit(0);
}

}  // namespace assay::expr
