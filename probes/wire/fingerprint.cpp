#include "probes/wire/fingerprint.hpp"

#include <cctype>

namespace assay::wire {

namespace {

constexpr std::size_t kLongest = 256;
constexpr std::string_view kVersion = "{version}";
constexpr std::string_view kUpdate = "{update}";

bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// "1.22.1" at the beginning of the text; never ends with a dot.
std::size_t version_length(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (digit(text[end]) || (end > 0 && text[end] == '.'))) {
    ++end;
  }
  while (end > 0 && text[end - 1] == '.') {
    --end;
  }
  return end;
}

std::size_t update_length(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0) {
    ++end;
  }
  return end;
}

bool same(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

void replace(std::string& text, std::string_view mark, std::string_view by) {
  if (const auto at = text.find(mark); at != std::string::npos) {
    text.replace(at, mark.size(), by);
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    out += plain ? std::string{c} : std::string{'\\', c};
  }
  return lower(out);
}

}  // namespace

std::optional<PatternMatch> match_pattern(std::string_view pattern, std::string_view text) {
  text = text.substr(0, kLongest);
  PatternMatch match;
  std::size_t p = 0;
  std::size_t t = 0;
  // Only the latest star can be stretched further: what was before it has found its first place.
  std::size_t star = std::string_view::npos;
  std::size_t stretched = 0;
  while (t < text.size() || p < pattern.size()) {
    const auto rest = pattern.substr(std::min(p, pattern.size()));
    const bool wants_version = rest.starts_with(kVersion);
    const bool wants_update = rest.starts_with(kUpdate);
    if (rest.starts_with('*')) {
      star = p++;
      stretched = t;
      continue;
    }
    const auto length = wants_version  ? version_length(text.substr(t))
                        : wants_update ? update_length(text.substr(t))
                                       : 0;
    if (wants_version && length > 0) {
      match.version = text.substr(t, length);
      p += kVersion.size();
      t += length;
    } else if (wants_update) {
      match.update = text.substr(t, length);
      p += kUpdate.size();
      t += length;
    } else if (!wants_version && !rest.empty() && t < text.size() && same(rest[0], text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos && stretched < text.size()) {
      p = star + 1;
      t = ++stretched;
    } else {
      return std::nullopt;
    }
  }
  return match;
}

std::string cpe_name(std::string_view form, const PatternMatch& match) {
  if (form.empty() || (match.version.empty() && form.find(kVersion) != std::string_view::npos)) {
    return {};
  }
  std::string out{form};
  replace(out, kVersion, escaped(match.version));
  replace(out, kUpdate, match.update.empty() ? "*" : escaped(match.update));
  return out;
}

}  // namespace assay::wire
