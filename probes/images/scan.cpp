#include "probes/images/scan.hpp"

#include <algorithm>
#include <charconv>

#include "probes/wire/bytes.hpp"

namespace assay::images {

namespace {

constexpr std::size_t kMaximumListed = 64;
constexpr std::string_view kWhite = " \t\r\n";

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t count, bool little) {
  if (at > bytes.size() || count > bytes.size() - at) {
    return 0;
  }
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    out = out << 8U | static_cast<unsigned char>(bytes[at + (little ? count - 1 - i : i)]);
  }
  return out;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// Behind the next "key", its closing quote if it has one, and the sign between key and value; npos when there is none.
std::size_t behind_key(std::string_view text, std::string_view key, std::size_t from) {
  for (auto at = text.find(key, from); at != text.npos; at = text.find(key, at + 1)) {
    auto next = at + key.size();
    if ((at > 0 && is_word(text[at - 1])) || (next < text.size() && is_word(text[next]))) {
      continue;
    }
    next += next < text.size() && text[next] == '"' ? 1 : 0;
    next = text.find_first_not_of(kWhite, next);
    if (next != text.npos && (text[next] == '=' || text[next] == ':')) {
      return text.find_first_not_of(kWhite, next + 1);
    }
  }
  return text.npos;
}

}  // namespace

std::uint16_t little_u16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(number(bytes, at, 2, true));
}

std::uint32_t little_u32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number(bytes, at, 4, true));
}

std::uint64_t little_u64(std::string_view bytes, std::size_t at) {
  return number(bytes, at, 8, true);
}

std::uint32_t big_u32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number(bytes, at, 4, false));
}

std::uint64_t big_u64(std::string_view bytes, std::size_t at) {
  return number(bytes, at, 8, false);
}

std::string little_bytes(std::uint64_t value, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += static_cast<char>(value >> 8 * i & 0xFFU);
  }
  return out;
}

std::string big_bytes(std::uint64_t value, std::size_t count) {
  const auto little = little_bytes(value, count);
  return {little.rbegin(), little.rend()};
}

std::string_view until_nul(std::string_view bytes) {
  return bytes.substr(0, bytes.find('\0'));
}

std::optional<Place> quoted_value(std::string_view text, std::string_view key) {
  for (auto at = behind_key(text, key, 0); at != text.npos; at = behind_key(text, key, at)) {
    if (text[at] == '"') {
      const auto end = text.find('"', at + 1);
      return end == text.npos ? std::nullopt : std::optional{Place{at + 1, end - at - 1}};
    }
  }
  return std::nullopt;
}

std::vector<std::string> quoted_list(std::string_view text, std::string_view key) {
  std::vector<std::string> out;
  auto at = behind_key(text, key, 0);
  if (at == text.npos || (text[at] != '[' && text[at] != '(')) {
    return out;
  }
  const auto end = text.find_first_of("])", at);
  const auto list = text.substr(at, end == text.npos ? text.npos : end - at);
  for (auto begin = list.find('"'); begin != list.npos && out.size() < kMaximumListed; begin = list.find('"', begin)) {
    const auto close = list.find('"', begin + 1);
    if (close == list.npos) {
      break;
    }
    out.emplace_back(list.substr(begin + 1, close - begin - 1));
    begin = close + 1;
  }
  return out;
}

std::optional<Place> ini_value(std::string_view text, std::string_view section, std::string_view key) {
  std::string current;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = wire::trim(text.substr(at, end - at));
    const auto equals = line.find('=');
    if (line.starts_with('[') && line.ends_with(']')) {
      current = line.substr(1, line.size() - 2);
    } else if (current == section && equals != line.npos && wire::trim(line.substr(0, equals)) == key) {
      const auto value = wire::trim(line.substr(equals + 1));
      return Place{static_cast<std::size_t>(value.data() - text.data()), value.size()};
    }
    at = end + 1;
  }
  return std::nullopt;
}

std::vector<Edit> replace_all(std::string_view text, std::uint64_t offset, std::string_view old_text,
                              std::string_view new_text) {
  std::vector<Edit> out;
  if (old_text.empty() || old_text == new_text) {
    return out;
  }
  for (auto at = text.find(old_text); at != text.npos; at = text.find(old_text, at + old_text.size())) {
    out.push_back(edit_text(offset + at, old_text.size(), std::string{new_text}));
  }
  return out;
}

std::string from_hex(std::string_view text) {
  std::string out;
  for (; text.size() >= 2; text.remove_prefix(2)) {
    unsigned int byte = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + 2, byte, 16);
    if (failed != std::errc{} || end != text.data() + 2) {
      break;
    }
    out += static_cast<char>(byte);
  }
  return out;
}

}  // namespace assay::images
