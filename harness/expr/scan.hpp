#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/result.hpp"

namespace assay::expr {

enum class TokenKind : std::uint8_t {
  name,         // keyword or function: select, if, fact
  field,        // .name, without the dot
  variable,     // $name, without the dollar
  text,         // "…" without interpolation, its characters as written
  pieces,       // start of a string with interpolation; the tokens inside follow
  format,       // @base64
  number,       // 1, 2.5, ..
  punctuation,  // everything else, one character
};

struct Token {
  TokenKind kind = TokenKind::punctuation;
  std::string_view text;
  std::size_t offset = 0;  // of `text` in the program
};

struct Scan {
  std::vector<Token> tokens;
  std::string problem;     // a string or a bracket that does not end; empty when all is well
  std::size_t offset = 0;  // of the problem
};

/// Splits a program the way jq's own lexer does, so that names inside strings and comments are not taken for calls.
Scan scan(std::string_view program);

/// What the fence refuses before jq sees the program: what reads clocks, files, the environment or other input,
/// what would hide an error, and raw access to facts. The sentence to show, or nothing.
std::optional<std::string> refusal(std::string_view program);

}  // namespace assay::expr
