#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/json.hpp"
#include "harness/model/result.hpp"

/// jq, compiled once, fenced: the one language of conditions, expansions and judgements (docs/expressions.md).
/// Evaluation happens in a forked worker with limits on time and memory, because libjq 1.6 ends its process when
/// recursion or memory runs out. `now`, `localtime`, `halt`, `halt_error`, `debug`, `input`, `inputs`, `env`, `$ENV`,
/// `include` and `import` are shut.
namespace assay {

/// One evaluation: a program against a document.
struct Evaluation {
  std::string program;
  std::string where;     // file:line:column of the program, for errors
  json::value document;  // the judge document, see docs/expressions.md
  // Further members of the document that many evaluations share, so that they are held once. Outlives evaluate().
  const json::object* shared = nullptr;
};

/// What came of it. Items yielded before an error are kept: a defect can be shown on partial facts.
struct Evaluated {
  std::vector<json::value> items;
  std::vector<std::string>
      missing;  // facts that were asked for and not observed, "alias.fact on tcp/80 (reason)"; swallowed ones included
  std::string error;  // any other jq error, a fence, a limit: ERROR for the unit that asked
};

struct ExprLimits {
  std::chrono::milliseconds time{2000};    // for one program
  std::size_t memory_bytes = 256u << 20u;  // of the worker
  std::size_t items = 10000;
  std::size_t output_bytes = 8u << 20u;
};

/// A literal name used in a program: fact("x"), support("5.1-1"), ixit("15-Intf"), obs("ports").
struct NameUse {
  std::string
      function;  // fact, present, observed, coverage, evidence, support, ics, ixit, ixit_declared, declared, obs
  std::string name;
  std::size_t offset = 0;  // of the name in the program
};

/// Literal names in the program, for checking when a plan is loaded.
std::vector<NameUse> names_used(std::string_view program);

/// Compiles without running. The error's `what` is jq's message in a sentence, `where` is the given place.
Result<> check_program(std::string_view program, std::string_view where);

struct ProgramText {
  std::string program;
  std::string where;
};

/// check_program() for many at once: compiled together this costs little more than one. Result i belongs to program i.
std::vector<Result<>> check_programs(std::span<const ProgramText> programs);

/// Takes programs that compiled in earlier processes for sound, by a file in `folder`, and adds to it. The folder is
/// made; where it cannot be used, every process checks for itself.
void remember_programs(const std::filesystem::path& folder);

/// Evaluates all; result i belongs to evaluation i. Never throws, never dies with the worker: a worker that is killed
/// by a limit costs the program that did it (its `error` says which limit) and the rest goes on.
std::vector<Evaluated> evaluate(std::span<const Evaluation> evaluations, const ExprLimits& limits = {});

}  // namespace assay
