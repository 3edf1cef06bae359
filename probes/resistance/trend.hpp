#pragma once

#include <cstdint>
#include <vector>

#include <boost/describe/enum.hpp>

#include "harness/probe/network.hpp"

/// Whether the answers to wrong logins come later and later: pure arithmetic.
namespace assay::probes::resistance {

enum class Growth : std::uint8_t { none, linear, exponential };
BOOST_DESCRIBE_ENUM(Growth, none, linear, exponential)

/// Growth that chance does not make: over all of the times, and over their second half too, so that one step up is
/// none. `least` is the part of the first by which they have to grow.
Growth growth_of(const std::vector<milliseconds>& times, double least = 0.25);

/// How many of growing times come before one that is twice the first.
std::int64_t before_doubled(const std::vector<milliseconds>& times);

}  // namespace assay::probes::resistance
