#pragma once

#include <vector>

#include "harness/model/dut.hpp"
#include "probes/uniqueness/values.hpp"

namespace assay::probes::uniqueness {

/// What is public of the device that has a factory value: as the entry gives it, else as its sample and the model do.
std::vector<Identifier> identifiers_of(const Dut& dut, const PasswordSample& given);

}  // namespace assay::probes::uniqueness
