#include "harness/model/terminal_codes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace assay {

namespace {

constexpr unsigned char kBell = 0x07;
constexpr unsigned char kBackspace = 0x08;
constexpr unsigned char kShiftOut = 0x0e;
constexpr unsigned char kShiftIn = 0x0f;
constexpr unsigned char kEscape = 0x1b;
constexpr unsigned char kDelete = 0x7f;
constexpr unsigned char kTelnet = 0xff;  // "interpret as command"
constexpr std::size_t kLongestCode = 64;
constexpr std::size_t kLongestRun = 64;  // of codes in a row: what waits for the end of a text is bounded by it

/// What a code may begin with, as it is or written out.
constexpr auto kBegins = [] {
  std::array<bool, 256> out{};
  for (const auto one : {kBell, kBackspace, kShiftOut, kShiftIn, kEscape, kDelete, kTelnet}) {
    out[one] = true;
  }
  out['\\'] = true;
  return out;
}();

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool within(unsigned char byte, unsigned char first, unsigned char last) {
  return first <= byte && byte <= last;
}

struct Unit {
  unsigned char byte = 0;
  std::size_t length = 0;  // 0: the text has ended
};

/// A byte as it is, or as "\x1b" and "\u001b" write it.
Unit unit_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) {
    return {};
  }
  const auto rest = text.substr(at);
  const std::size_t digits = rest.starts_with("\\x") ? 2 : rest.starts_with("\\u00") ? 4 : 0;
  if (digits > 0 && rest.size() >= digits + 2) {
    unsigned char byte = 0;
    const auto* end = rest.data() + digits + 2;
    if (const auto read = std::from_chars(rest.data() + digits, end, byte, 16); read.ptr == end) {
      return {byte, digits + 2};
    }
  }
  return {byte_at(text, at), 1};
}

/// The end of what begins at a place and goes on up to `last` (one byte, or two); the end of the text where that is not
/// there yet, and the place itself where it is too far for a code.
std::size_t end_of(std::string_view text, std::size_t from, std::initializer_list<std::pair<int, int>> ends) {
  const auto limit = from + kLongestCode;
  for (auto at = from; at < limit;) {
    const auto one = unit_at(text, at);
    if (one.length == 0) {
      return text.size();
    }
    const auto next = unit_at(text, at + one.length);
    for (const auto& [first, second] : ends) {
      if (one.byte == first && (second < 0 || (next.length > 0 && next.byte == second))) {
        return at + one.length + (second < 0 ? 0 : next.length);
      }
    }
    at += one.length;
  }
  return from;
}

/// Behind the escape: a control sequence, a command of the system, or one more character (ECMA-48, 5.4, 8.3.89).
std::size_t escape_end(std::string_view text, std::size_t from) {
  const auto kind = unit_at(text, from);
  if (kind.length > 0 && kind.byte == ']') {
    return end_of(text, from, {{kBell, -1}, {kEscape, '\\'}});
  }
  const bool sequence = kind.byte == '[';
  auto at = from + (sequence ? 1 : 0);
  const unsigned char last_between = sequence ? 0x3f : 0x2f;
  while (at < text.size() && at < from + kLongestCode && within(byte_at(text, at), 0x20, last_between)) {
    ++at;
  }
  if (at >= text.size()) {
    return text.size();
  }
  return within(byte_at(text, at), sequence ? 0x40 : 0x30, 0x7e) ? at + 1 : from;
}

/// Behind the byte that begins a command of telnet; the byte's own place where it begins none.
std::size_t telnet_end(std::string_view text, std::size_t begin, std::size_t from) {
  constexpr unsigned char kFirstCommand = 0xf1;
  constexpr unsigned char kBegin = 0xfa;  // of a subnegotiation
  constexpr unsigned char kEnd = 0xf0;
  const auto command = unit_at(text, from);
  if (command.length == 0) {
    return text.size();
  }
  if (!within(command.byte, kFirstCommand, 0xfe)) {
    return begin;
  }
  const auto behind = from + command.length;
  if (command.byte < kBegin) {
    return behind;
  }
  if (command.byte == kBegin) {
    return end_of(text, behind, {{kTelnet, kEnd}});
  }
  const auto option = unit_at(text, behind);
  return behind + option.length;
}

/// Bytes of the code that begins at a place; 0: none does.
std::size_t code_at(std::string_view text, std::size_t at) {
  if (!kBegins[byte_at(text, at)]) {
    return 0;
  }
  const auto first = unit_at(text, at);
  const auto behind = at + first.length;
  switch (first.byte) {
    case kEscape:
      return escape_end(text, behind) - at;
    case kTelnet:
      return telnet_end(text, at, behind) - at;
    case kBell:
    case kBackspace:
    case kShiftOut:
    case kShiftIn:
    case kDelete:
      return first.length;
    default:
      return 0;
  }
}

/// "\b \b", by which a character that was shown is taken away again.
std::size_t rub_out_at(std::string_view text, std::size_t at) {
  const auto back = unit_at(text, at);
  const auto blank = unit_at(text, at + back.length);
  const auto again = unit_at(text, at + back.length + blank.length);
  const bool whole = back.byte == kBackspace && blank.byte == ' ' && again.byte == kBackspace;
  return whole ? back.length + blank.length + again.length : 0;
}

/// Bytes of all codes in a row, and of what is written where backspaces went back to.
std::size_t run_at(std::string_view text, std::size_t from, Overwriting overwriting) {
  auto at = from;
  std::size_t back = 0;
  while (at < text.size() && at - from <= kLongestRun) {
    if (const auto rubbed = rub_out_at(text, at); rubbed > 0) {
      at += rubbed;
    } else if (const auto code = code_at(text, at); code > 0) {
      back += unit_at(text, at).byte == kBackspace && overwriting == Overwriting::left_out ? 1 : 0;
      at += code;
    } else if (back > 0 && byte_at(text, at) >= 0x20) {
      --back;
      ++at;
    } else {
      break;
    }
  }
  return at - from;
}

}  // namespace

std::vector<std::string_view> lines_with_codes(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  bool found = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = byte_at(text, at);
    const auto code = kBegins[byte] ? code_at(text, at) : 0;
    if (code > 0) {
      found = found || at > begin;
      begin = found ? begin : at + code;  // no text goes on behind a code that stands in front
    } else if (byte < 0x20) {
      if (found) {
        out.push_back(text.substr(begin, at - begin));
      }
      found = false;
      begin = at + 1;
    }
    at += std::max<std::size_t>(code, 1);
  }
  if (found) {
    out.push_back(text.substr(begin));
  }
  return out;
}

BetweenCodes between_terminal_codes(std::string_view text, Overwriting overwriting) {
  BetweenCodes out;
  for (std::size_t at = 0; at < text.size();) {
    const auto run = kBegins[byte_at(text, at)] ? run_at(text, at, overwriting) : 0;
    const auto kept = run == 0 ? 1 : run > kLongestRun ? run : 0;
    for (const auto end = at + std::max(run, kept); at < end; ++at) {
      if (kept > 0) {
        out.text += text[at];
        out.at.push_back(at);
      }
    }
  }
  return out;
}

}  // namespace assay
