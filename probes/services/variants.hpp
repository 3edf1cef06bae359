#pragma once

#include <span>
#include <string>

#include "probes/services/follow.hpp"

/// What may lie behind a web server: UPnP, HNAP, ONVIF, IPP and the connection request of TR-069.
namespace assay::probes::services {

struct Variant {
  std::string_view name;
  std::span<const std::uint16_t> ports;  // where it is asked for
  std::string (*request)(const Place& place) = nullptr;
  /// Notes it when the answer shows it, in `details.variants` and the product.
  void (*note)(const wire::HttpResponse& answer, Sighting& sighting) = nullptr;
};

std::span<const Variant> variants();

bool usual_for(const Variant& variant, const Place& place, const Sighting& sighting);

}  // namespace assay::probes::services
