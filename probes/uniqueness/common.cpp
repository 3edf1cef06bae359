#include <algorithm>
#include <cmath>
#include <map>

#include "probes/uniqueness/values.hpp"

namespace assay::probes::uniqueness {

namespace {

constexpr std::string_view kRuns[] = {"01234567890",
                                      "abcdefghijklmnopqrstuvwxyz",
                                      "qwertyuiop",
                                      "asdfghjkl",
                                      "zxcvbnm",
                                      "qwertzuiop",
                                      "yxcvbnm",
                                      "1q2w3e4r5t6z7u8i9o0p",
                                      "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
                                      "azertyuiop"};

bool runs_on(std::string_view part) {
  if (std::all_of(part.begin(), part.end(), [&](char c) { return c == part.front(); })) {
    return true;
  }
  std::string back{part.rbegin(), part.rend()};
  return std::any_of(std::begin(kRuns), std::end(kRuns), [&](std::string_view run) {
    return run.find(part) != std::string_view::npos || run.find(back) != std::string_view::npos;
  });
}

struct Run {
  std::size_t at = 0;
  std::size_t length = 0;
};

Run longest_run(const std::string& text) {
  Run best;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::size_t length = 1;
    while (at + length < text.size() && length < 32 && runs_on(std::string_view{text}.substr(at, length + 1))) {
      ++length;
    }
    if (length > best.length) {
      best = {at, length};
    }
  }
  return best;
}

/// Letters at the front of a value whose rest is digits and signs: "summer" of "summer2026!".
std::string stem_of(const std::string& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  const bool plain = std::none_of(end, text.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  return plain ? std::string{text.begin(), end} : std::string{};
}

void add_run(std::vector<Relation>& out, const Value& value, double each, std::size_t count) {
  const auto text = folded(value.text);
  const auto run = longest_run(text);
  // A run is set by its first character and its direction, anywhere in any of the values.
  constexpr double kWays = 6;
  const double looked = std::log10(kWays * static_cast<double>(count * std::max<std::size_t>(text.size(), 1)));
  const double luck = each * static_cast<double>(run.length > 0 ? run.length - 1 : 0) - looked;
  if (luck >= kTold) {
    out.push_back({"pattern",
                   "a part of the value is a run of the keyboard, of the alphabet or of one character",
                   {value.name},
                   static_cast<std::int64_t>(run.at),
                   static_cast<std::int64_t>(run.length),
                   luck});
  }
}

}  // namespace

std::vector<Relation> common_values(const Values& values, const std::vector<std::string>& list) {
  constexpr std::size_t kShortestStem = 5;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < list.size(); ++i) {
    known.emplace(folded(list[i]), i + 1);
  }
  std::string all;
  for (const auto& value : values) {
    all += folded(value.text);
  }
  const double each = std::log10(alphabet_of(all));
  const double looked = std::log10(static_cast<double>(std::max<std::size_t>(known.size() * values.size(), 1)));
  std::vector<Relation> out;
  for (const auto& value : values) {
    const auto text = folded(value.text);
    const auto stem = stem_of(text);
    const auto size = std::ssize(text);
    if (known.contains(text)) {
      // On a list is on a list, whatever led there.
      const double luck = each * static_cast<double>(size) - looked;
      out.push_back(
          {"common", "the value is on the list of common passwords", {value.name}, 0, size, std::max(0.0, luck)});
    } else if (stem.size() >= kShortestStem && known.contains(stem)) {
      const double luck = each * static_cast<double>(stem.size()) - looked;
      if (luck >= kTold) {
        out.push_back({"common",
                       "the value is a common password with digits or signs behind it",
                       {value.name},
                       0,
                       std::ssize(stem),
                       luck});
      }
    }
    add_run(out, value, each, values.size());
  }
  return out;
}

}  // namespace assay::probes::uniqueness
