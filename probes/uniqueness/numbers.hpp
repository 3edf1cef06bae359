#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/uniqueness/values.hpp"

/// Values and identifiers as numbers.
namespace assay::probes::uniqueness {

using Number = std::int64_t;

/// In lower case; nothing where it has other characters than digits of the base, or does not fit with room for
/// differences.
std::optional<Number> number_of(std::string_view text, int base);

/// Values without separators, in lower case.
std::vector<std::string> texts_of(const Values& values);

/// Characters that all begin with.
std::size_t common_beginning(const std::vector<std::string>& texts);

/// Where the number begins that has a text's characters from a place on, and those before it that are of the base and
/// fit.
std::size_t number_start(const std::string& text, std::size_t from, int base);

/// Values as numbers of the smallest base that has all their characters; a beginning that all share is left off.
struct Numbers {
  int base = 0;
  double places = 0;  // log10 of how many there are
  double free = 0;    // of how many begin as all of these do
  double unit = 1;    // what the first place that varies counts
  std::vector<Number> all;
};

std::optional<Numbers> numbers_of(std::vector<std::string> texts);

/// A number of each device, from one kind of identifier.
struct Line {
  std::string what;
  std::vector<Number> all;
};

/// All lines in which devices differ.
std::vector<Line> lines_of(const Values& values);

}  // namespace assay::probes::uniqueness
