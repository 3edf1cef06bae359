#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/json.hpp"

/// What a catalogue says of cryptographic algorithms, from `testplans/policies/` (docs/plan-format.md, policy/1).
namespace assay {

/// How the catalogue speaks of an algorithm while it is in force.
enum class Grade : std::uint8_t {
  recommended,
  allowed,
  transitional,  // for old peers only, or to be left soon
  forbidden,
};
BOOST_DESCRIBE_ENUM(Grade, recommended, allowed, transitional, forbidden)

/// What the catalogue means by an algorithm that it does not list.
enum class Unlisted : std::uint8_t {
  forbidden,  // only what is listed may be used
  doubt,      // not recommended; a person decides
  silent,     // nothing: it only adds to other catalogues
};
BOOST_DESCRIBE_ENUM(Unlisted, forbidden, doubt, silent)

struct PolicyEntry {
  std::string name;  // as the protocol spells it; a `*` at the end stands for any rest
  Grade grade = Grade::recommended;
  std::int64_t until = 0;  // last year in which the grade holds; 0: the catalogue names no end
  std::int64_t bits = 0;   // in key_size: the least length that counts; 0 elsewhere
  std::string note;
  std::string needs{};     // look of the probe without which a person decides: "encrypt_then_mac"; empty: none
  std::string strength{};  // as that of the policy, where the entry rests on something else; empty: the policy's

  bool operator==(const PolicyEntry&) const = default;
};
BOOST_DESCRIBE_STRUCT(PolicyEntry, (), (name, grade, until, bits, note, needs, strength))

/// One dated catalogue for one protocol.
struct Policy {
  std::string id;        // "bsi-tr-02102-4"
  std::string protocol;  // tls, ssh
  std::string title;
  std::string version;
  std::string date;  // of that version, as exactly as it is known: "2025-01"; or "undated"
  std::string source;
  std::string strength;  // sourced, derived, reasoned, unconfirmed
  Unlisted unlisted = Unlisted::doubt;
  std::map<std::string, std::vector<PolicyEntry>> lists;  // by category

  bool operator==(const Policy&) const = default;
};
BOOST_DESCRIBE_STRUCT(Policy, (), (id, protocol, title, version, date, source, strength, unlisted, lists))

/// "BSI TR-02102-4 2025-01 of 2025-01-31", as findings name it (`policy_title` of expressions).
std::string policy_in_words(const Policy& policy);

}  // namespace assay
