#pragma once

#include <cstdint>

#include "harness/net/budget.hpp"

namespace assay {

/// How fast all sources of a proof together may ask. A device limits its ICMP errors in all too (Linux: a thousand a
/// second, fifty at once), and a small one has its own limits: grows by a third every fifth of a second while most
/// datagrams bring their errors, and otherwise falls to a little above what came back. Pure: it is told the time.
class IcmpFlow {
 public:
  static constexpr double kFirst = 100;  // datagrams a second
  static constexpr double kLeast = 20;
  static constexpr double kMost = 100'000;

  explicit IcmpFlow(TimePoint now);

  /// When the next datagram may leave.
  TimePoint next() const { return bucket_.next(); }

  void sent(TimePoint now);
  void answered(TimePoint now);
  void starved(TimePoint now);

  double per_second() const { return bucket_.rate(); }

 private:
  void end_window(TimePoint now);

  Bucket bucket_;
  TimePoint since_;
  std::int64_t sent_ = 0;
  std::int64_t answered_ = 0;
  std::int64_t starved_ = 0;
};

}  // namespace assay
