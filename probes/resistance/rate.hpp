#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/probe/network.hpp"
#include "probes/resistance/trend.hpp"

/// How many wrong logins a day follow from those that were measured: pure arithmetic, with its limits. A lower bound is
/// told only of what lasted: through two reactions that were timed, or where none came.
namespace assay::probes::resistance {

/// What the device did after some wrong logins, as far as the arithmetic needs it.
enum class Hold : std::uint8_t {
  none,    // nothing
  once,    // something, and it was not seen again
  blocks,  // takes none for a time, then again
  slows,   // takes them later and later
};

/// How long one block lasted.
struct Block {
  milliseconds least{0};
  std::optional<milliseconds> most{};  // nothing: its end was not seen
};

struct Measured {
  std::vector<milliseconds> each;  // time from one wrong login to the next while nothing had happened
  Hold hold = Hold::none;
  std::int64_t after = 0;          // wrong logins that one block lets through
  std::vector<Block> blocks;       // the first, and the next of the same address and account
  std::vector<milliseconds> slow;  // times of the slow ones, in order
};

struct Rate {
  std::int64_t attempts = 0;  // it rests on
  double seconds = 0;
  std::optional<double> per_day;  // wrong logins in 24 hours; nothing: what was seen does not say
  double low = 0;                 // 0: no lower bound follows
  double high = 0;
  bool by_device = false;  // the device held them back; else one connection at our pace did
  std::string basis;
};

/// Nothing when no time was measured.
std::optional<Rate> rate_of(const Measured& measured);

/// Another address and the times of its logins.
struct Addressed {
  std::vector<milliseconds> each;
};

/// Of one address and others that are not held together with it. Nothing without others.
std::optional<Rate> together(const Rate& one, const std::vector<Addressed>& others);

/// The second block was longer than the first by more than the steps that both were timed in.
bool grows(const std::vector<Block>& blocks);

}  // namespace assay::probes::resistance
