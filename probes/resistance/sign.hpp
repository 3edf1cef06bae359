#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "probes/credentials/dialect.hpp"

/// What one wrong login showed, held against the first ones: pure.
namespace assay::probes::resistance {

/// How the device took a wrong login.
enum class Sign : std::uint8_t {
  usual,          // refused as the first ones were
  slow,           // refused, but later than they were
  locked,         // it says that it takes no more logins for now
  limited,        // it says that there are too many requests (status 429)
  changed,        // it asks for something else beside the password
  let_in,         // a wrong password was answered as if it were right: never a reaction
  no_connection,  // connections are refused
  no_answer,      // silence, or the connection ends without a word
};
BOOST_DESCRIBE_ENUM(Sign, usual, slow, locked, limited, changed, let_in, no_connection, no_answer)

/// The refusals before anything happened.
struct Usual {
  milliseconds slowest{0};
  std::set<std::string> words;

  void learn(const credentials::Attempt& refusal);
};

/// A refusal counts as slow from three times the slowest usual one and a second on: a busy device is not a reaction.
Sign sign_of(const credentials::Attempt& attempt, const Usual& usual);

/// An answer by which the device shows that it holds who asks: silence and refused connections have other reasons too.
bool holds(Sign sign);

/// How many wrong logins a connection takes before the device ends it, from the logins of each connection in order.
/// Nothing when fewer than two connections were used up, or when they differ, or when none was used again: then it is
/// the dialect that takes a new one for each login, as far as can be seen.
std::optional<std::int64_t> per_connection(const std::vector<std::int64_t>& used_up);

}  // namespace assay::probes::resistance
