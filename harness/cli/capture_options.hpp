#pragma once

#include "harness/engine/run_capture.hpp"

namespace CLI {
class App;
}

namespace assay {

/// --capture and --capture-limit of the verbs that send packets. Capture files name this version of the program.
void add_capture_options(CLI::App& verb, CaptureOptions& options);

}  // namespace assay
