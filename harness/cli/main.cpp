
#include <csignal>
#include <iostream>

#include <CLI/CLI.hpp>

#include "harness/cli/app.hpp"
#include "harness/cli/context.hpp"
#include "harness/cli/folders.hpp"
#include "harness/expr/expr.hpp"

int main(int count, char* values[]) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer or a pager that went away is an error code, not the end of a run
  if (const auto folder = assay::cache_folder(); !folder.empty()) {
    assay::remember_programs(folder);
  }
  assay::Context context;
  CLI::App app;
  assay::define_commands(app, context);
  try {
    app.parse(count, values);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& wrong) {
    app.exit(wrong, std::cerr, std::cerr);
    return static_cast<int>(assay::ExitCode::usage);
  } catch (const std::exception& failure) {
    std::cerr << "assay: internal error: " << failure.what() << '\n';
    return static_cast<int>(assay::ExitCode::error);
  }
  if (!std::cout.flush()) {
    std::cerr << "assay: standard output could not be written\n";
    return static_cast<int>(assay::ExitCode::error);
  }
  return static_cast<int>(context.exit_code);
}
