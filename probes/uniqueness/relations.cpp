#include <algorithm>
#include <cmath>
#include <set>

#include "probes/uniqueness/texts.hpp"

namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kLongestValue = 64;
constexpr std::size_t kMostTold = 6;  // the likeliest ways; others are the same thing seen otherwise

/// Every value beside what one way makes of its identifiers.
struct Beside {
  std::string way;
  std::vector<std::string> texts;  // by value; empty where there is none
};

/// The values in lower case with the weight of each place: how many decimal places a character that fits there takes.
struct Folded {
  std::vector<std::string> values;
  std::vector<double> weights;  // by place
  std::vector<bool> fixed;      // the same character in all values: it fits all or none
  std::size_t longest = 0;
};

Folded fold(const Values& values) {
  constexpr std::size_t kSpread = 5;  // values from which on a place shows its own alphabet
  Folded out;
  std::string all;
  for (const auto& value : values) {
    out.values.push_back(folded(std::string_view{value.text}.substr(0, kLongestValue)));
    out.longest = std::max(out.longest, out.values.back().size());
    all += out.values.back();
  }
  const double each = alphabet_of(all);
  for (std::size_t at = 0; at < out.longest; ++at) {
    std::set<char> here;
    for (const auto& value : out.values) {
      if (at < value.size()) {
        here.insert(value[at]);
      }
    }
    const bool fixed = values.size() >= 3 && here.size() == 1;
    out.fixed.push_back(fixed);
    const bool spread = values.size() >= kSpread && !fixed;
    out.weights.push_back(
        std::log10(spread ? std::min(each, std::max<double>(2, static_cast<double>(here.size()))) : each));
  }
  return out;
}

struct Fit {
  std::string way;
  std::ptrdiff_t shift = 0;  // place in the text less place in the value
  std::size_t at = 0;
  std::size_t length = 0;
  std::vector<std::size_t> who;
  double luck = 0;
};

/// Characters of a value that fit from a place on.
std::size_t run_of(const std::string& value, const std::string& text, std::size_t at, std::ptrdiff_t shift) {
  std::size_t length = 0;
  for (; at + length < value.size(); ++length) {
    const auto place = static_cast<std::ptrdiff_t>(at + length) + shift;
    if (place < 0 || place >= std::ssize(text) || text[static_cast<std::size_t>(place)] != value[at + length]) {
      break;
    }
  }
  return length;
}

/// The best fit of all values that begins at one place with one shift.
void best_from(const Beside& beside, const Folded& folded, std::size_t at, std::ptrdiff_t shift, Fit& best) {
  std::vector<std::pair<std::size_t, std::size_t>> runs;  // length, value
  for (std::size_t i = 0; i < folded.values.size(); ++i) {
    if (const auto length = run_of(folded.values[i], beside.texts[i], at, shift); length > 0) {
      runs.emplace_back(length, i);
    }
  }
  std::sort(runs.rbegin(), runs.rend());
  for (std::size_t count = 1; count <= runs.size(); ++count) {
    const auto length = runs[count - 1].first;
    double luck = -log_choose(folded.values.size(), count);
    for (std::size_t place = at; place < at + length; ++place) {
      luck += folded.weights[place] * (folded.fixed[place] ? 1 : static_cast<double>(count));
    }
    if (luck > best.luck) {
      best = {beside.way, shift, at, length, {}, luck};
      for (std::size_t i = 0; i < count; ++i) {
        best.who.push_back(runs[i].second);
      }
    }
  }
}

/// Whether the characters that fit with one shift, all taken together, could be told at all: most shifts end here.
bool may_tell(const Beside& beside, const Folded& folded, std::ptrdiff_t shift) {
  constexpr double kLookedAtLeast = 2;  // decimal places
  double most = 0;
  for (std::size_t i = 0; i < folded.values.size(); ++i) {
    const auto& value = folded.values[i];
    const auto& text = beside.texts[i];
    for (std::size_t at = 0; at < value.size(); ++at) {
      const auto place = static_cast<std::ptrdiff_t>(at) + shift;
      if (place >= 0 && place < std::ssize(text) && text[static_cast<std::size_t>(place)] == value[at]) {
        most += folded.weights[at];
      }
    }
  }
  return most >= kTold + kLookedAtLeast;
}

/// The best fit of one way; `looked` counts what was looked through.
Fit best_of(const Beside& beside, const Folded& folded, double& looked) {
  std::size_t longest = 0;
  for (const auto& text : beside.texts) {
    longest = std::max(longest, text.size());
  }
  Fit best;
  const auto first = -static_cast<std::ptrdiff_t>(folded.longest) + 2;
  for (auto shift = first; shift + 2 <= static_cast<std::ptrdiff_t>(longest); ++shift) {
    const auto until = may_tell(beside, folded, shift) ? folded.longest : 0;
    for (std::size_t at = 0; at < until; ++at) {
      best_from(beside, folded, at, shift, best);
    }
    looked += static_cast<double>(folded.longest);
  }
  return best;
}

std::vector<Beside> beside(const Values& values, Texts (*texts)(const Value&)) {
  std::map<std::string, Beside> ways;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (auto& [way, text] : texts(values[i])) {
      auto& one = ways[way];
      one.way = way;
      one.texts.resize(values.size());
      one.texts[i] = std::move(text);
    }
  }
  std::vector<Beside> out;
  for (auto& [way, one] : ways) {
    out.push_back(std::move(one));
  }
  return out;
}

Relation told(const Fit& fit, const Values& values) {
  Relation out{"identifier", {}, {}, static_cast<std::int64_t>(fit.at), static_cast<std::int64_t>(fit.length),
               fit.luck};
  bool whole = true;
  auto who = fit.who;
  std::sort(who.begin(), who.end());
  for (const auto i : who) {
    out.values.push_back(values[i].name);
    whole = whole && fit.at == 0 && values[i].text.size() == fit.length;
  }
  const auto place = static_cast<std::ptrdiff_t>(fit.at) + fit.shift + 1;
  out.what = (whole ? "the whole value is in " : "a part of the value is in ") + fit.way + ", from character " +
             std::to_string(place);
  return out;
}

/// All ways of one kind, with the luck of the whole search taken off each. That a value begins as the text does is
/// looked through by itself: it is what generators do, and one value may show it.
void search(const Values& values, const Folded& folded, Texts (*texts)(const Value&), std::vector<Relation>& out) {
  const auto ways = beside(values, texts);
  double looked = 1;
  std::vector<Fit> fits;
  for (const auto& one : ways) {
    Fit beginning;
    best_from(one, folded, 0, 0, beginning);
    beginning.luck -= std::log10(static_cast<double>(ways.size()));
    fits.push_back(std::move(beginning));
  }
  for (std::size_t i = 0; i < ways.size(); ++i) {
    auto anywhere = best_of(ways[i], folded, looked);
    fits.push_back(std::move(anywhere));
  }
  for (std::size_t i = 0; i < ways.size(); ++i) {
    auto& beginning = fits[i];
    auto& anywhere = fits[i + ways.size()];
    anywhere.luck -= std::log10(looked);
    const auto& best = beginning.luck > anywhere.luck ? beginning : anywhere;
    if (best.luck >= kTold) {
      out.push_back(told(best, values));
    }
  }
}

}  // namespace

std::vector<Relation> identifier_relations(const Values& values) {
  std::vector<Relation> out;
  if (values.empty()) {
    return out;
  }
  const auto folded = fold(values);
  search(values, folded, &direct_texts, out);
  search(values, folded, &derived_texts, out);
  std::stable_sort(out.begin(), out.end(), [](const Relation& a, const Relation& b) { return a.luck > b.luck; });
  out.resize(std::min(out.size(), kMostTold));
  return out;
}

}  // namespace assay::probes::uniqueness
