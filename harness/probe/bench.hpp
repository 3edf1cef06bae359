#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "harness/model/dut.hpp"
#include "harness/model/probe_info.hpp"
#include "harness/model/result.hpp"
#include "harness/model/secret.hpp"

/// The laboratory's hands as a probe sees them: recipes of the DUT file that it names. Real in `harness/engine`,
/// scripted in `tests/support`.
namespace assay {

namespace asio = boost::asio;

/// What a recipe is run for and with.
struct RecipeUse {
  std::string purpose;  // "restore", "trigger": for the journal
  /// What it does to the device: reading is benign, changing intrusive, resetting or risking it destructive.
  Intrusiveness does = Intrusiveness::intrusive;
  std::map<std::string, std::string> environment{};  // "ASSAY_IMAGE" -> path; beside ASSAY_SAMPLE and ASSAY_STATE
  std::map<std::string, Secret> secrets{};           // environment too; by name only. What a command says of them is
                                                     // masked where the probe concealed them: some are words
  bool wants_answer = false;  // the line that is typed at a prompt is what it is for; else nobody reads or keeps it
};

struct RecipeDone {
  /// Of a command: its last 64 KiB, secrets and all. Of a prompt whose answer is wanted: the line that was typed, at
  /// most 4 KiB.
  std::string said;
  std::chrono::milliseconds took{0};
};

class Bench {
 public:
  virtual ~Bench() = default;

  /// Runs one recipe for the unit that is probed: a command in the DUT file's folder, or a sentence that a person
  /// confirms. The journal has it before it begins and how it ended. Errors: `denied` when it does more than the probe
  /// may, or risks a unit that is not to be spent; `unsupported` for a recipe that is neither command nor prompt, or a
  /// prompt with nobody there; `io` for a command that failed (with its last words); `timed_out`; `cancelled`.
  virtual asio::awaitable<Result<RecipeDone>> run(const Recipe& recipe, const RecipeUse& use) = 0;

  /// Where a file lies that the DUT file names, below its own folder. `bad_input` for a name that leads out of it.
  virtual Result<std::filesystem::path> file(const std::string& name) const {
    return Error{ErrorKind::unsupported, "there is no DUT file beside which " + name + " could lie", {}};
  }
};

}  // namespace assay
