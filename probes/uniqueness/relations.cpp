#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <tuple>
#include <unordered_map>

#include "probes/uniqueness/texts.hpp"

namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kLongestValue = 64;
constexpr std::size_t kMostTold = 6;  // the likeliest ways; others are the same thing seen otherwise

/// A kind of texts, all of whose ways are looked through together.
struct Pool {
  Texts (*texts)(const Value&);
  bool random = false;   // they are of a hash or a generator: their characters fit by chance, whatever values look like
  bool anywhere = true;  // any part of them may stand in a value, and not only their beginning or their end
};

constexpr Pool kPools[] = {
    {&direct_texts}, {&derived_texts, true}, {&lettered_texts, true, false}, {&seeded_texts, true, false}};

/// Every value beside what one way makes of its identifiers.
struct Beside {
  std::string way;
  std::vector<std::string> texts;  // by value; empty where there is none
  double most = 0;                 // decimal places that a character that fits takes at most
};

/// The values in lower case with the weight of each place: how many decimal places a character that fits there takes.
struct Folded {
  std::vector<std::string> values;
  std::vector<double> weights;  // by place
  std::vector<bool> fixed;      // the same character in all values: it fits all or none
  std::vector<double> choices;  // log10 of the choices of so many values
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
  for (std::size_t count = 0; count <= values.size(); ++count) {
    out.choices.push_back(log_choose(values.size(), count));
  }
  return out;
}

/// How texts are laid beside values.
struct Place {
  std::size_t at = 0;        // in the values
  std::ptrdiff_t shift = 0;  // place in the text less place in the value
  bool ends = false;         // or both end together
};

struct Fit {
  std::string way;
  std::ptrdiff_t shift = 0;  // of the first of them
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

/// Padding of Base64 is left out by those who cut a text.
std::ptrdiff_t end_shift(const std::string& value, const std::string& text) {
  const auto padded = value.ends_with('=') ? text.size() : text.find_last_not_of('=') + 1;
  return static_cast<std::ptrdiff_t>(padded) - std::ssize(value);
}

/// The best fit of all values that begins at one place.
void best_from(const Beside& beside, const Folded& folded, const Place& place, Fit& best) {
  const auto shift_of = [&](std::size_t i) {
    return place.ends ? end_shift(folded.values[i], beside.texts[i]) : place.shift;
  };
  std::vector<std::pair<std::size_t, std::size_t>> runs;  // length, value
  for (std::size_t i = 0; i < folded.values.size(); ++i) {
    if (const auto length = run_of(folded.values[i], beside.texts[i], place.at, shift_of(i)); length > 0) {
      runs.emplace_back(length, i);
    }
  }
  std::sort(runs.rbegin(), runs.rend());
  for (std::size_t count = 1; count <= runs.size(); ++count) {
    const auto length = runs[count - 1].first;
    double luck = -folded.choices[count];
    for (std::size_t at = place.at; at < place.at + length; ++at) {
      luck += std::min(folded.weights[at], beside.most) * (folded.fixed[at] ? 1 : static_cast<double>(count));
    }
    if (luck > best.luck) {
      best = {beside.way, shift_of(runs.front().second), place.at, length, {}, luck};
      for (std::size_t i = 0; i < count; ++i) {
        best.who.push_back(runs[i].second);
      }
    }
  }
}

/// How many values fit with a run of each length from one place on.
using Runs = std::array<std::uint16_t, kLongestValue + 1>;

/// Of all places, with one shift.
void count_runs(const Beside& beside, const Folded& folded, std::ptrdiff_t shift, std::vector<Runs>& out) {
  out.assign(folded.longest, Runs{});
  for (std::size_t i = 0; i < folded.values.size(); ++i) {
    const auto& value = folded.values[i];
    const auto& text = beside.texts[i];
    std::size_t length = 0;
    for (auto at = value.size(); at-- > 0;) {
      const auto place = static_cast<std::ptrdiff_t>(at) + shift;
      const bool fits = place >= 0 && place < std::ssize(text) && text[static_cast<std::size_t>(place)] == value[at];
      length = fits ? length + 1 : 0;
      if (fits) {
        ++out[at][length];
      }
    }
  }
}

/// Whether a fit that begins there could be told at all; of nearly none it can. Of runs of one length the fewest or the
/// most are the best: what chance has to choose from grows ever more slowly.
bool may_tell(const Runs& runs, std::size_t at, const Beside& beside, const Folded& folded) {
  constexpr double kLookedAtLeast = 2;  // decimal places
  std::size_t count = 0;
  for (auto length = folded.longest - at; length > 0; --length) {
    if (runs[length] == 0) {
      continue;
    }
    double each = 0;
    double once = 0;
    for (auto place = at; place < at + length; ++place) {
      (folded.fixed[place] ? once : each) += std::min(folded.weights[place], beside.most);
    }
    const auto fewest = count + 1;
    count += runs[length];
    for (const auto many : {fewest, count}) {
      if (once + each * static_cast<double>(many) - folded.choices[many] >= kTold + kLookedAtLeast) {
        return true;
      }
    }
  }
  return false;
}

/// The best fit of one way at all places; `looked` counts what was looked through.
Fit best_anywhere(const Beside& beside, const Folded& folded, double& looked) {
  std::size_t longest = 0;
  for (const auto& text : beside.texts) {
    longest = std::max(longest, text.size());
  }
  Fit best;
  std::vector<Runs> runs;
  const auto first = -static_cast<std::ptrdiff_t>(folded.longest) + 2;
  for (auto shift = first; shift + 2 <= static_cast<std::ptrdiff_t>(longest); ++shift) {
    count_runs(beside, folded, shift, runs);
    for (std::size_t at = 0; at < runs.size(); ++at) {
      if (may_tell(runs[at], at, beside, folded)) {
        best_from(beside, folded, {at, shift}, best);
      }
    }
    looked += static_cast<double>(folded.longest);
  }
  return best;
}

/// The best fit of a text's beginning behind something else, such as a word that all values begin with.
Fit best_behind(const Beside& beside, const Folded& folded, double& looked) {
  Fit best;
  for (std::size_t at = 1; at + 1 < folded.longest; ++at) {
    best_from(beside, folded, {at, -static_cast<std::ptrdiff_t>(at)}, best);
    ++looked;
  }
  return best;
}

/// As an even draw of the characters that texts are made of has it, in lower case. Of letters of both cases each is
/// there twice, so that it comes with 2 of 62 characters, and of fewer where those that look alike are left out.
double weight_of(const std::vector<std::string>& texts) {
  const auto all_in = [&](std::string_view allowed) {
    return std::all_of(texts.begin(), texts.end(),
                       [&](const std::string& text) { return text.find_first_not_of(allowed) == std::string::npos; });
  };
  constexpr double kLetters = 26;
  constexpr double kBothCases = 27;
  return std::log10(all_in("0123456789")                   ? 10
                    : all_in("0123456789abcdef")           ? 16
                    : all_in("abcdefghijklmnopqrstuvwxyz") ? kLetters
                                                           : kBothCases);
}

/// Ways that make the same of all values are one: that an identifier in lower case is the one as it is costs no luck.
std::vector<Beside> beside(const Values& values, const Pool& pool) {
  std::unordered_map<std::string, std::vector<std::string>> ways;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (auto& [way, text] : pool.texts(values[i])) {
      auto& texts = ways[way];
      texts.resize(values.size());
      texts[i] = std::move(text);
    }
  }
  std::vector<Beside> all;
  for (auto& [way, texts] : ways) {
    const double most = pool.random ? weight_of(texts) : std::numeric_limits<double>::max();
    all.push_back({way, std::move(texts), most});
  }
  const auto by_texts = [](const Beside& a, const Beside& b) {
    return std::tie(a.texts, a.way) < std::tie(b.texts, b.way);
  };
  std::sort(all.begin(), all.end(), by_texts);
  const auto same = [](const Beside& a, const Beside& b) { return a.texts == b.texts; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  std::sort(all.begin(), all.end(), [](const Beside& a, const Beside& b) { return a.way < b.way; });
  return all;
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

/// All ways of one kind, with the luck of the whole search taken off each. That a value begins or ends as the text does
/// is looked through by itself: it is what generators do, and one value may show it.
void search(const Values& values, const Folded& folded, const Pool& pool, std::vector<Relation>& out) {
  const auto ways = beside(values, pool);
  double looked = 1;
  std::vector<Fit> edges;
  std::vector<Fit> others;
  for (const auto& one : ways) {
    Fit edge;
    best_from(one, folded, {0, 0}, edge);
    best_from(one, folded, {0, 0, true}, edge);
    edges.push_back(std::move(edge));
    others.push_back(pool.anywhere ? best_anywhere(one, folded, looked) : best_behind(one, folded, looked));
  }
  constexpr double kEdges = 2;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    edges[i].luck -= std::log10(kEdges * static_cast<double>(ways.size()));
    others[i].luck -= std::log10(looked);
    const auto& best = edges[i].luck > others[i].luck ? edges[i] : others[i];
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
  for (const auto& pool : kPools) {
    search(values, folded, pool, out);
  }
  std::stable_sort(out.begin(), out.end(), [](const Relation& a, const Relation& b) { return a.luck > b.luck; });
  out.resize(std::min(out.size(), kMostTold));
  return out;
}

}  // namespace assay::probes::uniqueness
