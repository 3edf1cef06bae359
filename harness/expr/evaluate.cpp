#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <numeric>
#include <optional>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/expr/chunk.hpp"
#include "harness/expr/compiled.hpp"
#include "harness/expr/expr.hpp"
#include "harness/expr/remembered.hpp"
#include "harness/expr/scan.hpp"
#include "harness/expr/worker.hpp"

namespace assay {

namespace {

using namespace expr;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kWatch{10};
constexpr std::chrono::milliseconds kSilence{60000};  // wall time without a word: far above every limit of CPU time
constexpr std::int64_t kExactInteger = std::int64_t{1} << 53;

/// Integers that a double cannot hold travel as strings, both ways.
void widen(json::value& value) {
  if (auto* array = value.if_array()) {
    for (auto& item : *array) {
      widen(item);
    }
  } else if (auto* object = value.if_object()) {
    for (auto& item : *object) {
      widen(item.value());
    }
  } else if (value.is_uint64() ||
             (value.is_int64() && (value.get_int64() > kExactInteger || value.get_int64() < -kExactInteger))) {
    value = json::string(json::serialize(value));
  }
}

/// One forked worker and what it has said so far.
class Batch {
 public:
  Batch(const WorkOrder& order, std::vector<Evaluated>& results) : order_(order), results_(results) {}

  /// Runs to the end or to the death of the worker. How many of the order's indices are settled now.
  std::size_t run() {
    if (auto failed = start()) {
      for (const auto index : order_.indices) {
        results_[index].error = *failed;
      }
      return order_.indices.size();
    }
    read_all();
    ::close(pipe_);
    reap();
    if (settled_ < order_.indices.size() && !(compiling_ && !order_.single)) {
      blame(order_.indices[settled_]);
      ++settled_;
    }
    return settled_;
  }

  /// The worker died while it compiled a chunk: the next one has to compile one by one to find out who did it.
  bool died_compiling() const { return compiling_; }

 private:
  std::optional<std::string> start() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return std::string{"cannot start the worker: "} + std::strerror(errno);
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
    worker_ = ::fork();
    if (worker_ == 0) {
      work(order_, ends[1]);
    }
    const int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::close(ends[1]);
    pipe_ = ends[0];
    if (worker_ < 0) {
      ::close(pipe_);
      return std::string{"cannot start the worker: "} + std::strerror(fork_error);
    }
    return std::nullopt;
  }

  void read_all() {
    std::string buffer;
    std::array<char, 65536> piece{};
    heard_ = Clock::now();
    while (true) {
      pollfd watched{pipe_, POLLIN, 0};
      const int ready = ::poll(&watched, 1, static_cast<int>(kWatch.count()));
      if (ready < 0 && errno != EINTR) {
        return;
      }
      watch();
      if (ready <= 0) {
        continue;
      }
      const auto got = ::read(pipe_, piece.data(), piece.size());
      if (got <= 0) {
        return;
      }
      heard_ = Clock::now();
      buffer.append(piece.data(), static_cast<std::size_t>(got));
      take_lines(buffer);
    }
  }

  void take_lines(std::string& buffer) {
    std::size_t begin = 0;
    for (auto end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n', begin)) {
      take(std::string_view{buffer}.substr(begin, end - begin));
      begin = end + 1;
    }
    buffer.erase(0, begin);
    if (buffer.size() > order_.limits.output_bytes + (1u << 20u)) {
      kill("stopped: it yielded more than " + std::to_string(order_.limits.output_bytes >> 10u) + " KiB");
    }
  }

  void take(std::string_view line) {
    if (line.empty() || !killed_.empty()) {
      return;
    }
    const auto payload = line.substr(1);
    switch (static_cast<Line>(line.front())) {
      case Line::started:
        std::from_chars(payload.data(), payload.data() + payload.size(), first_pages_);
        break;
      case Line::compiling:
        compiling_ = true;
        break;
      case Line::begin:
        compiling_ = false;
        break;
      case Line::item:
        current().items.push_back(parsed(payload));
        widen(current().items.back());
        break;
      case Line::missing:
        current().missing.push_back(text(payload));
        break;
      case Line::error:
        current().error = text(payload);
        break;
      case Line::done:
        ++settled_;
        break;
    }
  }

  Evaluated& current() { return results_[order_.indices[std::min(settled_, order_.indices.size() - 1)]]; }

  static json::value parsed(std::string_view payload) {
    json::parse_options options;
    options.max_depth = 1024;  // libjq's own output is never deeper
    boost::system::error_code failed;
    auto value = json::parse(payload, failed, {}, options);
    return failed ? json::value(json::string("(an item that is not valid JSON)")) : value;
  }

  static std::string text(std::string_view payload) {
    const auto value = parsed(payload);
    return value.is_string() ? std::string{std::string_view{value.get_string()}} : json::serialize(value);
  }

  void watch() {
    if (Clock::now() - heard_ > kSilence + order_.limits.time) {
      kill("stopped: no answer from the worker for " + std::to_string(kSilence.count() / 1000) + " s");
    }
    const auto held = resident_pages();
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    if (first_pages_ > 0 && held > first_pages_ &&
        static_cast<std::size_t>(held - first_pages_) * page > order_.limits.memory_bytes) {
      kill(memory_limit());
    }
  }

  long resident_pages() const {
    long size = 0;
    long resident = 0;
    const auto path = "/proc/" + std::to_string(worker_) + "/statm";
    if (auto* file = std::fopen(path.c_str(), "re"); file != nullptr) {
      if (std::fscanf(file, "%ld %ld", &size, &resident) != 2) {
        resident = 0;
      }
      std::fclose(file);
    }
    return resident;
  }

  void kill(std::string why) {
    if (killed_.empty()) {
      killed_ = std::move(why);
      ::kill(worker_, SIGKILL);
    }
  }

  void reap() {
    while (::waitpid(worker_, &status_, 0) < 0) {
      if (errno != EINTR) {
        status_ = -1;  // somebody ignores SIGCHLD: the kernel has already taken it away
        return;
      }
    }
  }

  std::string memory_limit() const {
    return "stopped: it needed more than " + std::to_string(order_.limits.memory_bytes >> 20u) + " MiB of memory";
  }

  std::string why_it_died() const {
    if (!killed_.empty()) {
      return killed_;
    }
    if (status_ >= 0 && WIFSIGNALED(status_)) {
      if (WTERMSIG(status_) == SIGPROF) {
        return "stopped: it needed more than " + std::to_string(order_.limits.time.count()) + " ms of processor time";
      }
      return "the worker was ended by signal " + std::to_string(WTERMSIG(status_)) +
             (WTERMSIG(status_) == SIGSEGV ? " (too deep a recursion or nesting)" : "");
    }
    if (status_ >= 0 && WIFEXITED(status_) && WEXITSTATUS(status_) == kExitMemory) {
      return memory_limit();
    }
    return "the worker ended before its work was done";
  }

  void blame(std::size_t index) { results_[index].error = why_it_died(); }

  const WorkOrder& order_;
  std::vector<Evaluated>& results_;
  pid_t worker_ = -1;
  int pipe_ = -1;
  int status_ = -1;
  long first_pages_ = 0;
  std::size_t settled_ = 0;
  bool compiling_ = false;
  std::string killed_;
  Clock::time_point heard_;
};

/// Compiles here what a worker has compiled before.
void prepare(std::span<const Evaluation> evaluations, const std::vector<std::size_t>& pending) {
  std::vector<std::string_view> programs;
  programs.reserve(pending.size());
  for (const auto index : pending) {
    programs.emplace_back(evaluations[index].program);
  }
  compiled().prepare(programs);
}

std::vector<Evaluated> run_all(std::span<const Evaluation> evaluations, const ExprLimits& limits, bool only_compile) {
  std::vector<Evaluated> results(evaluations.size());
  std::vector<std::size_t> pending;
  for (std::size_t i = 0; i < evaluations.size(); ++i) {
    if (auto refused = refusal(evaluations[i].program)) {
      results[i].error = *refused;
    } else {
      pending.push_back(i);
    }
  }
  if (!only_compile) {
    prepare(evaluations, pending);
  }
  bool single = false;
  for (std::size_t begin = 0; begin < pending.size();) {
    const WorkOrder order{evaluations, std::span{pending}.subspan(begin), single, only_compile, limits};
    Batch batch{order, results};
    begin += batch.run();
    single = single || batch.died_compiling();
  }
  for (const auto index : pending) {
    if (results[index].error.empty()) {
      compiled().prove(evaluations[index].program);
    }
  }
  return results;
}

}  // namespace

std::vector<Evaluated> evaluate(std::span<const Evaluation> evaluations, const ExprLimits& limits) {
  return run_all(evaluations, limits, false);
}

std::vector<Result<>> check_programs(std::span<const ProgramText> programs) {
  std::vector<Result<>> results(programs.size());
  std::vector<Evaluation> evaluations;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    if (!compiled().proven(programs[i].program) && !remembered().contains(programs[i].program)) {
      evaluations.push_back({programs[i].program, programs[i].where, nullptr, nullptr});
      asked.push_back(i);
    }
  }
  const auto checked = run_all(evaluations, {}, true);
  std::vector<std::string_view> sound;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& program = programs[asked[i]];
    if (checked[i].error.empty()) {
      sound.emplace_back(program.program);
    } else {
      results[asked[i]] = Error{ErrorKind::bad_input, checked[i].error, program.where};
    }
  }
  remembered().add(sound);
  return results;
}

Result<> check_program(std::string_view program, std::string_view where) {
  const ProgramText text{std::string{program}, std::string{where}};
  return check_programs({&text, 1}).front();
}

std::vector<NameUse> names_used(std::string_view program) {
  constexpr std::array<std::string_view, 12> kReaders = {"fact",          "present",  "observed", "coverage",
                                                         "evidence",      "support",  "ics",      "ixit",
                                                         "ixit_declared", "declared", "obs",      "changes"};
  // Functions that take a list of IXIT tables.
  constexpr std::array<std::string_view, 6> kTableReaders = {"service_endpoints", "declared_services",
                                                             "undeclared",        "declaration_doubts",
                                                             "undeclared_udp",    "tls_undescribed"};
  const auto tokens = scan(program).tokens;
  std::vector<NameUse> uses;
  for (std::size_t i = 0; i + 3 < tokens.size(); ++i) {
    if (tokens[i].kind == TokenKind::name && tokens[i + 1].text == "(" && tokens[i + 2].text == "[" &&
        std::find(kTableReaders.begin(), kTableReaders.end(), tokens[i].text) != kTableReaders.end()) {
      for (std::size_t j = i + 3; j < tokens.size() && tokens[j].text != "]"; ++j) {
        if (tokens[j].kind == TokenKind::text) {
          uses.push_back({"ixit_declared", std::string{tokens[j].text}, tokens[j].offset});
        }
      }
    }
    const bool call = tokens[i].kind == TokenKind::name && tokens[i + 1].text == "(" &&
                      tokens[i + 2].kind == TokenKind::text &&
                      tokens[i + 2].text.find('\\') == std::string_view::npos &&
                      (tokens[i + 3].text == ")" || tokens[i + 3].text == ";");
    if (call && std::find(kReaders.begin(), kReaders.end(), tokens[i].text) != kReaders.end()) {
      uses.push_back({std::string{tokens[i].text}, std::string{tokens[i + 2].text}, tokens[i + 2].offset});
    }
  }
  return uses;
}

}  // namespace assay
