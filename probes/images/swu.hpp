#pragma once

#include "probes/images/format.hpp"

/// SWUpdate images: a cpio archive that begins with sw-description, perhaps followed by sw-description.sig.
namespace assay::images {

extern const Format kSwu;

}  // namespace assay::images
