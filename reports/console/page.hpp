#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/verdict.hpp"

namespace assay::reports {

enum class Tone : std::uint8_t { plain, soft, strong, good, bad, warning };

Tone tone_of(Verdict verdict);

/// Lines of a terminal: wraps at words, keeps an indent, and shows every text through `displayable()`. Nothing of a
/// bundle reaches the terminal in another way.
class Page {
 public:
  Page(std::ostream& out, bool colour, int width);

  void blank();

  /// One paragraph, wrapped.
  void text(std::size_t indent, std::string_view words, Tone tone = Tone::plain);

  /// "  label     words wrapped behind the label". `column` is where the words begin.
  void field(std::size_t indent, std::string_view label, std::size_t column, std::string_view words,
             Tone tone = Tone::plain);

  /// Mark, word and what follows, as the first line of a verdict.
  void verdict(std::size_t indent, Verdict verdict, const std::vector<std::string>& inherited, std::size_t column,
               std::string_view words);

 private:
  std::string painted(std::string_view text, Tone tone) const;
  /// Writes `words` from column `at` on; the line before it is already there up to that column.
  void wrapped(std::size_t at, std::string_view words, Tone tone);

  std::ostream& out_;
  bool colour_;
  std::size_t width_;
};

}  // namespace assay::reports
