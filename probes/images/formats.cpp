#include <array>

#include "probes/images/archive.hpp"
#include "probes/images/boards.hpp"
#include "probes/images/format.hpp"
#include "probes/images/mender.hpp"
#include "probes/images/packed.hpp"
#include "probes/images/rauc.hpp"
#include "probes/images/suit.hpp"
#include "probes/images/swu.hpp"
#include "probes/images/zip.hpp"

namespace assay::images {

std::span<const Format* const> formats() {
  static constexpr std::array<const Format*, 14> kAll{&kSwu, &kCpio, &kMender, &kTar,      &kRauc, &kFit, &kUimage,
                                                      &kEsp, &kUf2,  &kZip,    &kIntelHex, &kGzip, &kXz,  &kSuit};
  return kAll;
}

}  // namespace assay::images
