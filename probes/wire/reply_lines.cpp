#include "probes/wire/reply_lines.hpp"

#include <algorithm>
#include <cctype>

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumLines = 64;
constexpr std::size_t kMaximumLine = 512;

bool digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

ReplyLinesParse parse_reply_lines(std::string_view bytes) {
  ReplyLinesParse parse;
  for (std::size_t at = 0; parse.reply.lines.size() < kMaximumLines;) {
    const auto newline = bytes.find('\n', at);
    auto line = bytes.substr(at, newline - at);
    const bool whole = newline != std::string_view::npos;
    const bool coded = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, digit);
    if (line.size() > kMaximumLine || (at == 0 && whole && !coded)) {
      return parse;
    }
    if (at == 0 && !std::all_of(line.begin(), line.begin() + std::min<std::ptrdiff_t>(3, std::ssize(line)), digit)) {
      return parse;
    }
    if (!whole) {
      parse.state = Parse::need_more;
      return parse;
    }
    at = newline + 1;
    line = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    const int code = coded ? (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0') : 0;
    if (parse.reply.lines.empty()) {
      parse.reply.code = code;
      const bool separated = line.size() == 3 || line[3] == ' ' || line[3] == '-';
      if (code < 100 || code > 599 || !separated) {
        return parse;
      }
    }
    const bool ours = coded && code == parse.reply.code;
    parse.reply.lines.emplace_back(ours && line.size() > 3 ? line.substr(4) : ours ? std::string_view{} : line);
    if (ours && (line.size() == 3 || line[3] == ' ')) {
      parse.state = Parse::complete;
      parse.used = at;
      return parse;
    }
  }
  return parse;
}

std::pair<std::string, std::string> greeting_product(std::string_view greeting) {
  std::string_view before;
  while (!greeting.empty()) {
    const auto end = greeting.find_first_of(" \t()[];,<>");
    const auto word = greeting.substr(0, end);
    greeting = end == std::string_view::npos ? std::string_view{} : greeting.substr(end + 1);
    if (word.empty()) {
      continue;
    }
    const auto number = word.starts_with('v') || word.starts_with('V') ? word.substr(1) : word;
    const bool version = digit(number.empty() ? 'x' : number.front()) && number.find('.') != std::string_view::npos &&
                         number.find(':') == std::string_view::npos;
    const bool name = !before.empty() && std::isalpha(static_cast<unsigned char>(before.front())) != 0;
    if (version && name && !equal_ignoring_case(before, "version")) {
      return {printable(before, 64), printable(number, 64)};
    }
    if (!equal_ignoring_case(word, "version")) {
      before = word;
    }
  }
  return {};
}

}  // namespace assay::wire
