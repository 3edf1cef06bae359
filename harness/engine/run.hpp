#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "harness/engine/run_capture.hpp"
#include "harness/evidence/bundle.hpp"
#include "harness/lab/recipes.hpp"
#include "harness/model/observation.hpp"
#include "harness/model/run_plan.hpp"
#include "harness/probe/probe.hpp"

/// Executes a run plan: expansion over discovered endpoints, locks, barriers, deadlines, liveness; every step and
/// every observation goes to the journal as it happens. Knows no protocol and makes no verdict.
namespace assay {

/// Makes the network of one invocation. The engine's tests give a scripted one. `owner` is the invocation's id, or
/// "liveness".
using NetworkFactory = std::function<std::unique_ptr<Network>(
    const Target& target, std::chrono::steady_clock::time_point deadline, const std::string& owner)>;

/// Where the work of a target runs: the executor of its vantage.
using ExecutorOf = std::function<asio::any_io_executor(const Target& target)>;

/// Runs a recipe of the DUT file; `environment` tells a command which unit (ASSAY_SAMPLE) and state (ASSAY_STATE) it is
/// for.
using RunRecipe = std::function<asio::awaitable<Result<RecipeOutcome>>(
    const Recipe& recipe, const std::map<std::string, std::string>& environment)>;

/// Tells a person where the run is. `what` is one short line; totals are known only in part and grow.
struct RunProgress {
  std::int64_t done = 0;
  std::int64_t total = 0;
  std::string what;
};

struct RunInputs {
  const RunPlan& plan;
  ProbeTable probes;
  const ProbeLibrary& library;
  BundleWriter& bundle;
  NetworkFactory networks;
  std::vector<Observation> earlier;   // of the interrupted run that is being resumed
  std::int64_t first_invocation = 1;  // number of the next invocation: ids of an interrupted run are not used again
  std::function<void(const RunProgress&)> progress;
  std::size_t max_concurrent = 32;  // invocations at once; the governor bounds what they do to the device
  ExecutorOf executors{};           // none: all work runs where the run itself does
  RunRecipe recipes{};              // none: nobody can touch the device
  std::string device_state{};       // where an interrupted run left the device (last_state)
  RunCapture* capture = nullptr;    // none: no packets are kept
  std::string no_capture = {};      // why not, when they should have been
  SecretHandling secrets = {};      // default: they have no names and nothing restricted is kept
  std::filesystem::path folder{};   // of the DUT file
};

struct RunOutcome {
  bool interrupted = false;  // the bundle is open and can be resumed
  bool device_lost = false;
  std::string lost_because;
  std::vector<Observation> observations;  // earlier ones included, later ones of the same invocation last
};

/// Runs on the given io_context until the plan is done, the device is lost, or `interrupt` was called.
class Run {
 public:
  virtual ~Run() = default;

  /// From a signal handler's coroutine: cancels what is running; its observations are kept as `cancelled`.
  virtual void interrupt(int signal) = 0;

  virtual asio::awaitable<Result<RunOutcome>> execute() = 0;
};

std::unique_ptr<Run> make_run(RunInputs inputs);

}  // namespace assay
