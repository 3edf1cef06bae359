#include "harness/net/round_trip.hpp"

#include <algorithm>

namespace assay {

void RoundTrip::sample(Duration measured) {
  measured = std::max(measured, Duration{0});
  if (!known_) {
    known_ = true;
    smoothed_ = measured;
    variation_ = measured / 2;
    return;
  }
  const auto deviation = smoothed_ > measured ? smoothed_ - measured : measured - smoothed_;
  variation_ = (variation_ * 3 + deviation) / 4;
  smoothed_ = (smoothed_ * 7 + measured) / 8;
}

RoundTrip::Duration RoundTrip::patience(Duration least, Duration most) const {
  const Duration wanted = known_ ? smoothed_ + 4 * variation_ : Duration{std::chrono::seconds{1}};
  return std::min(std::max(wanted, least), std::max(least, most));
}

}  // namespace assay
