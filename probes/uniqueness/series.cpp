#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "probes/uniqueness/numbers.hpp"
#include "probes/uniqueness/values.hpp"

namespace assay::probes::uniqueness {

namespace {

std::vector<std::string> names_of(const Values& values) {
  std::vector<std::string> out;
  for (const auto& value : values) {
    out.push_back(value.name);
  }
  return out;
}

Relation relation(const Values& values, std::string kind, std::string what, double luck) {
  return {std::move(kind), std::move(what), names_of(values), -1, -1, luck};
}

bool strictly(const std::vector<Number>& numbers, bool rising) {
  return std::adjacent_find(numbers.begin(), numbers.end(),
                            [rising](Number a, Number b) { return rising ? a >= b : a <= b; }) == numbers.end();
}

/// The values in the order of a line rise or fall throughout.
std::optional<bool> follows(const std::vector<Number>& numbers, const std::vector<Number>& line) {
  std::vector<std::pair<Number, Number>> pairs;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    pairs.emplace_back(line[i], numbers[i]);
  }
  std::sort(pairs.begin(), pairs.end());
  std::vector<Number> keys;
  std::vector<Number> sorted;
  for (const auto& [key, number] : pairs) {
    keys.push_back(key);
    sorted.push_back(number);
  }
  if (!strictly(keys, true)) {
    return std::nullopt;
  }
  return strictly(sorted, true) ? std::optional{true} : strictly(sorted, false) ? std::optional{false} : std::nullopt;
}

void add_order(std::vector<Relation>& out, const Values& values, const Numbers& numbers,
               const std::vector<Line>& lines) {
  const auto ways = 2 * static_cast<double>(lines.size() + 1);
  const double luck = std::lgamma(static_cast<double>(values.size()) + 1) / std::log(10.0) - std::log10(ways);
  if (luck < kTold) {
    return;
  }
  if (strictly(numbers.all, true) || strictly(numbers.all, false)) {
    out.push_back(relation(values, "ordered", "the values rise or fall in the order of the list", luck));
  }
  for (const auto& line : lines) {
    if (const auto rising = follows(numbers.all, line.all)) {
      out.push_back(relation(values, "ordered",
                             std::string{"the values "} + (*rising ? "rise" : "fall") + " with " + line.what, luck));
    }
  }
}

void add_differences(std::vector<Relation>& out, const Values& values, const Numbers& numbers,
                     const std::vector<Line>& lines) {
  const auto others = static_cast<double>(values.size() - 1);
  for (const auto& line : lines) {
    for (const int sign : {1, -1}) {
      std::vector<Number> rests;
      for (std::size_t i = 0; i < values.size(); ++i) {
        rests.push_back(numbers.all[i] - sign * line.all[i]);
      }
      const bool constant = std::adjacent_find(rests.begin(), rests.end(), std::not_equal_to<>{}) == rests.end();
      const double luck = others * numbers.places - std::log10(2 * static_cast<double>(lines.size()));
      if (constant && luck >= kTold) {
        out.push_back(relation(values, "counter",
                               std::string{sign > 0 ? "the difference to " : "the sum with "} + line.what +
                                   " is the same for all (base " + std::to_string(numbers.base) + ")",
                               luck));
      }
    }
  }
}

/// log10 of how many values there are from the least first place on up to the greatest value: many generators fill the
/// first place with a part of the characters, or end at a power of two, and none need begin at zero.
double log_filled(const Numbers& numbers, Number least, Number most) {
  const auto whole = numbers.unit * numbers.base;
  const auto floor = std::floor(std::fmod(static_cast<double>(least), whole) / numbers.unit) * numbers.unit;
  return std::log10(std::fmod(static_cast<double>(most), whole) - floor + 1);
}

/// A beginning that all share is told by itself and makes no counter, unless little more than the count is left to
/// vary.
void add_counter(std::vector<Relation>& out, const Values& values, const Numbers& numbers) {
  constexpr double kSpread = 2;  // decimal places that a counter may skip
  const auto [least, most] = std::minmax_element(numbers.all.begin(), numbers.all.end());
  const double range = std::log10(static_cast<double>(*most - *least) + 1);
  const auto count = static_cast<double>(values.size());
  const bool narrow = numbers.free <= std::log10(count) + kSpread;
  // All within a range w of S: n (w/S)^(n-1).
  const double space = narrow ? numbers.places : log_filled(numbers, *least, *most);
  const double close = (count - 1) * (space - range) - std::log10(count);
  if (close >= kTold) {
    out.push_back(relation(values, "counter",
                           "as numbers of base " + std::to_string(numbers.base) +
                               " the values lie close together, as those of a counter do",
                           close));
  }
  std::vector<Number> steps;
  for (std::size_t i = 1; i < numbers.all.size(); ++i) {
    steps.push_back(numbers.all[i] - numbers.all[i - 1]);
  }
  const bool even = std::adjacent_find(steps.begin(), steps.end(), std::not_equal_to<>{}) == steps.end();
  const double regular = (count - 2) * numbers.free;
  if (even && regular >= kTold) {
    out.push_back(relation(values, "counter",
                           "as numbers of base " + std::to_string(numbers.base) +
                               " the values go on by the same step in the order of the list",
                           regular));
  }
}

/// One value written in several ways. Short ones may be alike by chance.
void add_alike(const Values& values, std::vector<Relation>& out) {
  std::map<std::string, std::vector<const Value*>> places;
  std::string all;
  for (const auto& value : values) {
    const auto plain = folded(alphanumeric(value.text));
    places[plain].push_back(&value);
    all += plain;
  }
  const double each = std::log10(alphabet_of(all));
  for (const auto& [text, group] : places) {
    std::set<std::string> spellings;
    std::vector<std::string> names;
    for (const auto* value : group) {
      spellings.insert(value->text);
      names.push_back(value->name);
    }
    const double luck = each * static_cast<double>(text.size()) * static_cast<double>(spellings.size() - 1) -
                        log_choose(values.size(), group.size());
    if (spellings.size() > 1 && luck >= kTold) {
      out.push_back(
          {"equal", "these values are the same but for case or separators", names, 0, std::ssize(text), luck});
    }
  }
}

}  // namespace

std::vector<Relation> equal_values(const Values& values) {
  std::map<std::string, std::vector<std::string>> places;
  std::string all;
  for (const auto& value : values) {
    places[value.text].push_back(value.name);
    all += value.text;
  }
  std::vector<Relation> out;
  const double each = std::log10(alphabet_of(all));
  for (const auto& [text, names] : places) {
    if (names.size() < 2) {
      continue;
    }
    const auto length = std::ssize(text);
    const double luck = each * static_cast<double>(length) * static_cast<double>(names.size() - 1) -
                        log_choose(values.size(), names.size());
    out.push_back({"equal", "these values are the same", names, 0, length, std::max(0.0, luck)});
  }
  add_alike(values, out);
  return out;
}

std::vector<Relation> counters(const Values& values) {
  std::vector<Relation> out;
  if (values.size() < 2 || !equal_values(values).empty()) {
    return out;
  }
  const auto numbers = numbers_of(texts_of(values));
  if (!numbers) {
    return out;
  }
  add_counter(out, values, *numbers);
  const auto lines = lines_of(values);
  add_differences(out, values, *numbers, lines);
  add_order(out, values, *numbers, lines);
  return out;
}

}  // namespace assay::probes::uniqueness
