#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Factory values of several devices, and what they have in common: pure. A relation is told only when chance would
/// make one like it less often than once in 100,000 sets of values.
namespace assay::probes::uniqueness {

struct Identifier {
  std::string kind;  // serial, mac, ssid, model, vendor, date, username
  std::string text;
};

struct Value {
  std::string text;
  std::string name;  // "3", the place in the list
  std::vector<Identifier> identifiers;
};

using Values = std::vector<Value>;

/// Decimal places of luck that a relation needs beyond what was looked through.
inline constexpr double kTold = 5;

/// What was found to hold for some values.
struct Relation {
  std::string kind;  // equal, counter, ordered, shared, identifier, common, pattern
  std::string what;  // in words, never with a part of a value
  std::vector<std::string> values;
  std::int64_t at = -1;      // where in the values, from 0; -1: nowhere in particular
  std::int64_t length = -1;  // characters; -1: not of a part
  double luck = 0;           // decimal places: 9 means once in 10^9 by chance
};

/// The smallest usual alphabet that has all these characters: 10, 16, 26, 36, 52, 62, 85 …; but never more than what
/// showed, when enough showed. At least 2.
double alphabet_of(std::string_view characters);

/// Lower case of ASCII.
std::string folded(std::string_view text);
std::string alphanumeric(std::string_view text);

/// log10 of "n choose k".
double log_choose(std::size_t n, std::size_t k);

/// Equal values, however likely that is; and those that differ in case or separators alone, where chance makes none.
std::vector<Relation> equal_values(const Values& values);
/// Numbers that lie close together, rise in steps, or follow an identifier by a constant difference or in order.
std::vector<Relation> counters(const Values& values);
/// Each value made of the one before, or of a number of the device, by one multiplication and addition: what linear
/// congruential generators do.
std::vector<Relation> recurrences(const Values& values);
/// The same characters at the same place of several values.
std::vector<Relation> shared_parts(const Values& values);
/// Identifiers in the values: in whole or in part, reversed, in other bases, hashed, as the seed of a generator.
std::vector<Relation> identifier_relations(const Values& values);
/// Characters of an identifier, each moved by an amount of its place that is the same for all.
std::vector<Relation> shifted_identifiers(const Values& values);
/// Values, or most of one, that are on a list, and runs of the keyboard, of the alphabet or of one character.
std::vector<Relation> common_values(const Values& values, const std::vector<std::string>& list);

/// What a value looks like.
struct Form {
  std::int64_t shortest = 0;
  std::int64_t longest = 0;
  std::int64_t fewest_classes = 0;   // of upper case, lower case, digits and others, in one value
  std::vector<std::string> classes;  // of all values
  std::int64_t equal_in_a_row = 0;   // values with two equal characters in a row
  std::int64_t equal_to_login = 0;
};

Form form_of(const Values& values);

/// Words that a maker's list has at least, for what is put together of words: an assumption, which `low` rests on then.
inline constexpr std::int64_t kAssumedWords = 256;

/// What values are put together of, where all have the same pattern of words and numbers.
struct Words {
  std::int64_t words = 0;  // in a value; 0: there is no such pattern
  double bits = 0;         // of words from a list of kAssumedWords and of even digits
};

Words words_of(const Values& values);

/// An estimate from few values, with what it does not show.
struct Entropy {
  double bits = 0;  // of the characters as if each were drawn by itself, or of words where that is less
  double low = 0;   // 95 % of what the number of characters says, or of words where that is less
  double high = 0;
  double at_most = 0;  // of an even draw from the alphabet that showed
  double shown = 0;    // no two of the values are equal: so much at least
  std::int64_t characters = 0;
  std::int64_t words = 0;  // in a value, where bits and low are those of words; else 0
};

Entropy entropy_of(const Values& values);

}  // namespace assay::probes::uniqueness
