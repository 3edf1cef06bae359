#include <algorithm>
#include <cmath>
#include <map>

#include "probes/uniqueness/values.hpp"

namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kLongest = 64;  // characters of a value that are looked at

/// The end of the values that places are counted from.
enum class From : std::uint8_t { start, end };

std::string_view part_of(const std::string& text, From from, std::size_t at, std::size_t length) {
  const auto size = std::min(text.size(), kLongest);
  if (at + length > size) {
    return {};
  }
  const std::string_view view{text};
  return from == From::start ? view.substr(at, length) : view.substr(text.size() - at - length, length);
}

/// Decimal places that one more value with the same characters here takes: by the kinds of characters that stand at
/// this place in all values, for a format such as AAA-999 has fewer than the whole.
double place_weight(const Values& values, From from, std::size_t at) {
  std::string here;
  std::string all;
  for (const auto& value : values) {
    here += part_of(value.text, from, at, 1);
    all += value.text;
  }
  if (alphanumeric(here).empty()) {
    return 0;  // a separator
  }
  // As if each had been seen once: what stands at one place of a few values is not all that may stand there.
  std::string once = here.substr(0, 1);
  for (const char c : here) {
    once += once.find(c) == std::string::npos ? std::string(1, c) : std::string{};
  }
  return std::log10(std::min(alphabet_of(once.substr(0, 15)), alphabet_of(all)));
}

struct Found {
  std::size_t at = 0;
  std::size_t length = 0;
  std::vector<std::string> names;
  double luck = 0;
};

/// The largest group of values that have the same part here.
std::vector<std::string> largest_group(const Values& values, From from, std::size_t at, std::size_t length) {
  std::map<std::string_view, std::vector<std::string>> groups;
  std::vector<std::string> best;
  for (const auto& value : values) {
    const auto part = part_of(value.text, from, at, length);
    if (part.empty()) {
      continue;
    }
    auto& group = groups[part];
    group.push_back(value.name);
    if (group.size() > best.size()) {
      best = group;
    }
  }
  return best;
}

Found best_part(const Values& values, From from) {
  std::size_t longest = 0;
  for (const auto& value : values) {
    longest = std::max(longest, std::min(value.text.size(), kLongest));
  }
  std::vector<double> weights;
  for (std::size_t at = 0; at < longest; ++at) {
    weights.push_back(place_weight(values, from, at));
  }
  const double looked = std::log10(static_cast<double>(std::max<std::size_t>(longest * longest, 1)));
  Found best;
  for (std::size_t at = 0; at < longest; ++at) {
    double weight = 0;
    std::size_t weighty = 0;
    for (std::size_t length = 1; at + length <= longest; ++length) {
      weight += weights[at + length - 1];
      weighty += weights[at + length - 1] > 0 ? 1 : 0;
      const auto names = largest_group(values, from, at, length);
      if (names.size() < 2) {
        break;
      }
      const double luck =
          static_cast<double>(names.size() - 1) * weight - log_choose(values.size(), names.size()) - looked;
      if (weighty >= 2 && luck > best.luck) {
        best = {at, length, names, luck};
      }
    }
  }
  return best;
}

}  // namespace

std::vector<Relation> shared_parts(const Values& values) {
  std::vector<Relation> out;
  if (values.size() < 2 || !equal_values(values).empty()) {
    return out;
  }
  const auto front = best_part(values, From::start);
  const auto back = best_part(values, From::end);
  if (front.luck >= kTold) {
    const auto where = front.at == 0 ? std::string{"beginning"} : "part from character " + std::to_string(front.at + 1);
    out.push_back({"shared", "these values have the same " + where, front.names, static_cast<std::int64_t>(front.at),
                   static_cast<std::int64_t>(front.length), front.luck});
  }
  // The same part seen from both ends is one.
  const bool same_size = std::all_of(values.begin(), values.end(), [&](const Value& value) {
    return value.text.size() == values.front().text.size();
  });
  const bool twice = same_size && front.luck >= kTold && front.names == back.names && front.length == back.length;
  if (back.luck >= kTold && !twice) {
    const auto where = back.at == 0 ? std::string{"end"} : "part " + std::to_string(back.at) + " before the end";
    out.push_back({"shared", "these values have the same " + where, back.names, -1,
                   static_cast<std::int64_t>(back.length), back.luck});
  }
  return out;
}

}  // namespace assay::probes::uniqueness
