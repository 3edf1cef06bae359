#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "harness/expr/expr.hpp"

/// The process in which programs run, and the pipe it reports over: one line for each event, a letter and a payload.
namespace assay::expr {

/// Letters of the lines.
enum class Line : char {
  started = 'S',    // worker is up; payload: resident pages
  compiling = 'C',  // index: compiling what this evaluation needs
  begin = 'B',      // index: this evaluation begins
  item = 'I',       // JSON of one item
  missing = 'M',    // JSON string
  error = 'E',      // JSON string
  done = 'D',       // index: this evaluation ended
};

inline constexpr std::size_t kChunkSize = 100;  // docs/expressions.md has the measurement

struct WorkOrder {
  std::span<const Evaluation> evaluations;
  std::span<const std::size_t> indices;  // which of them, in order
  bool single = false;                   // compile each program by itself
  bool only_compile = false;
  ExprLimits limits;
};

/// The worker's whole life after fork(); ends by _exit(), so that nothing of the parent's runs twice.
[[noreturn]] void work(const WorkOrder& order, int out);

}  // namespace assay::expr
