#pragma once

#include <iosfwd>

#include "harness/model/crosswalk.hpp"

namespace assay {

struct CrosswalkOptions {
  bool colour = false;
  bool verbose = false;    // everything that would close a requirement, with its units
  bool sums_only = false;  // one line for each plan, no requirements
  int width = 100;
};

/// For a terminal. Every text of the bundle is shown escaped.
void write_console_crosswalk(const Crosswalk& crosswalk, const CrosswalkOptions& options, std::ostream& out);

}  // namespace assay
