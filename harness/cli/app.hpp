#pragma once

namespace CLI {
class App;
}

namespace assay {

struct Context;

extern const char* const kVersion;
extern const char* const kCommit;

/// The whole command line: help, man page and completion are made from it.
void define_commands(CLI::App& app, Context& context);

}  // namespace assay
