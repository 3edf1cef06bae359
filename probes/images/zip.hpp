#pragma once

#include "probes/images/format.hpp"

/// zip archives without the 64 bit extension.
namespace assay::images {

extern const Format kZip;

}  // namespace assay::images
