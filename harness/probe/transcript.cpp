#include "harness/probe/transcript.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

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

/// RFC 4648, 4.
std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    std::uint32_t group = 0;
    const auto part = text.substr(at, 3);
    for (std::size_t index = 0; index < 3; ++index) {
      group = (group << 8) | (index < part.size() ? static_cast<unsigned char>(part[index]) : 0U);
    }
    for (std::size_t index = 0; index < 4; ++index) {
      encoded += index <= part.size() ? kDigits[(group >> (18 - 6 * index)) & 63U] : '=';
    }
  }
  return encoded;
}

/// RFC 3986, 2.1, with a blank as `blank`, and all but letters, digits and `kept` encoded.
std::string percent_encoded(std::string_view text, std::string_view kept, std::string_view blank) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char raw : text) {
    const auto byte = static_cast<unsigned char>(raw);
    const bool plain = (raw >= '0' && raw <= '9') || (raw >= 'A' && raw <= 'Z') || (raw >= 'a' && raw <= 'z');
    if (plain || kept.find(raw) != std::string_view::npos) {
      encoded += raw;
    } else if (raw == ' ') {
      encoded += blank;
    } else {
      encoded += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return encoded;
}

/// One pass, the longest match at each place, so that a replacement is never replaced again. By first characters: a
/// dictionary and the cookies of its logins are thousands of texts.
std::string masked(std::string_view text, const std::map<std::string, std::string>& concealed) {
  std::array<std::vector<const std::pair<const std::string, std::string>*>, 256> by_first;
  for (const auto& entry : concealed) {
    by_first[static_cast<unsigned char>(entry.first.front())].push_back(&entry);
  }
  for (auto& entries : by_first) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto* one, const auto* other) { return one->first.size() > other->first.size(); });
  }
  std::string result;
  while (!text.empty()) {
    const auto& entries = by_first[static_cast<unsigned char>(text.front())];
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const auto* entry) { return text.starts_with(entry->first); });
    if (found == entries.end()) {
      result += text.front();
      text.remove_prefix(1);
    } else {
      result += (*found)->second;
      text.remove_prefix((*found)->first.size());
    }
  }
  return result;
}

/// "00000010  48 54 54 50 …  |HTTP…|"
std::string row(std::size_t offset, std::string_view bytes) {
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
    std::snprintf(number.data(), number.size(), " %02x", byte);
    line += number.data();
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

}  // namespace

Transcript::Transcript(std::string_view what, std::size_t limit)
    : limit_(limit), text_("# " + escaped(what) + "; > sent, < received, seconds since the start\n") {}

void Transcript::sent(std::span<const std::byte> bytes) {
  chunk('>', bytes);
}

void Transcript::received(std::span<const std::byte> bytes) {
  chunk('<', bytes);
}

void Transcript::note(std::string_view text) {
  const auto line =
      "# " + offset_text(std::chrono::steady_clock::now() - start_) + " " + escaped(masked(text, concealed_)) + "\n";
  append(line, text.size());
}

void Transcript::conceal(std::string_view text, std::string_view name) {
  if (text.empty()) {
    return;
  }
  const auto shown = "{" + std::string{name} + "}";
  concealed_.emplace(text, shown);
  concealed_.emplace(base64(text), shown);
  concealed_.emplace(percent_encoded(text, "-._~", "%20"), shown);
  concealed_.emplace(percent_encoded(text, "-._*", "+"), shown);
}

void Transcript::chunk(char direction, std::span<const std::byte> bytes) {
  const auto shown = masked(text_of(bytes), concealed_);
  const std::string_view rest{shown};
  const auto size = std::to_string(rest.size()) + (rest.size() == 1 ? " byte" : " bytes");
  append(direction + (" " + offset_text(std::chrono::steady_clock::now() - start_)) + " " + size + "\n", 0);
  for (std::size_t at = 0; at < rest.size(); at += kBytesInRow) {
    const auto part = rest.substr(at, kBytesInRow);
    if (full_) {
      append({}, rest.size() - at);
      return;
    }
    append(row(at, part), part.size());
  }
}

/// Adds a whole line, or counts what it stands for once the limit is reached: nothing small slips in after a gap.
void Transcript::append(std::string_view line, std::size_t bytes) {
  if (!full_ && !line.empty() && text_.size() + line.size() <= limit_) {
    text_ += line;
    return;
  }
  if (full_) {
    text_.erase(text_.rfind(kLeftOut));
  }
  full_ = true;
  left_out_ += bytes;
  text_ += std::string{kLeftOut} + std::to_string(left_out_) + " bytes\n";
}

}  // namespace assay
