#pragma once

#include "probes/images/format.hpp"

/// zip archives, with the 64 bit extension or without it.
namespace assay::images {

extern const Format kZip;

}  // namespace assay::images
