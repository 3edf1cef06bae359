#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "probes/uniqueness/values.hpp"

/// What the tests of relations between values share.
namespace assay::probes::uniqueness {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kDigits = "0123456789";

// Sets of random values in which no relation may be told. With sanitizers, which look at the code and not at chance,
// less.
#ifdef ASSAY_SANITIZED
constexpr unsigned kRandomSets = 10;
#else
constexpr unsigned kRandomSets = 1000;
#endif

inline std::string drawn(std::mt19937& random, std::string_view alphabet, std::size_t length) {
  std::string out;
  std::uniform_int_distribution<std::size_t> place(0, alphabet.size() - 1);
  for (std::size_t i = 0; i < length; ++i) {
    out += alphabet[place(random)];
  }
  return out;
}

/// Devices of which nothing but a derivation relates the values.
inline Values unrelated_devices(std::size_t count, unsigned seed = 7) {
  std::mt19937 random{seed};
  Values out;
  for (std::size_t i = 0; i < count; ++i) {
    std::string mac = "02:4f:9b";
    for (int octet = 0; octet < 3; ++octet) {
      mac += ":" + drawn(random, kHex, 2);
    }
    out.push_back({"",
                   std::to_string(i + 1),
                   {{"serial", "EX-" + drawn(random, kDigits, 6)},
                    {"mac", mac},
                    {"ssid", "Hub-" + drawn(random, kHex, 4)},
                    {"model", "Hub 2"},
                    {"vendor", "Example"},
                    {"date", "2026-03-01"}}});
  }
  return out;
}

/// Of this kind, or of any when it is empty, and in these words.
inline bool tells(const std::vector<Relation>& relations, std::string_view kind, std::string_view words = "") {
  return std::any_of(relations.begin(), relations.end(), [&](const Relation& one) {
    return (kind.empty() || one.kind == kind) && one.what.find(words) != std::string::npos;
  });
}

inline std::string words_of(const std::vector<Relation>& relations) {
  std::string out;
  for (const auto& one : relations) {
    out += one.kind + ": " + one.what + "; ";
  }
  return out;
}

}  // namespace assay::probes::uniqueness
