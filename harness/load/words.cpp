#include "harness/load/words.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "harness/model/joined.hpp"

namespace assay {

namespace {

constexpr std::size_t kLongestCompared = 48;
constexpr std::size_t kLongestShown = 60;
constexpr std::size_t kMostListed = 24;

char lower(char letter) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
}

/// Optimal string alignment distance: insert, delete, replace, swap of neighbours.
std::size_t distance(std::string_view left, std::string_view right) {
  std::array<std::array<std::size_t, kLongestCompared + 1>, 3> rows{};
  for (std::size_t j = 0; j <= right.size(); ++j) {
    rows[0][j] = j;
  }
  for (std::size_t i = 1; i <= left.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i - 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t cost = lower(left[i - 1]) == lower(right[j - 1]) ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + cost});
      if (i > 1 && j > 1 && lower(left[i - 1]) == lower(right[j - 2]) && lower(left[i - 2]) == lower(right[j - 1])) {
        row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
      }
    }
  }
  return rows[left.size() % 3][right.size()];
}

template <class Words>
std::string_view nearest_of(std::string_view word, const Words& known) {
  std::string_view best;
  std::size_t best_distance = kLongestCompared;
  if (word.empty() || word.size() > kLongestCompared) {
    return best;
  }
  for (const std::string_view candidate : known) {
    if (candidate.empty() || candidate.size() > kLongestCompared) {
      continue;
    }
    const auto found = distance(word, candidate);
    const auto allowed = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    // One letter is never near another: "a" does not mean "b".
    if (found <= allowed && found < best_distance && found < word.size()) {
      best = candidate;
      best_distance = found;
    }
  }
  return best;
}

/// Length of the UTF-8 sequence that `lead` begins, 0 when it begins none.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 2;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return 3;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  return nearest_of(word, known);
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  return std::string{nearest_of(word, known)};
}

std::string shown(std::string_view text) {
  std::string out = "\"";
  std::size_t count = 0;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (!is_continuation(letter) && ++count > kLongestShown) {
      out += "…";
      break;
    }
    if (byte < 0x20 || byte == 0x7F) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      out += escaped.data();
    } else {
      out += letter;
    }
  }
  return out + "\"";
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  if (const auto near = nearest(word, known); !near.empty()) {
    return "; did you mean \"" + near + "\"?";
  }
  if (known.empty() || known.size() > kMostListed) {
    return {};
  }
  return "; known: " + joined(known);
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const auto length = sequence_length(lead);
    if (length == 0 || i + length > text.size()) {
      return false;
    }
    for (std::size_t k = 1; k < length; ++k) {
      if (!is_continuation(text[i + k])) {
        return false;
      }
    }
    if (length > 2) {  // overlong forms, surrogates, beyond U+10FFFF
      const auto second = static_cast<unsigned char>(text[i + 1]);
      if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
          (lead == 0xF4 && second > 0x8F)) {
        return false;
      }
    }
    i += length;
  }
  return true;
}

bool looks_boolean(std::string_view text) {
  static constexpr std::array<std::string_view, 22> kWords{
      "y",    "Y",    "yes",   "Yes",   "YES",   "n",  "N",  "no", "No",  "NO",  "true",
      "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF"};
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation(byte); }));
}

}  // namespace assay
