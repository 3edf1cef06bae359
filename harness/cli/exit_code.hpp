#pragma once

#include <optional>
#include <string>

#include "harness/model/verdict.hpp"

namespace assay {

/// What the process tells its caller; documented in the man page and README.
enum class ExitCode : int {
  passed = 0,         // all required pass, or nothing to complain about
  failed = 1,         // a required case FAILs
  usage = 2,          // wrong command line or input file
  open = 3,           // required cases open, none failed
  error = 4,          // the harness failed
  refused = 5,        // scope or safety
  not_verified = 6,   // a bundle or a replay does not hold
  regression = 7,     // found by `diff`
  interrupted = 130,  // resumable
};

/// Where the exit code starts to complain.
enum class FailOn : std::uint8_t { open, error, fail, never };
BOOST_DESCRIBE_ENUM(FailOn, open, error, fail, never)

struct Gate {
  FailOn fail_on = FailOn::open;
  bool automated = false;  // only what a machine can close counts
};

/// When several apply: FAIL, ERROR, open. `counts` are those of the verdicts, without what is waived.
ExitCode exit_code_for(const LevelSummary& counts, const Gate& gate);

}  // namespace assay
