#include "harness/net/icmp_flow.hpp"

#include <algorithm>

namespace assay {

namespace {

constexpr std::chrono::milliseconds kWindow{200};
constexpr double kBurstSeconds = 0.02;
constexpr double kFaster = 1.33;
constexpr double kAboveAnswers = 1.25;
constexpr double kUsed = 0.5;  // of what was allowed; a rate that nobody needed has proven nothing

}  // namespace

IcmpFlow::IcmpFlow(TimePoint now) : bucket_(kFirst, kFirst * kBurstSeconds), since_(now) {}

void IcmpFlow::sent(TimePoint now) {
  bucket_.try_take(now);
  ++sent_;
  end_window(now);
}

void IcmpFlow::answered(TimePoint now) {
  ++answered_;
  end_window(now);
}

void IcmpFlow::starved(TimePoint now) {
  ++starved_;
  end_window(now);
}

void IcmpFlow::end_window(TimePoint now) {
  if (now - since_ < kWindow) {
    return;
  }
  const auto seconds = std::chrono::duration<double>(now - since_).count();
  auto rate = bucket_.rate();
  if (starved_ > answered_) {
    rate = std::min(rate, kAboveAnswers * static_cast<double>(answered_) / seconds);
  } else if (static_cast<double>(sent_) >= kUsed * rate * seconds) {
    rate *= kFaster;
  }
  rate = std::clamp(rate, kLeast, kMost);
  bucket_.set_rate(rate, rate * kBurstSeconds);
  since_ = now;
  sent_ = answered_ = starved_ = 0;
}

}  // namespace assay
