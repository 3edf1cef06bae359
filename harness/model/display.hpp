#pragma once

#include <string>
#include <string_view>

/// Text from a device or a file on its way to a person: whatever could hide, reorder or overwrite other text is made
/// visible. It escapes for no format: HTML and the rest do that afterwards.
namespace assay {

/// One line. C0 controls and DEL become their names (a newline "⟨LF⟩", an escape "⟨ESC⟩"); C1 controls, marks of
/// direction, invisible characters, line separators and tags become "⟨U+202E⟩"; a byte that is no UTF-8 becomes
/// "⟨0xFF⟩". The result is valid UTF-8.
std::string displayable(std::string_view utf8);

/// The same for text of several lines: newlines and tabs stay, and CR LF counts as a newline.
std::string displayable_text(std::string_view utf8);

/// Number of code points of valid UTF-8: the columns it takes, near enough for wrapping.
std::size_t display_width(std::string_view utf8);

/// At most `limit` code points of `utf8`, with "…" for what was cut.
std::string shortened(std::string_view utf8, std::size_t limit);

}  // namespace assay
