#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/model/dut.hpp"

namespace assay::probes::credentials {

/// A password made of what a device is labelled with.
struct Derived {
  std::string username;
  Secret password;  // its name is how it is made: "derived: last 6 characters of the MAC address, in upper case"
};

struct DerivedFor {
  std::string username;
  std::size_t most = std::string::npos;  // passwords
};

/// Passwords made of the identifiers that the DUT file gives for a sample, the likeliest first; at most `most`, no pair
/// twice. Names stand in the order of their likelihood: the first gets the most of them.
std::vector<Derived> derived_passwords(const Dut& dut, std::string_view sample, const std::vector<DerivedFor>& names,
                                       std::size_t most);

}  // namespace assay::probes::credentials
