#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "probes/uniqueness/values.hpp"

/// Values put together of words and numbers.
namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kShortestWord = 3;
constexpr std::size_t kMostConsonants = 4;  // in a row, in a word
constexpr std::size_t kFewestValues = 3;    // that show a pattern

enum class Kind : std::uint8_t { letters, digits, other };

struct Token {
  Kind kind = Kind::other;
  std::string text;
};

Kind kind_of(unsigned char c) {
  return std::isalpha(c) != 0 ? Kind::letters : std::isdigit(c) != 0 ? Kind::digits : Kind::other;
}

/// A word begins after what is no letter, and with a capital behind a small letter.
std::vector<Token> tokens_of(const std::string& text) {
  std::vector<Token> out;
  for (const char c : text) {
    const auto kind = kind_of(static_cast<unsigned char>(c));
    const bool capital = kind == Kind::letters && std::isupper(static_cast<unsigned char>(c)) != 0;
    const bool behind_small = !out.empty() && std::islower(static_cast<unsigned char>(out.back().text.back())) != 0;
    if (out.empty() || out.back().kind != kind || (capital && behind_small)) {
      out.push_back({kind, {}});
    }
    out.back().text += c;
  }
  return out;
}

/// It could be spoken: letters with a vowel among them and few consonants in a row.
bool is_word(const std::string& text) {
  std::size_t row = 0;
  std::size_t longest = 0;
  for (const char c : folded(text)) {
    row = std::string_view{"aeiouy"}.find(c) == std::string_view::npos ? row + 1 : 0;
    longest = std::max(longest, row);
  }
  return text.size() >= kShortestWord && longest <= kMostConsonants && longest < text.size();
}

}  // namespace

Words words_of(const Values& values) {
  Words out;
  std::vector<std::vector<Token>> all;
  for (const auto& value : values) {
    all.push_back(tokens_of(value.text));
  }
  const auto odd = [&](const auto& one) { return one.size() != all.front().size(); };
  if (all.size() < kFewestValues || std::any_of(all.begin(), all.end(), odd)) {
    return out;
  }
  Words found;
  for (std::size_t at = 0; at < all.front().size(); ++at) {
    const auto kind = all.front()[at].kind;
    std::set<std::string> texts;
    std::size_t shortest = std::string::npos;
    bool words = true;
    for (const auto& tokens : all) {
      if (tokens[at].kind != kind) {
        return out;
      }
      texts.insert(tokens[at].text);
      shortest = std::min(shortest, tokens[at].text.size());
      words = words && is_word(tokens[at].text);
    }
    if (texts.size() == 1) {
      continue;
    }
    if (kind == Kind::letters && words) {
      ++found.words;
      found.bits += std::log2(static_cast<double>(kAssumedWords));
    } else if (kind == Kind::digits) {
      found.bits += static_cast<double>(shortest) * std::log2(10.0);
    } else {
      return out;
    }
  }
  return found.words > 0 ? found : out;
}

}  // namespace assay::probes::uniqueness
