#include "harness/cli/exit_code.hpp"

namespace assay {

ExitCode exit_code_for(const LevelSummary& summary, const Gate& gate) {
  if (summary.failed > 0 && gate.fail_on <= FailOn::fail) {
    return ExitCode::failed;
  }
  if (summary.errors > 0 && gate.fail_on <= FailOn::error) {
    return ExitCode::error;
  }
  if (gate.automated) {
    // No unit at all is not a pass: a gate that checked nothing must not open.
    const bool all = summary.machine_units > 0 && summary.machine_units_passed == summary.machine_units;
    return all || gate.fail_on > FailOn::open ? ExitCode::passed : ExitCode::open;
  }
  return summary.open > 0 && gate.fail_on <= FailOn::open ? ExitCode::open : ExitCode::passed;
}

}  // namespace assay
