#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/tls/picture.hpp"
#include "probes/tls/suites.hpp"

namespace assay::probes::tls {

/// How far a known weakness was shown.
enum class WeaknessState : std::uint8_t {
  shown,         // its decisive exchange took place
  precondition,  // what it needs of the server is there; whether an attack succeeds was not tried
  not_shown,     // the decisive exchange was refused, or the precondition is not there
  unknown,       // could not be told
};
BOOST_DESCRIBE_ENUM(WeaknessState, shown, precondition, not_shown, unknown)

struct Weakness {
  std::string_view name;
  WeaknessState state = WeaknessState::unknown;
  std::string why;
};

/// What versions, suites and answers say of the weaknesses that need no exchange of their own.
std::vector<Weakness> weaknesses_of(const Versions& versions, const Picture& picture);

}  // namespace assay::probes::tls
