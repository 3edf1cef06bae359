#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Codes for terminals between the characters of a text: escape sequences (ECMA-48), backspaces, bells, and commands of
/// telnet (RFC 854). Whoever echoes a line may put some behind each character; a reader sees the text without them.
namespace assay {

/// A text without some of its bytes.
struct BetweenCodes {
  std::string text;
  std::vector<std::size_t> at;  // where each byte of `text` was
};

/// A backspace goes back; what is written then may be what is meant, or an asterisk over it.
enum class Overwriting : std::uint8_t { kept, left_out };

/// The lines of a text in which a code stands behind a character; nearly never any, and quick to say then. A line is
/// what stands between other control characters: binary texts have none that is long.
std::vector<std::string_view> lines_with_codes(std::string_view text);

/// The text without codes, also as logs and JSON write them ("\x1b", "\u001b"). One that is not whole where the text
/// ends is left out; so many in a row that no terminal gets them are not.
BetweenCodes between_terminal_codes(std::string_view text, Overwriting overwriting);

}  // namespace assay
