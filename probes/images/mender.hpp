#pragma once

#include "probes/images/format.hpp"

/// Mender artifacts, version 2 and 3: a tar archive of version, manifest (digests), manifest.sig, a packed header and
/// packed payloads.
namespace assay::images {

extern const Format kMender;

}  // namespace assay::images
