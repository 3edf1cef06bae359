#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/probe/network.hpp"

/// How many wrong logins a day follow from those that were measured: pure arithmetic, with its limits.
namespace assay::probes::resistance {

/// What the device did after some wrong logins, as far as the arithmetic needs it.
enum class Hold : std::uint8_t {
  none,    // nothing
  blocks,  // takes none for a time, then again
  slows,   // takes them later and later
};

struct Measured {
  std::vector<milliseconds> each;  // time from one wrong login to the next while nothing had happened
  Hold hold = Hold::none;
  std::int64_t after = 0;               // wrong logins until it held
  std::optional<milliseconds> least{};  // it blocked at least so long …
  std::optional<milliseconds> most{};   // … and not longer than that; nothing: its end was not seen
  std::vector<milliseconds> slow;       // times of the slow ones, in order
};

struct Rate {
  std::int64_t attempts = 0;  // it rests on
  double seconds = 0;
  double per_day = 0;  // wrong logins in 24 hours
  double low = 0;      // 95 % of what the measured times say, or the bounds of the block
  double high = 0;
  bool by_device = false;  // the device held them back; else one connection at our pace did
  std::string basis;
};

/// Nothing when no time was measured.
std::optional<Rate> rate_of(const Measured& measured);

}  // namespace assay::probes::resistance
