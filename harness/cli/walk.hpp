#pragma once

#include <optional>
#include <string>

#include "harness/cli/amend.hpp"

/// Answering open steps at a terminal, and the file that does the same without one.
namespace assay {

/// A line of whoever is at the terminal; none: the input ended.
std::optional<std::string> ask_at_terminal(const char* question);

/// Whether the person's verdict on a unit of this case is wanted: it is open, and nobody has answered it.
bool is_open_step(const CaseVerdict& of, const UnitVerdict& unit);

/// Asks for each open step whose case begins with `only` (empty: all). Every answer is on disk before the next
/// question, so a walk that is broken off loses nothing.
std::optional<Assessed> walk(Context& context, const std::filesystem::path& folder, const Bundle& bundle,
                             const Person& author, const std::string& only);

/// An answers file with every open step as a comment to fill in.
void write_skeleton(std::ostream& out, const Bundle& bundle, const Person& author, const std::string& only);

}  // namespace assay
