#pragma once

#include <algorithm>
#include <chrono>

namespace assay::probes::tls {

/// How long one kind of answer takes, smoothed as RFC 6298 has it, and when to ask again.
class AnswerTime {
 public:
  using Time = std::chrono::nanoseconds;

  /// Only for answers to a question that was sent once: of others nobody knows which one they answer.
  void add(Time took) {
    if (!known()) {
      smoothed_ = took;
      deviation_ = took / 2;
      return;
    }
    const auto off = took > smoothed_ ? took - smoothed_ : smoothed_ - took;
    deviation_ = (3 * deviation_ + off) / 4;
    smoothed_ = (7 * smoothed_ + took) / 8;
  }

  bool known() const { return smoothed_.count() != 0; }

  Time smoothed() const { return smoothed_; }

  Time deviation() const { return deviation_; }

  /// When silence is worth a second datagram; `otherwise` while nothing is known.
  std::chrono::milliseconds patience(std::chrono::milliseconds otherwise) const {
    constexpr std::chrono::milliseconds kShortest{50};
    return known() ? std::max(kShortest, std::chrono::ceil<std::chrono::milliseconds>(smoothed_ + 4 * deviation_))
                   : otherwise;
  }

 private:
  Time smoothed_{0};
  Time deviation_{0};
};

}  // namespace assay::probes::tls
