#include "harness/cli/folders.hpp"

#include <cstdlib>
#include <string>

namespace assay {

namespace fs = std::filesystem;

namespace {

fs::path variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read before any thread is started
  return value == nullptr ? fs::path{} : fs::path{value};
}

/// A relative path in these variables is to be ignored, says the specification.
fs::path own_folder(const char* configured_by, const char* in_home) {
  const auto configured = variable(configured_by);
  if (configured.is_absolute()) {
    return configured / "assay";
  }
  const auto home = variable("HOME");
  return home.is_absolute() ? home / in_home / "assay" : fs::path{};
}

}  // namespace

fs::path laboratory_folder() {
  return own_folder("XDG_CONFIG_HOME", ".config");
}

fs::path cache_folder() {
  return own_folder("XDG_CACHE_HOME", ".cache");
}

}  // namespace assay
