#pragma once

#include "probes/images/format.hpp"

/// RAUC bundles: a squashfs, for "verity" and "crypt" its hash tree, then a CMS message and its length. "plain" signs
/// the squashfs with a detached signature; the others sign a manifest that the message holds.
namespace assay::images {

extern const Format kRauc;

}  // namespace assay::images
