#include "reports/console/page.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

#include "harness/model/display.hpp"
#include "reports/common/reading.hpp"

namespace assay::reports {

namespace {

constexpr std::size_t kNarrowest = 40;     // below it wrapping makes nothing readable
constexpr std::size_t kShortestLine = 20;  // words get at least this much behind any indent

/// The first `columns` code points.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (starts && columns-- == 0) {
      break;
    }
  }
  return i;
}

/// Cuts the next line of at most `room` columns off `text`: at a space where there is one.
std::string_view next_line(std::string_view& text, std::size_t room) {
  if (display_width(text) <= room) {
    return std::exchange(text, {});
  }
  const auto end = bytes_of(text, room);
  const auto space = text.rfind(' ', end);
  if (space == std::string_view::npos || space == 0) {
    const auto line = text.substr(0, end);
    text.remove_prefix(end);
    return line;
  }
  const auto line = text.substr(0, space);
  text.remove_prefix(space + 1);
  return line;
}

std::string one_line(std::string_view words) {
  std::string out = displayable_text(words);
  while (out.ends_with('\n')) {
    out.pop_back();
  }
  return displayable(out);
}

}  // namespace

Tone tone_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return Tone::good;
    case Verdict::fail:
    case Verdict::error:
      return Tone::bad;
    case Verdict::not_applicable:
      return Tone::soft;
    case Verdict::inconclusive:
    case Verdict::not_tested:
    case Verdict::not_claimed:
      return Tone::warning;
  }
  return Tone::bad;
}

Page::Page(std::ostream& out, bool colour, int width)
    : out_(out), colour_(colour), width_(std::max(kNarrowest, static_cast<std::size_t>(std::max(width, 0)))) {}

void Page::blank() {
  out_ << '\n';
}

std::string Page::painted(std::string_view text, Tone tone) const {
  if (!colour_ || tone == Tone::plain || text.empty()) {
    return std::string{text};
  }
  constexpr std::string_view kCodes[] = {"", "\x1b[2m", "\x1b[1m", "\x1b[1;32m", "\x1b[1;31m", "\x1b[1;33m"};
  return std::string{kCodes[static_cast<std::size_t>(tone)]} + std::string{text} + "\x1b[0m";
}

void Page::wrapped(std::size_t at, std::string_view words, Tone tone) {
  const auto shown = one_line(words);
  std::string_view rest = shown;
  const auto room = std::max(kShortestLine, width_ - std::min(width_, at));
  out_ << painted(next_line(rest, room), tone) << '\n';
  while (!rest.empty()) {
    out_ << std::string(at, ' ') << painted(next_line(rest, room), tone) << '\n';
  }
}

void Page::text(std::size_t indent, std::string_view words, Tone tone) {
  out_ << std::string(indent, ' ');
  wrapped(indent, words, tone);
}

void Page::field(std::size_t indent, std::string_view label, std::size_t column, std::string_view words, Tone tone) {
  const auto used = indent + display_width(label);
  out_ << std::string(indent, ' ') << painted(label, Tone::soft) << std::string(column > used ? column - used : 1, ' ');
  wrapped(std::max(column, used + 1), words, tone);
}

void Page::verdict(std::size_t indent, Verdict verdict, const std::vector<std::string>& inherited, std::size_t column,
                   std::string_view words) {
  const auto mark = std::string{symbol_for(verdict)} + " " + word_for(verdict, inherited);
  const auto used = indent + display_width(mark);
  out_ << std::string(indent, ' ') << painted(mark, tone_of(verdict))
       << std::string(column > used ? column - used : 1, ' ');
  wrapped(std::max(column, used + 1), words, Tone::strong);
}

}  // namespace assay::reports
