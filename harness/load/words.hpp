#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Words in messages: the nearest known one, and what a person wrote, made safe to print.
namespace assay {

/// The known word nearest to `word` by edit distance (a swap of neighbours counts one, case counts nothing), or empty
/// when none is near enough to be meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// The text in double quotes for a message: control characters escaped, cut after 60 characters.
std::string shown(std::string_view text);

/// `; did you mean "x"?`, or `; known: a, b, c` when nothing is near and the list is short, or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

bool is_utf8(std::string_view text);

/// yes, no, on, off, y, n, true, false in the spellings of YAML 1.1: readers disagree whether they are booleans.
bool looks_boolean(std::string_view text);

/// The number of code points in valid UTF-8.
std::size_t characters(std::string_view text);

}  // namespace assay
