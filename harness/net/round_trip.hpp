#pragma once

#include <chrono>

namespace assay {

/// Smoothed round-trip time and its variation, as RFC 6298 computes them.
class RoundTrip {
 public:
  using Duration = std::chrono::nanoseconds;

  void sample(Duration measured);

  bool known() const { return known_; }

  Duration smoothed() const { return smoothed_; }

  Duration variation() const { return variation_; }

  /// How long to wait for an answer before calling it silence: smoothed + 4 variations, kept inside the box;
  /// one second (RFC 6298, 2.1), kept inside the box too, while nothing was measured.
  Duration patience(Duration least, Duration most) const;

 private:
  bool known_ = false;
  Duration smoothed_{0};
  Duration variation_{0};
};

}  // namespace assay
