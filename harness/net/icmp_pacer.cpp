#include "harness/net/icmp_pacer.hpp"

#include <algorithm>

namespace assay {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr nanoseconds kFirstInterval = milliseconds{50};
constexpr nanoseconds kLongestInterval = milliseconds{1500};  // a little above Linux's second
constexpr int kSlowerPercent = 150;
constexpr int kFasterPercent = 85;
constexpr int kAll = 100;
constexpr int kTrust = 12;  // errors in a row before more than one pair is in flight again
constexpr milliseconds kMeasuredFor{2000};

}  // namespace

std::uint32_t IcmpPacer::sent(TimePoint now) {
  next_ = now + interval_;
  return epoch_;
}

void IcmpPacer::answered(TimePoint now) {
  (void)now;
  ++in_row_;
  errors_ += limited_ ? 1 : 0;
  if (!limited_ || in_row_ >= kTrust) {
    lanes_ = std::min(kMostLanes, lanes_ + 1);
  }
  next_ -= interval_;
  interval_ = interval_ * kFasterPercent / kAll;
  next_ += interval_;
}

void IcmpPacer::starved(std::uint32_t epoch, TimePoint now) {
  in_row_ = 0;
  if (epoch != epoch_) {
    return;  // it left before the last slow-down
  }
  ++epoch_;
  if (!limited_) {
    limited_ = true;
    since_ = now;
  }
  lanes_ = 1;
  interval_ = std::clamp(interval_ * kSlowerPercent / kAll, kFirstInterval, kLongestInterval);
  next_ = now + interval_;
}

void IcmpPacer::blind() {
  lanes_ = std::min(kMostLanes, lanes_ + 1);
}

std::optional<double> IcmpPacer::per_second(TimePoint now) const {
  if (!limited_ || now - since_ < kMeasuredFor) {
    return std::nullopt;
  }
  return static_cast<double>(errors_) / std::chrono::duration<double>(now - since_).count();
}

}  // namespace assay
