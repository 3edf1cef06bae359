#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/evidence/bundle.hpp"
#include "harness/evidence/writer.hpp"
#include "tests/support/temp_folder.hpp"

/// The one fixed, hand-made bundle that every reporter is shown: every verdict, every kind of value, every way an
/// invocation ends, an interruption with a torn line, and text as hostile as a device can make it. Same bytes
/// every time.
namespace assay::golden {

/// A tag, quotes, the end of a CDATA section, line breaks, a right-to-left override, NUL, ESC, a character of four
/// bytes, a formula.
std::string hostile();

/// Clocks that stand at 2026-11-23T18:00:00Z and move a second with every event.
evidence::BundleClock clock();

RunPlan run_plan();
Verdicts verdicts();

/// Writes the bundle into an empty or new folder and closes it. Throws on failure.
void write(const std::filesystem::path& directory);

/// The same without `run_finished` and not closed: what an interrupted run leaves.
void write_open(const std::filesystem::path& directory);

/// Opens a bundle; throws on failure.
Bundle open(const std::filesystem::path& directory);

/// Compares with tests/golden/reports/<name>. With UPDATE_GOLDEN=1 in the environment the file is written instead.
/// Returns an empty text when equal, otherwise one that names the first line that differs.
std::string difference(std::string_view name, std::string_view text);

}  // namespace assay::golden
