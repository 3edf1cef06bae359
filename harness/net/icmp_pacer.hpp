#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/net/budget.hpp"

namespace assay {

/// How fast closed ports can be proven: a device that limits its ICMP errors (Linux: one a second to each peer, six at
/// once after a rest) answers only so many datagrams, and asking faster makes silence without meaning. Grows while
/// errors come, falls to one pair at a time when a control probe stays without its error. Pure: it is told the time.
class IcmpPacer {
 public:
  static constexpr std::size_t kFirstLanes = 16;
  static constexpr std::size_t kMostLanes = 256;

  /// Pairs that may be without an answer at once.
  std::size_t lanes() const { return lanes_; }

  /// When the next pair may leave.
  TimePoint next() const { return next_; }

  /// A pair leaves; give what it returns to starved().
  std::uint32_t sent(TimePoint now);

  /// An ICMP error came for one of the pair.
  void answered(TimePoint now);

  /// None came for either: the device had none left, or both were lost.
  void starved(std::uint32_t epoch, TimePoint now);

  /// A port was silent and no control is known: nothing is learnt about a limit.
  void blind();

  bool limited() const { return limited_; }

  /// ICMP errors a second since the limit was met; null before it was, or before it was measured for a while.
  std::optional<double> per_second(TimePoint now) const;

 private:
  std::size_t lanes_ = kFirstLanes;
  TimePoint next_{};
  std::chrono::nanoseconds interval_{0};
  std::uint32_t epoch_ = 0;
  bool limited_ = false;
  int in_row_ = 0;
  TimePoint since_{};
  std::int64_t errors_ = 0;
};

}  // namespace assay
