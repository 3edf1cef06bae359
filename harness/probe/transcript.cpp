#include "harness/probe/transcript.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace assay {

namespace {

constexpr std::size_t kBytesInRow = 16;
constexpr std::string_view kLeftOut = "# left out beyond the limit: ";

bool printable(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7f;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
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

std::string offset_text(std::chrono::steady_clock::duration since) {
  std::array<char, 48> text{};
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
  std::snprintf(text.data(), text.size(), "+%lld.%06lld", static_cast<long long>(micros / 1'000'000),
                static_cast<long long>(micros % 1'000'000));
  return text.data();
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

/// Of two lists, each in the order of its places.
void merge(std::vector<ConcealedFinder::Hit>& found, const std::vector<ConcealedFinder::Hit>& more) {
  const auto middle = static_cast<std::ptrdiff_t>(found.size());
  found.insert(found.end(), more.begin(), more.end());
  std::inplace_merge(found.begin(), found.begin() + middle, found.end(),
                     [](const auto& one, const auto& other) { return one.at < other.at; });
}

}  // namespace

Transcript::Transcript(std::string_view what, std::size_t limit)
    : limit_(limit), shown_{"# " + escaped(what) + "; > sent, < received, seconds since the start\n"} {}

void Transcript::sent(std::span<const std::byte> bytes) {
  chunk('>', text_of(bytes));
}

void Transcript::received(std::span<const std::byte> bytes) {
  chunk('<', text_of(bytes));
}

void Transcript::sent_concealed(std::span<const std::byte> bytes, std::string_view shown) {
  if (open_ && is_full()) {
    leave_out(shown.size(), bytes.size());
    return;
  }
  const auto when = since_start();
  if (!open_) {
    open_ = shown_;
  }
  append(shown_, "# " + when + " sent, with a secret left out: " + escaped(masked(shown)) + "\n", shown.size());
  dump(*open_, '>', when, text_of(bytes));
}

void Transcript::note(std::string_view text) {
  if (is_full()) {
    leave_out(text.size(), text.size());
    return;
  }
  const auto shown = masked(text);
  part(shown, text);
  const auto when = "# " + since_start() + " ";
  append(shown_, when + escaped(shown) + "\n", text.size());
  if (open_) {
    append(*open_, when + escaped(text) + "\n", text.size());
  }
}

void Transcript::conceal(std::string_view text, std::string_view name) {
  conceal_in(concealed_, text, name, 1);
  finder_.reset();
}

Transcript::Hits Transcript::hits(std::string_view text) {
  auto found = shared_ ? shared_->finder().hits(text) : Hits{};
  if (!concealed_.empty()) {
    if (!finder_) {
      finder_.emplace(concealed_);
    }
    merge(found, finder_->hits(text));
  }
  return found;
}

std::string Transcript::masked_bytes(std::string_view bytes) {
  auto found = hits(bytes);
  if (in_bytes_) {
    merge(found, in_bytes_->finder().hits(bytes));
  }
  return ConcealedFinder::masked(bytes, found);
}

std::string Transcript::since_start() const {
  return offset_text(std::chrono::steady_clock::now() - start_);
}

/// From the first difference on there are two pages.
void Transcript::part(std::string_view shown, std::string_view open) {
  if (!open_ && shown != open) {
    open_ = shown_;
  }
}

void Transcript::chunk(char direction, std::string_view bytes) {
  if (is_full()) {
    leave_out(bytes.size(), bytes.size());
    return;
  }
  const auto shown = masked_bytes(bytes);
  part(shown, bytes);
  const auto when = since_start();
  dump(shown_, direction, when, shown);
  if (open_) {
    dump(*open_, direction, when, bytes);
  }
}

/// Thousands of logins go on after the last line that fits.
bool Transcript::is_full() const {
  return shown_.full && (!open_ || open_->full);
}

void Transcript::leave_out(std::size_t shown, std::size_t open) {
  append(shown_, {}, shown);
  if (open_) {
    append(*open_, {}, open);
  }
}

void Transcript::dump(Page& page, char direction, const std::string& when, std::string_view bytes) const {
  const auto size = std::to_string(bytes.size()) + (bytes.size() == 1 ? " byte" : " bytes");
  append(page, direction + (" " + when) + " " + size + "\n", 0);
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
void Transcript::append(Page& page, std::string_view line, std::size_t bytes) const {
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
