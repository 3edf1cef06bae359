#pragma once

#include <filesystem>

/// Where the program keeps what is the user's own (XDG Base Directory Specification 0.8).
namespace assay {

/// Settings and keys: $XDG_CONFIG_HOME/assay, ~/.config/assay; empty where there is neither.
std::filesystem::path laboratory_folder();

/// What can be made anew at any time: $XDG_CACHE_HOME/assay, ~/.cache/assay; empty where there is neither.
std::filesystem::path cache_folder();

}  // namespace assay
