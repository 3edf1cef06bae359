#include <algorithm>
#include <random>

#include "probes/uniqueness/values.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/probes/uniqueness_support.hpp"

/// Values that programs make of an identifier: by a hash whose octets pick characters, by a generator that it seeds,
/// and by one that goes on from value to value. What is known is of hashlib of Python, rand() of the GNU C library,
/// Java and PHP; what else there is was reckoned with whole numbers of Python.
namespace {

using namespace assay::probes::uniqueness;

constexpr std::string_view kLettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

struct Known {
  std::string value;
  std::string words;
  int from = 1;  // the character of the text that the value begins with
};

/// One value of three is made of EX-481516 or 02:4f:9b:31:01:09.
Values one_made(const std::string& value, bool of_its_own = true) {
  auto values = unrelated_devices(3);
  std::mt19937 random{9};
  for (auto& one : values) {
    one.text = drawn(random, kLettersAndDigits, value.size());
  }
  values[0].text = value;
  if (of_its_own) {
    values[0].identifiers[0].text = "EX-481516";
    values[0].identifiers[1].text = "02:4f:9b:31:01:09";
  }
  return values;
}

void check(const std::vector<Known>& known) {
  for (const auto& [value, words, from] : known) {
    const auto whole = "the whole value is in " + words + ", from character " + std::to_string(from);
    const auto found = identifier_relations(one_made(value));
    INFO(words << ": " << words_of(found));
    CHECK(std::any_of(found.begin(), found.end(), [&](const Relation& one) { return one.what == whole; }));
    const auto of_another = identifier_relations(one_made(value, false));
    INFO("of another device: " << words_of(of_another));
    CHECK(of_another.empty());
  }
}

Values listed(const std::vector<std::string>& texts) {
  auto values = unrelated_devices(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    values[i].text = texts[i];
  }
  return values;
}

}  // namespace

TEST_CASE("Characters that octets of a hash pick, and hashes in base 36 and 62, are told") {
  check({
      {"118009924030", "MD5 of the mac without separators, in lower case, its octets modulo 10 in 0-9"},
      {"LdzzmDJQgj", "SHA-256 of the mac as it is, its octets modulo 62 in A-Za-z0-9"},
      {"wttal9tjdx", "SHA-1 of the serial as it is, its octets modulo 36 in 0-9a-z"},
      {"URLYUFVESL", "SHA-512 of the serial as it is, its octets modulo 26 in a-z"},
      {"321GTCJC1R", "SHA-256 of the serial and mac, its octets modulo 32 in 0-9A-Z without I, L, O, U"},
      {"8PU5EP96r4",
       "MD5 of the mac without separators, in upper case, its octets modulo 57 in 2-9A-Za-z without I, O, l"},
      {"2oa52c9apl", "MD5 of the serial as it is, as a number of base 36"},
      {"jcikGBRVww", "SHA-256 of the mac as it is, as a number of base 62", 34},
  });
}

TEST_CASE("Hashes of an address and a serial number that are written in different ways are told") {
  check({
      {"1405682e4948", "MD5 of the mac without separators, in lower case, and the serial as it is, in hexadecimal"},
      {"ab16290cf446",
       "SHA-1 of the serial as it is, and the mac without separators, in upper case, with : between, in hexadecimal"},
      {"c91f9d064391",
       "SHA-256 of the mac without separators, in upper case, and the serial without separators, in lower case, with _ "
       "between, in hexadecimal"},
  });
}

TEST_CASE("Rarer hashes, reversed ones and the ends of long ones are told") {
  check({
      {"a9f48b9f1517", "SHA-384 of the mac as it is, in hexadecimal"},
      {"cb2ef0c5a73a", "SHA-224 of the serial as it is, in hexadecimal"},
      {"1644d0c62d7e", "MD5 of the mac as it is, in hexadecimal, reversed"},
      {"f0c4c9b1ef73", "SHA-512 of the mac as it is, in hexadecimal", 117},
      {"prQkOplONQ", "SHA-512 of the serial as it is, in base64", 77},
      {"f4cf4a03dc1a", "SHA-256 of the mac as it is, in hexadecimal", 53},
  });
}

TEST_CASE("What generators give that an identifier seeds is told") {
  const std::string gnu = "rand() of the GNU C library, seeded with the ";
  check({
      {"014514271298", gnu + "last 3 octets of the mac, modulo 10 in 0-9"},
      {"j4kOlkD5kP", gnu + "digits of the serial, modulo 62 in A-Za-z0-9"},
      {"849028509801687171", gnu + "last 4 octets of the mac, its numbers in decimal"},
      {"avdhni0j69", "rand() as the C standard shows it, seeded with the digits of the serial, modulo 36 in a-z0-9"},
      {"mewumhecsv", "rand() of Microsoft C, seeded with the last 3 octets of the mac, modulo 26 in a-z"},
      {"d9487f5b97beacfe",
       "the generator 1664525 x + 1013904223 modulo 2^32, seeded with the digits of the serial, its numbers in "
       "hexadecimal"},
      {"IaZMawJsGV",
       "the generator 16807 x modulo 2^31 - 1, seeded with the last 3 octets of the mac, scaled to 62 in A-Za-z0-9"},
      {"1768422366",
       "the generator 48271 x modulo 2^31 - 1, seeded with the digits of the serial, its first number in decimal"},
      {"f1tva2dkv1", "Random of Java, seeded with the mac, modulo 36 in 0-9a-z"},
      {"s1kbpwz97i", "rand() of musl, seeded with the last 3 octets of the mac, modulo 36 in a-z0-9"},
      {"zr6haayk2x", "rand() of newlib, seeded with the last 3 octets of the mac, modulo 36 in a-z0-9"},
      {"0gtUqTIVpu", "the Mersenne Twister, seeded with the digits of the serial, modulo 62 in 0-9A-Za-z"},
      {"k1tcsb7pma", "mt_rand() of PHP, seeded with the digits of the serial, modulo 36 in 0-9a-z"},
  });
}

TEST_CASE("Characters that a generator picks behind a word that all values begin with are told with their place") {
  auto values = one_made("j4kOlkD5kP");
  for (auto& value : values) {
    value.text.insert(0, "Key-");
  }
  const auto found = identifier_relations(values);
  INFO(words_of(found));
  REQUIRE(tells(found, "identifier", "modulo 62 in A-Za-z0-9, from character 1"));
  CHECK(found.front().at == 4);
  CHECK(found.front().length == 10);
}

TEST_CASE("Values that go on by one multiplication and addition are told, in the order of the list alone") {
  const std::pair<std::vector<std::string>, std::string> series[] = {
      {{"48201177", "78995538", "39561619", "53273820", "99794541"}, "modulo 100000000"},
      {{"K-9b3101", "K-362a88", "K-dd15b3", "K-503cf2", "K-8cbcf5", "K-f84bac"}, "modulo 16777216"},
      {{"0020260301", "3037167090", "2313044595", "4191689504", "2727995273", "2665272318"}, "modulo 4294967296"},
  };
  for (const auto& [texts, words] : series) {
    const auto found = recurrences(listed(texts));
    INFO(words_of(found));
    REQUIRE(found.size() == 1);
    CHECK(tells(found, "counter", "each value is the one before it times a constant plus a constant, " + words));
    auto turned = texts;
    std::swap(turned[1], turned[2]);
    CHECK(recurrences(listed(turned)).empty());
    auto altered = texts;
    altered.back().back() = altered.back().back() == '7' ? '8' : '7';
    CHECK(recurrences(listed(altered)).empty());
  }
}

TEST_CASE("Values that a published generator makes of each other are told from two values on") {
  const std::pair<std::vector<std::string>, std::string> series[] = {
      {{"20260301", "2125708930", "287304083"}, "1103515245 x + 12345 modulo 2^31"},
      {{"20260301", "879930186", "30954393"}, "48271 x modulo 2^31 - 1"},
      {{"024f9b310109", "1692dd1786e0"}, "25214903917 x + 11 modulo 2^48"},
  };
  for (const auto& [texts, words] : series) {
    const auto found = recurrences(listed(texts));
    INFO(words_of(found));
    CHECK(tells(found, "counter", "each value is what the generator " + words + " makes of the one before it"));
    CHECK(recurrences(listed({texts.rbegin(), texts.rend()})).empty());
  }
}

TEST_CASE("Values that are a number of the device times a constant plus a constant are told in any order") {
  auto values = listed({"20083011", "15739575", "45487842", "43812076"});
  const std::string serials[] = {"EX-481516", "EX-307744", "EX-914203", "EX-550021"};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].identifiers[0].text = serials[i];
  }
  CHECK(tells(recurrences(values), "counter", "each value is the digits of the serial times a constant plus"));
  values[2].identifiers[0].text = "EX-914204";
  CHECK(recurrences(values).empty());
  values = listed({"9198744e", "423a5c67", "afa0aa7d", "a57f0e38"});
  const std::string tails[] = {"31:01:09", "9b:07:f2", "41:c6:e8", "77:aa:13"};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].identifiers[1].text = "02:4f:9b:" + tails[i];
  }
  CHECK(tells(recurrences(values), "counter", "each value is the MAC address"));
}

TEST_CASE("A plain counter is no generator that goes on, as it is told already") {
  auto values = unrelated_devices(10);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].text = std::to_string(48'200'000 + 11 * i);
  }
  CHECK(recurrences(values).empty());
}

/// Values whose places have classes of their own: of few values it cannot be seen that a digit is one of ten.
TEST_CASE("Random values of letters with digits behind them are never said to be made, as texts of digits would be") {
  std::size_t told = 0;
  std::string words;
  for (unsigned seed = 0; seed < kRandomSets * 3 / 10; ++seed) {
    std::mt19937 random{seed};
    auto values = unrelated_devices(std::size_t{1} + seed % 6, seed + 9000);
    const std::string_view heads[] = {kLettersAndDigits.substr(0, 26), kLettersAndDigits.substr(26, 26), kDigits};
    for (auto& value : values) {
      value.text = drawn(random, heads[seed % 3], 2) + drawn(random, kDigits, 9);
    }
    auto found = identifier_relations(values);
    const auto more = recurrences(values);
    found.insert(found.end(), more.begin(), more.end());
    told += found.empty() ? 0 : 1;
    words += found.empty() ? "" : "seed " + std::to_string(seed) + ": " + words_of(found);
  }
  INFO(words);
  CHECK(told == 0);
}
