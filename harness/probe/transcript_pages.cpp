#include "harness/probe/transcript_pages.hpp"

#include <array>
#include <cstdio>

namespace assay {

namespace {

constexpr std::size_t kBytesInRow = 16;
constexpr std::string_view kLeftOut = "# left out beyond the limit: ";

bool printable(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7f;
}

/// "00000010  48 54 54 50 …  |HTTP…|"
std::string row(std::size_t offset, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "%08zx ", offset);
  std::string line = number.data();
  std::string shown;
  for (std::size_t index = 0; index < kBytesInRow; ++index) {
    if (index >= bytes.size()) {
      line += "   ";
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[index]);
    line += ' ';
    line += kDigits[byte >> 4U];
    line += kDigits[byte & 0xfU];
    shown += printable(byte) ? static_cast<char>(byte) : '.';
  }
  return line + "  |" + shown + "|\n";
}

std::string count_of_bytes(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char raw : text) {
    const auto byte = static_cast<unsigned char>(raw);
    if (printable(byte)) {
      result += raw;
    } else {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\x%02x", byte);
      result += code.data();
    }
  }
  return result;
}

}  // namespace

TranscriptPages::TranscriptPages(std::string_view what, std::size_t limit)
    : limit_(limit), shown_{"# " + escaped(what) + "; > sent, < received, seconds since the start\n"} {}

void TranscriptPages::line(const std::string& when, std::string_view shown, std::string_view open) {
  if (full()) {
    leave_out(open.size(), open.size());
    return;
  }
  if (!open_ && shown != open) {
    open_ = shown_;
  }
  append(shown_, "# " + when + " " + escaped(shown) + "\n", open.size());
  if (open_) {
    append(*open_, "# " + when + " " + escaped(open) + "\n", open.size());
  }
}

void TranscriptPages::chunk(char direction, const std::string& when, std::string_view shown, std::size_t continued,
                            std::string_view open) {
  if (full()) {
    leave_out(open.size(), open.size());
    return;
  }
  if (!open_ && (continued > 0 || shown != open)) {
    open_ = shown_;
  }
  if (continued > 0) {
    append(shown_,
           "# " + when + (direction == '>' ? " sent: " : " received: ") + count_of_bytes(continued) +
               " more of what is left out above\n",
           continued);
  }
  if (continued == 0 || !shown.empty()) {
    dump(shown_, direction, when, shown);
  }
  if (open_) {
    dump(*open_, direction, when, open);
  }
}

void TranscriptPages::chunk_in_words(const std::string& when, std::string_view shown, std::string_view open) {
  if (open_ && full()) {
    leave_out(shown.size(), open.size());
    return;
  }
  if (!open_) {
    open_ = shown_;
  }
  append(shown_, "# " + when + " sent, with a secret left out: " + escaped(shown) + "\n", shown.size());
  dump(*open_, '>', when, open);
}

void TranscriptPages::leave_out(std::size_t shown, std::size_t open) {
  append(shown_, {}, shown);
  if (open_) {
    append(*open_, {}, open);
  }
}

void TranscriptPages::dump(Page& page, char direction, const std::string& when, std::string_view bytes) const {
  append(page, direction + (" " + when) + " " + count_of_bytes(bytes.size()) + "\n", 0);
  for (std::size_t at = 0; at < bytes.size(); at += kBytesInRow) {
    const auto part = bytes.substr(at, kBytesInRow);
    if (page.full) {
      append(page, {}, bytes.size() - at);
      return;
    }
    append(page, row(at, part), part.size());
  }
}

/// Adds a whole line, or counts what it stands for once the limit is reached: nothing small slips in after a gap.
void TranscriptPages::append(Page& page, std::string_view line, std::size_t bytes) const {
  if (!page.full && !line.empty() && page.text.size() + line.size() <= limit_) {
    page.text += line;
    return;
  }
  if (page.full) {
    page.text.erase(page.text.rfind(kLeftOut));
  }
  page.full = true;
  page.left_out += bytes;
  page.text += std::string{kLeftOut} + std::to_string(page.left_out) + " bytes\n";
}

}  // namespace assay
