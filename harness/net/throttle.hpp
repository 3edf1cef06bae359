#pragma once

#include <chrono>
#include <cstdint>

#include "harness/net/budget.hpp"

namespace assay {

/// How much the device bears, by how long its answers take: the canary of the budget. A device that answers later than
/// it did is near its end, so the rate it was worked at is halved, and regained slowly. What answers anyway is the
/// measure: nothing is sent for it. Only the quickest answer of an interval counts, for each other may have waited
/// here. Pure: it is told the time.
class Throttle {
 public:
  explicit Throttle(double most_per_second);

  /// Something left that the device must work on: a SYN, a connect, a datagram.
  void sent() { ++sent_; }

  /// The device's network stack answered (SYN-ACK, RST) after `took`. True when the rate changed.
  bool answered(std::chrono::nanoseconds took, TimePoint now);

  /// The device fell silent or lost its services: it begins again at a few a second, and never comes near the rate that
  /// went before.
  void gave_out();

  bool limited() const { return limited_; }

  /// What may be sent a second.
  double rate() const { return rate_; }

  /// Times that late answers halved the rate.
  std::int64_t slow_downs() const { return slow_downs_; }

  /// The lowest rate so far, 0 while it was never limited.
  double slowest() const { return slowest_; }

  /// The latest that an answer of an interval was at best, among the intervals that were too late.
  std::chrono::nanoseconds latest() const { return latest_; }

 private:
  bool judge(std::chrono::nanoseconds best, double worked_at, TimePoint now);
  void slow_down(double worked_at);
  bool speed_up();
  void limit_to(double rate);
  double worked_at_least(TimePoint until) const;

  double most_;
  double least_;
  double rate_;
  double ceiling_;
  double too_much_ = 0;  // the rate at which it last came too late
  double slowest_ = 0;
  bool limited_ = false;
  TimePoint since_{};  // begin of the interval; zero before the first answer
  TimePoint last_answer_{};
  std::int64_t sent_ = 0;  // in the interval
  std::int64_t sent_by_last_answer_ = 0;
  int answers_ = 0;
  std::chrono::nanoseconds best_{std::chrono::nanoseconds::max()};
  std::chrono::nanoseconds usual_{std::chrono::nanoseconds::max()};  // the quickest so far
  std::chrono::nanoseconds latest_{0};
  double last_rate_ = 0;       // of the interval before
  TimePoint settles_until_{};  // after a slow-down the device works off what it has
  int late_in_row_ = 0;
  int in_vain_ = 0;  // slow-downs in a row that brought no quick answer
  std::int64_t slow_downs_ = 0;
};

}  // namespace assay
