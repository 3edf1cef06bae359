#pragma once

#include <iosfwd>

#include "harness/evidence/bundle.hpp"

namespace assay {

struct ConsoleOptions {
  bool colour = false;   // ANSI colours, beside the words and never instead of them
  bool verbose = false;  // also cases and units, and requirements' limits
  int width = 100;       // columns to wrap at
};

/// The report for a terminal: a line for each requirement, findings, what is open and what closes it, and the level's
/// statement last. Everything else is in the bundle and the HTML report. A bundle whose run is still open says so.
void write_console_report(const Bundle& bundle, const ConsoleOptions& options, std::ostream& out);

}  // namespace assay
