#include "harness/net/throttle.hpp"

#include <algorithm>

namespace assay {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDelayInterval{200};
constexpr milliseconds kSettling{1000};
constexpr milliseconds kShortestMeasure{50};  // that a rate is measured over
constexpr int kAnswersInInterval = 4;         // in an interval that says something
constexpr int kLateFactor = 2;                // later than so many times the usual …
constexpr milliseconds kDelayJitter{20};      // … and so much more is no jitter of the link
constexpr int kLateInRow = 2;                 // one late interval is chance
constexpr int kMostInVain = 3;                // then it is the path that changed, and the new delay is usual
constexpr double kRegainStep = 1.05;          // of an interval with quick answers
constexpr double kRegainCarefully = 1.01;     // near the rate that was too much
constexpr double kNearTooMuch = 0.8;
constexpr double kPastTooMuch = 1.5;   // so far above it that it is history
constexpr double kThrottleFloor = 10;  // slower is no help to any device
constexpr double kFirstAgain = 20;     // after the device gave out

double as_seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Throttle::Throttle(double most_per_second)
    : most_(most_per_second), least_(std::min(kThrottleFloor, most_per_second / 4)), rate_(most_), ceiling_(most_) {}

/// What was sent a second in this interval until then.
double Throttle::worked_at_least(TimePoint until) const {
  return static_cast<double>(sent_by_last_answer_) /
         as_seconds(std::max<std::chrono::nanoseconds>(kShortestMeasure, until - since_));
}

bool Throttle::answered(std::chrono::nanoseconds took, TimePoint now) {
  if (since_ == TimePoint{}) {
    since_ = now - took;
  }
  last_answer_ = now;
  sent_by_last_answer_ = sent_;
  best_ = std::min(best_, took);
  if (++answers_ < kAnswersInInterval || now - since_ < kDelayInterval) {
    return false;
  }
  const auto best = best_;
  last_rate_ = worked_at_least(now);
  since_ = now;
  sent_ = 0;
  sent_by_last_answer_ = 0;
  answers_ = 0;
  best_ = std::chrono::nanoseconds::max();
  return judge(best, last_rate_, now);
}

bool Throttle::judge(std::chrono::nanoseconds best, double worked_at, TimePoint now) {
  usual_ = std::min(usual_, best);
  if (best <= kLateFactor * usual_ + kDelayJitter) {
    late_in_row_ = 0;
    in_vain_ = 0;
    return limited_ && speed_up();
  }
  latest_ = std::max(latest_, best);
  if (now < settles_until_ || ++late_in_row_ < kLateInRow) {
    return false;
  }
  late_in_row_ = 0;
  if (in_vain_ >= kMostInVain) {
    in_vain_ = 0;
    usual_ = best;
    return false;
  }
  ++in_vain_;
  slow_down(worked_at);
  settles_until_ = now + kSettling;
  return true;
}

void Throttle::slow_down(double worked_at) {
  ++slow_downs_;
  too_much_ = std::min(worked_at, rate_);
  limit_to(too_much_ / 2);
}

void Throttle::gave_out() {
  const double before = std::max(last_rate_, worked_at_least(last_answer_));
  too_much_ = std::min(before, rate_);
  ceiling_ = std::max(least_, std::min(ceiling_, too_much_ / 2));
  limit_to(std::min(kFirstAgain, ceiling_));
  since_ = TimePoint{};
  sent_ = 0;
  sent_by_last_answer_ = 0;
  answers_ = 0;
  best_ = std::chrono::nanoseconds::max();
  last_rate_ = 0;
  late_in_row_ = 0;
  in_vain_ = 0;
}

bool Throttle::speed_up() {
  const bool near = rate_ > too_much_ * kNearTooMuch && rate_ < too_much_ * kPastTooMuch;
  rate_ = std::min(ceiling_, rate_ * (near ? kRegainCarefully : kRegainStep));
  limited_ = rate_ < most_;
  return true;
}

void Throttle::limit_to(double rate) {
  rate_ = std::max(least_, rate);
  limited_ = true;
  slowest_ = slowest_ > 0 ? std::min(slowest_, rate_) : rate_;
}

}  // namespace assay
