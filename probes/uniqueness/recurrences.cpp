#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "probes/uniqueness/numbers.hpp"
#include "probes/uniqueness/values.hpp"

/// Values that are y = a x + c modulo m of the value before, or of a number of the device: the constants are found.
namespace assay::probes::uniqueness {

namespace {

__extension__ using Wide = __int128;

Number times(Number a, Number b, Number m) {
  return static_cast<Number>(Wide{a} * b % m);
}

Number remainder_of(Number number, Number m) {
  return (number % m + m) % m;
}

/// Of a number that shares nothing with the modulus (Euclid).
Number inverse(Number number, Number m) {
  std::pair<Number, Number> rest{m, number};
  std::pair<Number, Number> factor{0, 1};
  while (rest.second != 0) {
    const auto quotient = rest.first / rest.second;
    rest = {rest.second, rest.first - quotient * rest.second};
    factor = {factor.second, factor.first - quotient * factor.second};
  }
  return remainder_of(factor.first, m);
}

Number common_divisor(const std::vector<Number>& differences, Number m) {
  return std::accumulate(differences.begin(), differences.end(), m,
                         [](Number all, Number one) { return std::gcd(all, one); });
}

std::vector<Number> differences_of(const std::vector<Number>& numbers, Number m) {
  std::vector<Number> out;
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    out.push_back(remainder_of(numbers[i] - numbers[i - 1], m));
  }
  return out;
}

/// Whether there are constants by which all `to` are made of all `from`: log10 of the values that each further one
/// could have had. A difference of `from` that shares no more with the modulus than all of them do gives the factor;
/// the constants are not told, as with them one value gives away all others.
std::optional<double> affine(const std::vector<Number>& from, const std::vector<Number>& to, Number m) {
  const auto x = differences_of(from, m);
  const auto y = differences_of(to, m);
  const auto shared = common_divisor(x, m);
  const auto best = std::find_if(x.begin(), x.end(), [&](Number one) { return std::gcd(one, m) == shared; });
  if (best == x.end() || shared == m) {
    return std::nullopt;
  }
  const auto rest = m / shared;
  const auto over = y[static_cast<std::size_t>(best - x.begin())];
  if (over % shared != 0 || rest < 2) {
    return std::nullopt;
  }
  const auto a = times(over / shared % rest, inverse(*best / shared % rest, rest), rest);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (times(a, x[i], m) != y[i]) {
      return std::nullopt;
    }
  }
  return std::log10(static_cast<double>(m) / static_cast<double>(common_divisor(y, m)));
}

/// Values as numbers of their smallest base, of any length, with what may come of them.
struct Series {
  std::vector<Number> all;
  double places = 0;             // log10 of how many values there could have been, each time
  std::vector<Number> moduli{};  // that fit
};

Number power(Number base, std::size_t exponent) {
  Number out = 1;
  for (std::size_t i = 0; i < exponent; ++i) {
    out *= base;
  }
  return out;
}

/// Powers of the base as far as characters vary, which hold for all higher ones too, and what generators use.
std::vector<Number> moduli_of(const std::vector<Number>& all, int base, std::size_t varying) {
  constexpr Number kUsual[] = {Number{1} << 16, Number{1} << 24, (Number{1} << 31) - 1,
                               Number{1} << 31, Number{1} << 32, Number{1} << 48};
  std::vector<Number> out{power(base, varying)};
  const auto greatest = *std::max_element(all.begin(), all.end());
  std::copy_if(std::begin(kUsual), std::end(kUsual), std::back_inserter(out),
               [&](Number m) { return m > greatest && m != out.front(); });
  return out;
}

std::optional<Series> series_of(const std::vector<std::string>& texts) {
  std::string drawn;
  std::size_t shortest = texts.front().size();
  for (const auto& text : texts) {
    drawn += text;
    shortest = std::min(shortest, text.size());
  }
  const auto same = common_beginning(texts);
  for (const int base : {10, 16, 36}) {
    const auto cut = number_start(texts.front(), same, base);
    Series out;
    for (const auto& text : texts) {
      if (const auto number = number_of(std::string_view{text}.substr(cut), base)) {
        out.all.push_back(*number);
      }
    }
    if (out.all.size() == texts.size() && shortest > same) {
      const auto varying = shortest - same;
      out.places = static_cast<double>(varying) * std::log10(std::min<double>(base, alphabet_of(drawn)));
      out.moduli = moduli_of(out.all, base, varying);
      return out;
    }
  }
  return std::nullopt;
}

/// Steps that are all the same, and differences to a line, are told as counters.
bool is_told(const std::vector<Number>& from, const std::vector<Number>& to) {
  std::vector<Number> steps;
  std::vector<Number> differences;
  std::vector<Number> sums;
  for (std::size_t i = 0; i < from.size(); ++i) {
    differences.push_back(to[i] - from[i]);
    sums.push_back(to[i] + from[i]);
    if (i > 0) {
      steps.push_back(to[i] - to[i - 1]);
    }
  }
  const auto even = [](const std::vector<Number>& all) {
    return std::adjacent_find(all.begin(), all.end(), std::not_equal_to<>{}) == all.end();
  };
  return even(steps) || even(differences) || even(sums);
}

struct Law {
  std::string what;
  double luck = 0;
};

/// One more than it takes to find the constants and the rest of the values are what may fail to fit.
void look(const std::vector<Number>& from, const std::vector<Number>& to, const Series& series, std::size_t free,
          const std::string& of, std::vector<Law>& out) {
  if (to.size() <= free || is_told(from, to)) {
    return;
  }
  for (const auto m : series.moduli) {
    if (const auto one = affine(from, to, m)) {
      const auto places = std::min(series.places, *one);
      out.push_back({"each value is " + of + " times a constant plus a constant, modulo " + std::to_string(m),
                     static_cast<double>(to.size() - free) * places});
    }
  }
}

struct Known {
  Number a;
  Number c;
  Number m;
  const char* name;
};

constexpr Known kKnown[] = {
    {1103515245, 12345, Number{1} << 31, "1103515245 x + 12345 modulo 2^31"},
    {1103515245, 12345, Number{1} << 32, "1103515245 x + 12345 modulo 2^32"},
    {1664525, 1013904223, Number{1} << 32, "1664525 x + 1013904223 modulo 2^32"},
    {214013, 2531011, Number{1} << 32, "214013 x + 2531011 modulo 2^32"},
    {22695477, 1, Number{1} << 32, "22695477 x + 1 modulo 2^32"},
    {69069, 1, Number{1} << 32, "69069 x + 1 modulo 2^32"},
    {16807, 0, (Number{1} << 31) - 1, "16807 x modulo 2^31 - 1"},
    {48271, 0, (Number{1} << 31) - 1, "48271 x modulo 2^31 - 1"},
    {0x5DEECE66D, 11, Number{1} << 48, "25214903917 x + 11 modulo 2^48"},
};

/// Generators whose constants are published need no value to find them.
void look_for_known(const Series& series, std::vector<Law>& out) {
  for (const auto& known : kKnown) {
    bool holds = true;
    for (std::size_t i = 1; i < series.all.size() && holds; ++i) {
      const auto next = (times(known.a, series.all[i - 1] % known.m, known.m) + known.c) % known.m;
      holds = next == series.all[i];
    }
    if (holds) {
      out.push_back({std::string{"each value is what the generator "} + known.name + " makes of the one before it",
                     static_cast<double>(series.all.size() - 1) * series.places});
    }
  }
}

/// What holds modulo several numbers is told once.
void tell(std::vector<Law> found, double ways, const Values& values, std::vector<Relation>& out) {
  const auto best =
      std::max_element(found.begin(), found.end(), [](const Law& a, const Law& b) { return a.luck < b.luck; });
  if (best == found.end() || best->luck - std::log10(ways) < kTold) {
    return;
  }
  std::vector<std::string> names;
  for (const auto& value : values) {
    names.push_back(value.name);
  }
  out.push_back({"counter", best->what, std::move(names), -1, -1, best->luck - std::log10(ways)});
}

}  // namespace

std::vector<Relation> recurrences(const Values& values) {
  std::vector<Relation> out;
  if (values.size() < 2 || !equal_values(values).empty()) {
    return out;
  }
  const auto series = series_of(texts_of(values));
  if (!series) {
    return out;
  }
  const auto moduli = static_cast<double>(series->moduli.size());
  std::vector<Law> known;
  look_for_known(*series, known);
  tell(known, static_cast<double>(std::size(kKnown)), values, out);
  if (known.empty()) {
    // The first value is given, and two more find the constants.
    std::vector<Law> found;
    look({series->all.begin(), series->all.end() - 1}, {series->all.begin() + 1, series->all.end()}, *series, 2,
         "the one before it", found);
    tell(found, moduli, values, out);
  }
  const auto lines = lines_of(values);
  std::vector<Law> found;
  for (const auto& line : lines) {
    look(line.all, series->all, *series, 2, line.what, found);
  }
  tell(found, moduli * static_cast<double>(std::max<std::size_t>(lines.size(), 1)), values, out);
  return out;
}

}  // namespace assay::probes::uniqueness
