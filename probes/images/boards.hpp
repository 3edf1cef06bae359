#pragma once

#include "probes/images/format.hpp"

/// Images of boot loaders and of small controllers.
namespace assay::images {

extern const Format kUimage;    // U-Boot, legacy
extern const Format kFit;       // U-Boot, flattened image tree
extern const Format kEsp;       // ESP-IDF application, with secure boot's signature
extern const Format kIntelHex;  // Intel HEX
extern const Format kUf2;       // UF2

}  // namespace assay::images
