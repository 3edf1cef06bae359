#include <array>

#include "probes/images/format.hpp"

namespace assay::images {

std::span<const Format* const> formats() {
  return {};
}

}  // namespace assay::images
