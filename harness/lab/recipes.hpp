#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "harness/model/dut.hpp"
#include "harness/model/result.hpp"

/// Recipes of the DUT file: how the laboratory starts, resets or triggers the device.
namespace assay {

/// What a recipe needs that is not in it.
struct RecipeSurroundings {
  std::filesystem::path folder{};  // of the DUT file: commands run there
  /// Shows the sentence to a person and waits for the line that says it is done; nothing when they will not. Empty:
  /// nobody is there.
  std::function<std::optional<std::string>(const std::string& sentence)> ask{};
  /// Added to the environment of a command: "ASSAY_SAMPLE" -> "A".
  std::map<std::string, std::string> environment{};
  int cancel = -1;  // descriptor that becomes readable when the run is interrupted; -1 for none
};

struct RecipeOutcome {
  enum class Kind : std::uint8_t {
    done,
    needs_person,   // a prompt with nobody there (or nobody willing): the sentence is in `text`
    needs_network,  // `tcp`: whoever asked waits for the port through Network, in the device's own network
    needs_device,   // `emulate`: whoever asked starts the emulated device
  };

  Kind kind = Kind::done;
  std::string text;  // what the command said (its last 64 KiB), the line that was typed (4 KiB), or the sentence
};

/// Runs one recipe. A command is given to /bin/sh and has `within_ms`; then, or when the run is interrupted, its whole
/// process group is killed. What it leaves running in the background after a good end stays: it may be the device.
/// Errors: `io` for an end other than 0 (with its last words), `timed_out`, `cancelled`, `bad_input` for an empty
/// recipe.
Result<RecipeOutcome> run_recipe(const Recipe& recipe, const RecipeSurroundings& surroundings);

}  // namespace assay
