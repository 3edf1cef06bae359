#pragma once

#include <cstdint>

#include "harness/net/budget.hpp"

namespace assay {

/// How hard a sweep may push: a window of connects in flight and a rate. Silence alone never slows it (filtered ports
/// are silent); loss is measured on canaries, connects to a port that is known to answer. Pure: it is told the time.
class SweepControl {
 public:
  static constexpr std::size_t kFirstWindow = 64;

  SweepControl(std::size_t most_in_flight, double most_per_second, TimePoint now);

  std::size_t window() const { return static_cast<std::size_t>(window_); }

  /// Fewer sockets than thought: no more than this from now on.
  void limit_window(std::size_t most);

  /// Counts a connect; false while the measured rate of the device does not allow it.
  bool try_take(TimePoint now);

  TimePoint next() const { return limited_ ? bucket_.next() : TimePoint{}; }

  /// A port was silent while canaries answered: room for one more, and for a few while enough of them did.
  void progressed();

  /// A port answered after `took`: room for one more while answers come as fast as they did and the window holds them
  /// back, and for less when they queue up somewhere. A window beyond what the path and the device work off only makes
  /// every answer late, or fills with what was lost before the first loss can be known.
  void answered(std::chrono::nanoseconds took, TimePoint now);

  /// A port did not answer.
  void went_silent();

  /// A port that was asked in `epoch` has answered or not. Ports are asked in a mixed order, so the share of silent
  /// ones is much the same all the time: when it grows while the rate is limited, the rate has come to what the device
  /// takes.
  void ended(bool silent, std::uint32_t epoch, TimePoint now);

  /// True when the next attempt should be a canary: enough ports went silent since the last one.
  bool wants_canary(TimePoint now) const;
  void canary_sent(TimePoint now);

  /// How a canary of `epoch` ended. True when the loss made it slow down: everything in flight is in doubt.
  bool canary_ended(bool answered, std::uint32_t epoch, TimePoint now);

  /// After an outage: what was sent before it says nothing.
  void begin_again(TimePoint now);

  /// Changes with every slow-down and outage: what was sent in an earlier epoch says nothing about silence.
  std::uint32_t epoch() const { return epoch_; }

  /// Canaries lost in a row, over all epochs.
  int lost_in_row() const { return lost_in_row_; }

  /// Of this pass: enough canaries answered that silence can be believed.
  bool healthy() const;

  /// Canaries of the current epoch whose end is known, since the pass began.
  int canaries_in_pass() const { return pass_answered_ + pass_lost_; }

  /// Starts a pass: half the window when the last one lost canaries, and a slower rate when it still found ports that
  /// the one before had missed at the rate of then.
  void begin_pass(bool still_finding = false);

  std::uint64_t slow_downs() const { return slow_downs_; }

  /// What the device was seen to take a second when answers were last lost, 0 while none were.
  double limit() const { return delivered_; }

 private:
  struct Round {
    double sent = 0;
    double answered = 0;
    double canaries_sent = 0;
    double canaries_answered = 0;
  };

  double answered_lately(TimePoint now) const;
  std::uint64_t silences_for_canary() const;
  void end_round(TimePoint now);
  bool window_holds_back(std::chrono::nanoseconds took) const;
  void begin_epoch(TimePoint now);
  void slow_down(double loss, TimePoint now);
  void stay_below(double lost, TimePoint now);
  void set_rate(double per_second);
  void speed_up(TimePoint now);

  double most_;
  double window_;
  Bucket bucket_;
  bool limited_ = false;
  double most_per_second_;
  double delivered_ = 0;  // what the device was seen to take when canaries were lost; 0: not known
  double step_;
  TimePoint hold_until_{};  // the rate stays: what the device takes is known
  std::chrono::milliseconds hold_{0};
  int ended_ = 0;  // ports, since the share of silent ones was last looked at
  int ended_silent_ = 0;
  double usual_silent_ = 1;                                             // share, the least of this pass
  std::chrono::nanoseconds quickest_{std::chrono::nanoseconds::max()};  // answer so far
  bool sped_up_ = false;                                                // since the last slow-down
  int allowance_ = 0;  // canaries that are lost at any rate: the path's loss, not the load's
  std::uint32_t epoch_ = 0;
  std::uint64_t slow_downs_ = 0;
  TimePoint epoch_start_;
  TimePoint last_speed_up_;
  std::uint64_t sent_in_epoch_ = 0;
  std::uint64_t answered_in_epoch_ = 0;
  TimePoint round_start_{};
  Round round_;
  Round round_before_;
  double answers_a_second_ = 0;  // in the round before
  bool falls_behind_ = false;    // fewer answers in the round before than what was sent before it
  bool fell_behind_ = false;     // in some round, and canaries do not show yet that nothing is lost
  TimePoint interval_start_{};
  std::uint64_t sent_in_interval_ = 0;
  std::uint64_t sent_before_ = 0;  // in the interval before
  std::uint64_t answered_in_interval_ = 0;
  std::uint64_t answered_before_ = 0;
  std::uint64_t since_canary_ = 0;
  std::uint64_t silences_ = 0;  // since the last canary
  TimePoint last_canary_{};
  std::uint32_t recent_ = 0;  // the last canaries of this epoch, 1 is lost, newest lowest
  int recent_count_ = 0;
  int lost_in_row_ = 0;
  int pass_answered_ = 0;
  int pass_lost_ = 0;
};

}  // namespace assay
