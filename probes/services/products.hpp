#pragma once

#include <span>

#include "harness/model/fingerprint.hpp"
#include "probes/services/sighting.hpp"

namespace assay::probes::services {

/// What the fingerprints add to an identified service.
struct ProductName {
  std::string product;
  std::string version;
  std::string cpe;
  std::string os_hint;
};

/// The first fingerprint that fits gives product, version and CPE name, the first with a hint the system. All of it is
/// empty for a service that is not identified.
ProductName product_of(std::span<const Fingerprint> fingerprints, const Sighting& sighting);

}  // namespace assay::probes::services
