#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "probes/uniqueness/values.hpp"

namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kEnough = 16;  // characters from which on what did not show counts as not there
constexpr double kOthers = 33;       // printable ASCII that is neither letter nor digit, with the space

enum class Class : std::uint8_t { upper, lower, digit, other };

Class class_of(unsigned char c) {
  return std::isupper(c) != 0   ? Class::upper
         : std::islower(c) != 0 ? Class::lower
         : std::isdigit(c) != 0 ? Class::digit
                                : Class::other;
}

bool all_in(std::string_view characters, std::string_view allowed) {
  return characters.find_first_not_of(allowed) == std::string_view::npos;
}

double by_class(std::string_view characters) {
  if (all_in(characters, "0123456789")) {
    return 10;
  }
  if (all_in(characters, "0123456789abcdef") || all_in(characters, "0123456789ABCDEF")) {
    return 16;
  }
  std::set<Class> classes;
  for (const char c : characters) {
    classes.insert(class_of(static_cast<unsigned char>(c)));
  }
  double size = 0;
  for (const auto one : classes) {
    size += one == Class::digit ? 10 : one == Class::other ? kOthers : 26;
  }
  return size;
}

std::string all_characters(const Values& values) {
  std::string out;
  for (const auto& value : values) {
    out += value.text;
  }
  return out;
}

std::string_view word_for(Class one) {
  constexpr std::string_view kWords[] = {"upper case", "lower case", "digits", "others"};
  return kWords[static_cast<std::size_t>(one)];
}

bool has_twins(std::string_view text) {
  return std::adjacent_find(text.begin(), text.end()) != text.end();
}

std::string login_of(const Value& value) {
  for (const auto& one : value.identifiers) {
    if (one.kind == "username") {
      return one.text;
    }
  }
  return {};
}

}  // namespace

double alphabet_of(std::string_view characters) {
  const std::set<char> distinct(characters.begin(), characters.end());
  const double most = by_class(characters);
  const auto seen = static_cast<double>(distinct.size());
  return std::max(2.0, characters.size() >= kEnough ? std::min(most, seen) : most);
}

std::string folded(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::tolower(c) : c); });
  return out;
}

std::string alphanumeric(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](unsigned char c) { return class_of(c) != Class::other; });
  return out;
}

double log_choose(std::size_t n, std::size_t k) {
  const auto factorial = [](std::size_t x) { return std::lgamma(static_cast<double>(x) + 1); };
  return (factorial(n) - factorial(k) - factorial(n - k)) / std::log(10.0);
}

Form form_of(const Values& values) {
  Form out;
  std::set<Class> all;
  for (const auto& value : values) {
    const auto size = std::ssize(value.text);
    std::set<Class> here;
    for (const char c : value.text) {
      here.insert(class_of(static_cast<unsigned char>(c)));
    }
    const bool first = &value == &values.front();
    out.shortest = first ? size : std::min(out.shortest, size);
    out.longest = std::max(out.longest, size);
    out.fewest_classes = first ? std::ssize(here) : std::min<std::int64_t>(out.fewest_classes, std::ssize(here));
    out.equal_in_a_row += has_twins(value.text) ? 1 : 0;
    const auto login = login_of(value);
    out.equal_to_login += !login.empty() && folded(login) == folded(value.text) ? 1 : 0;
    all.insert(here.begin(), here.end());
  }
  for (const auto one : all) {
    out.classes.emplace_back(word_for(one));
  }
  return out;
}

/// Plug-in estimate with the correction of Miller and Madow (1955) for characters that did not show, times the length
/// of the part that is not the same in all values.
Entropy entropy_of(const Values& values) {
  Entropy out;
  std::size_t shortest = std::string::npos;
  for (const auto& value : values) {
    shortest = std::min(shortest, value.text.size());
  }
  if (values.empty() || shortest == 0) {
    return out;
  }
  std::string drawn;
  std::size_t free = 0;
  for (std::size_t at = 0; at < shortest; ++at) {
    std::set<char> here;
    for (const auto& value : values) {
      here.insert(value.text[at]);
    }
    if (values.size() >= 3 && here.size() == 1) {
      continue;
    }
    ++free;
    for (const auto& value : values) {
      drawn += value.text[at];
    }
  }
  std::map<char, double> counts;
  for (const char c : drawn) {
    ++counts[c];
  }
  const auto total = static_cast<double>(std::max<std::size_t>(drawn.size(), 1));
  double mean = 0;
  double squares = 0;
  for (const auto& [c, count] : counts) {
    const double p = count / total;
    mean -= p * std::log2(p);
    squares += p * std::log2(p) * std::log2(p);
  }
  const auto length = static_cast<double>(free);
  const double error = std::sqrt(std::max(0.0, squares - mean * mean) / total);
  const double missing = counts.empty() ? 0 : static_cast<double>(counts.size() - 1) / (2 * total * std::log(2.0));
  const double even = std::log2(drawn.empty() ? 1 : by_class(drawn));
  constexpr double kSigmas = 1.96;
  out.characters = std::ssize(drawn);
  out.at_most = length * even;
  out.bits = std::min(out.at_most, length * (mean + missing));
  out.low = length * std::max(0.0, mean - kSigmas * error);
  out.high = std::min(out.at_most, length * (mean + missing + kSigmas * error + missing));
  if (const auto words = words_of(values); words.words > 0 && words.bits < out.low) {
    out.words = words.words;
    out.low = words.bits;
    out.bits = std::min(out.bits, words.bits);
  }
  const auto texts = all_characters(values);
  const auto count = static_cast<double>(values.size());
  const bool equal = !equal_values(values).empty();
  // With p equal pairs in b bits: n(n-1)/2 pairs would have met in fewer than that.
  out.shown = equal || count < 2 || texts.empty() ? 0 : std::max(0.0, std::log2(count * (count - 1) / 2 / 3));
  return out;
}

}  // namespace assay::probes::uniqueness
