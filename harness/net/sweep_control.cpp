#include "harness/net/sweep_control.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace assay {

namespace {

constexpr double kBurstSeconds = 0.005;  // sent at once after a pause
constexpr int kRemembered = 16;          // canaries in the estimate
constexpr int kLeastForDecision = 4;     // before that loss is chance
constexpr int kTooManyLost = 3;          // of the remembered: at 1 % loss each way this comes once in 250 estimates
constexpr std::uint64_t kSlowSpacing = 4;
constexpr std::uint64_t kLeastSilences = 4;       // for a canary …
constexpr std::uint64_t kSilencesPerWindow = 64;  // … or this share of a large window
constexpr double kSmallestWindow = 4;
constexpr std::chrono::milliseconds kQueueing{5};  // more than that is no jitter
constexpr std::chrono::milliseconds kRound{10};    // at least, to measure answers a second
constexpr double kKeptUp = 0.75;                   // answers to what was sent a round before
constexpr double kLeastUse = 4;                    // a window is used when a quarter of it is on its way
constexpr int kSureCanaries = 3;
constexpr double kSureGrowth = 2;
constexpr double kLargeWindow = 384;     // a device that takes so many at once is tried with less to lose …
constexpr double kCarefulGrowth = 0.25;  // … a quarter more in a round trip
constexpr double kGiveWay = 0.5;         // for each answer that queued: half the window in a round trip
constexpr double kSlowestPerSecond = 20;
constexpr int kMostAllowance = 8;
constexpr double kMostLossBelieved = 0.7;  // of one estimate: a stalled link loses all for a moment
constexpr double kMargin = 0.9;            // below what the device was seen to take
constexpr double kMostAnswer = 4;          // answers are a quarter of what is taken, or more
constexpr double kSlower = 0.7;            // for a pass after one that still found something
constexpr double kCarefulStep = 1.02;      // near the rate that was too much …
constexpr double kTryStep = 1.005;         // … and when it is known what the device takes
constexpr double kJustBelow = 0.97;
constexpr int kEnoughEnded = 400;  // ports, for a share of silent ones
constexpr double kMoreSilent = 0.015;
constexpr double kDeviations = 4;  // of a share of so many, beyond which it is no chance
constexpr std::chrono::milliseconds kFirstHold{1000};
constexpr std::chrono::milliseconds kLongestHold{16000};
constexpr std::uint64_t kCanariesPerWindow =
    16;  // at most, and spread over what is sent meanwhile: the first of a burst get through
constexpr double kLargestStep = 1.5;
constexpr double kPassed = 1.25;  // so far above it without loss, that rate is history
constexpr auto kRateInterval = std::chrono::milliseconds{100};
constexpr int kMostLossForTrust = 10;  // one canary in so many may be lost

}  // namespace

SweepControl::SweepControl(std::size_t most_in_flight, double most_per_second, TimePoint now)
    : most_(static_cast<double>(std::max<std::size_t>(1, most_in_flight))),
      window_(std::min(most_, static_cast<double>(kFirstWindow))),
      bucket_(most_per_second, most_per_second * kBurstSeconds),
      most_per_second_(most_per_second),
      step_(kCarefulStep),
      epoch_start_(now),
      last_speed_up_(now) {}

void SweepControl::limit_window(std::size_t most) {
  most_ = std::min(most_, static_cast<double>(std::max<std::size_t>(1, most)));
  window_ = std::min(window_, most_);
}

bool SweepControl::try_take(TimePoint now) {
  if (limited_ && !bucket_.try_take(now)) {
    return false;
  }
  if (now - interval_start_ >= kRateInterval) {
    interval_start_ = now;
    sent_before_ = std::exchange(sent_in_interval_, 0);
    answered_before_ = std::exchange(answered_in_interval_, 0);
  }
  ++sent_in_interval_;
  ++round_.sent;
  ++sent_in_epoch_;
  ++since_canary_;
  return true;
}

void SweepControl::progressed() {
  const bool sure = pass_answered_ >= kSureCanaries && pass_lost_ == 0;
  if (fell_behind_ && !limited_) {
    // Lost, or silent ports: not known before canaries answer, and what takes its place may be lost as well.
    window_ = std::max(std::min(most_, static_cast<double>(kFirstWindow)), window_ - 1);
    return;
  }
  window_ = std::min(most_, window_ + (sure ? kSureGrowth : 1));
}

void SweepControl::went_silent() {
  ++silences_;
}

/// A round is as long as an answer takes: what was sent in one is answered in the next.
void SweepControl::end_round(TimePoint now) {
  if (round_start_ == TimePoint{}) {
    round_start_ = now;
  }
  const auto lasted = now - round_start_;
  if (lasted < std::max<std::chrono::nanoseconds>(kRound, quickest_)) {
    return;
  }
  answers_a_second_ = round_.answered / std::chrono::duration<double>(lasted).count();
  falls_behind_ = round_.answered < kKeptUp * round_before_.sent;
  const bool canaries_kept_up =
      round_.canaries_answered >= kSureCanaries && round_.canaries_answered >= kKeptUp * round_before_.canaries_sent;
  fell_behind_ = !canaries_kept_up && (fell_behind_ || falls_behind_);
  round_start_ = now;
  round_before_ = std::exchange(round_, {});
}

/// What answers in the time of one answer is what is really on its way; the rest of the window waits for what was lost.
bool SweepControl::window_holds_back(std::chrono::nanoseconds took) const {
  return !falls_behind_ && answers_a_second_ * std::chrono::duration<double>(took).count() * kLeastUse >= window_;
}

void SweepControl::answered(std::chrono::nanoseconds took, TimePoint now) {
  ++answered_in_epoch_;
  ++answered_in_interval_;
  quickest_ = std::min(quickest_, took);
  ++round_.answered;
  end_round(now);
  if (took > 2 * quickest_ + kQueueing) {
    window_ = std::max(std::min(most_, static_cast<double>(kFirstWindow)), window_ - kGiveWay);
  } else if (window_holds_back(took)) {
    window_ = std::min(most_, window_ + (window_ < kLargeWindow ? 1 : kCarefulGrowth));
  }
}

bool SweepControl::wants_canary(TimePoint now) const {
  // A slowed sweep asks by time too: without canaries it could not become faster.
  if (limited_ && since_canary_ >= kSlowSpacing && now - last_canary_ >= kRateInterval) {
    return true;
  }
  // While every port answers, the answers say enough; a lost packet here and there is no reason to ask either.
  const auto spacing = std::max<std::uint64_t>(window(), sent_before_) / kCanariesPerWindow;
  return silences_ >= silences_for_canary() && since_canary_ >= spacing;
}

std::uint64_t SweepControl::silences_for_canary() const {
  return std::max<std::uint64_t>(kLeastSilences, window() / kSilencesPerWindow);
}

void SweepControl::canary_sent(TimePoint now) {
  ++round_.canaries_sent;
  last_canary_ = now;
  since_canary_ = 0;
  const auto paid = silences_for_canary();
  silences_ = std::min(silences_ - std::min(silences_, paid), kCanariesPerWindow * paid);
}

bool SweepControl::canary_ended(bool answered, std::uint32_t epoch, TimePoint now) {
  lost_in_row_ = answered ? 0 : lost_in_row_ + 1;
  if (answered) {
    ++round_.canaries_answered;
    end_round(now);
  }
  if (epoch != epoch_) {
    return false;
  }
  (answered ? pass_answered_ : pass_lost_) += 1;
  recent_ = ((recent_ << 1) | (answered ? 0U : 1U)) & ((1U << kRemembered) - 1);
  recent_count_ = std::min(recent_count_ + 1, kRemembered);
  const int lost = std::popcount(recent_);
  if (recent_count_ >= kLeastForDecision && lost >= kTooManyLost + allowance_) {
    slow_down(std::min(kMostLossBelieved, static_cast<double>(lost) / recent_count_), now);
    return true;
  }
  if (answered && lost <= allowance_) {
    speed_up(now);
  }
  return false;
}

void SweepControl::slow_down(double loss, TimePoint now) {
  const double seconds = std::max(0.05, std::chrono::duration<double>(now - epoch_start_).count());
  const double measured = std::min(static_cast<double>(sent_in_epoch_) / seconds, most_per_second_);
  const double least = std::min(kSlowestPerSecond, most_per_second_ / 4);
  // Canaries sent at one moment say more of that moment than of the rate: what was answered counts too, and where most
  // ports answer it says all.
  const double by_canaries = measured * (1 - loss);
  const double lately = answered_lately(now);
  const double answered = std::min(static_cast<double>(answered_in_epoch_) / seconds, most_per_second_);
  delivered_ = std::max(
      least, lately * kMostAnswer > by_canaries ? std::min(lately, most_per_second_) : std::max(by_canaries, answered));
  set_rate(std::max(least, delivered_ * kMargin));
  step_ = kCarefulStep;
  // Slower did not help: what is lost now is lost by the path.
  allowance_ = limited_ && !sped_up_ ? std::min(kMostAllowance, allowance_ + 1) : allowance_;
  sped_up_ = false;
  limited_ = true;
  window_ = std::max(std::min(kSmallestWindow, most_), window_ / 2);
  ++slow_downs_;
  begin_epoch(now);
}

/// Answers a second in the last one or two intervals.
double SweepControl::answered_lately(TimePoint now) const {
  const auto answers = static_cast<double>(answered_before_ + answered_in_interval_);
  return answers / std::chrono::duration<double>(now - interval_start_ + kRateInterval).count();
}

/// What was counted in this pass was counted under a load that turned out too high, or of a device that was not there.
void SweepControl::begin_epoch(TimePoint now) {
  ++epoch_;
  epoch_start_ = now;
  last_speed_up_ = now;
  sent_in_epoch_ = 0;
  answered_in_epoch_ = 0;
  recent_ = 0;
  recent_count_ = 0;
  pass_answered_ = 0;
  pass_lost_ = 0;
  ended_ = 0;
  ended_silent_ = 0;
}

void SweepControl::begin_again(TimePoint now) {
  lost_in_row_ = 0;
  silences_ = 0;
  begin_epoch(now);
}

void SweepControl::ended(bool silent, std::uint32_t epoch, TimePoint now) {
  if (!limited_ || epoch != epoch_) {
    return;
  }
  ended_silent_ += silent ? 1 : 0;
  if (++ended_ < kEnoughEnded) {
    return;
  }
  const double share = static_cast<double>(ended_silent_) / ended_;
  ended_ = 0;
  ended_silent_ = 0;
  usual_silent_ = std::min(usual_silent_, share);
  const double chance = std::sqrt(usual_silent_ * (1 - usual_silent_) / kEnoughEnded);
  if (share > usual_silent_ + kMoreSilent + kDeviations * chance) {
    stay_below(share - usual_silent_, now);
  }
}

/// Just below what the device took, and longer each time before more is tried.
void SweepControl::stay_below(double lost, TimePoint now) {
  const double least = std::min(kSlowestPerSecond, most_per_second_ / 4);
  delivered_ = std::max(least, bucket_.rate() * (1 - lost));
  set_rate(std::max(least, delivered_ * kJustBelow));
  hold_ = std::clamp(2 * hold_, kFirstHold, kLongestHold);
  hold_until_ = now + hold_;
  ++slow_downs_;
  begin_epoch(now);
}

void SweepControl::set_rate(double per_second) {
  bucket_.set_rate(per_second, per_second * kBurstSeconds);
}

void SweepControl::speed_up(TimePoint now) {
  if (!limited_ || now - last_speed_up_ < kRateInterval || now < hold_until_) {
    return;
  }
  last_speed_up_ = now;
  sped_up_ = true;
  // Careful around the rate that lost packets; once well past it that loss was of the moment, and steps grow.
  const double careful = hold_.count() > 0 ? kTryStep : kCarefulStep;
  step_ = bucket_.rate() > delivered_ * kPassed ? std::min(kLargestStep, step_ * step_) : careful;
  set_rate(std::min(most_per_second_, bucket_.rate() * step_));
}

bool SweepControl::healthy() const {
  return pass_answered_ >= 3 && pass_lost_ * kMostLossForTrust <= canaries_in_pass();
}

void SweepControl::begin_pass(bool still_finding) {
  if (still_finding && limited_) {
    set_rate(
        std::max(std::min(kSlowestPerSecond, most_per_second_ / 4), std::min(bucket_.rate(), delivered_) * kSlower));
    step_ = kCarefulStep;
  }
  if (pass_lost_ > 0) {
    window_ = std::max(std::min(kSmallestWindow, most_), window_ / 2);
  }
  pass_answered_ = 0;
  pass_lost_ = 0;
  usual_silent_ = 1;
  ended_ = 0;
  ended_silent_ = 0;
}

}  // namespace assay
