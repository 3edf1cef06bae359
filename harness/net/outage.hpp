#pragma once

#include <cstdint>

#include "harness/net/budget.hpp"

namespace assay {

/// A device that fell silent, or whose open ports began to refuse, in the middle of a sweep: it may have crashed, be
/// starting again, or turn a scanner away. The sweep holds, asks now and then one port whose answer is known, and goes
/// on when that answer came a few times in a row, or gives up. Pure: it is told the time.
class Outage {
 public:
  static constexpr std::chrono::milliseconds kSpacing{500};  // between two looks
  static constexpr std::chrono::milliseconds kLongest{20000};
  static constexpr int kGoodInRow = 3;  // a device that starts answers before its services do
  static constexpr int kMost = 3;       // that a sweep goes on after

  enum class Finding { waiting, back, gave_up };

  void begin(TimePoint now);

  bool on() const { return on_; }

  /// When to look next; only while it is on.
  TimePoint next_look() const { return next_look_; }

  void looked(TimePoint now) { next_look_ = now + kSpacing; }

  /// How a look ended: `as_before` when the port answered as it used to, `refused` when an open one refused.
  Finding ended(bool as_before, bool refused, TimePoint now);

  /// Without an answer to a look.
  Finding at(TimePoint now);

  /// So far, the present one included.
  int count() const { return count_; }

  /// The present one ended in refusals, not in silence: somebody is there and turns us away.
  bool refusing() const { return refusing_; }

 private:
  bool on_ = false;
  bool refusing_ = false;
  int count_ = 0;
  int good_in_row_ = 0;
  TimePoint since_{};
  TimePoint next_look_{};
};

}  // namespace assay
