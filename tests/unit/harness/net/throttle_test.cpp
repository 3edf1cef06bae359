#include "harness/net/throttle.hpp"

#include "tests/support/catch.hpp"

using namespace assay;
using namespace std::chrono_literals;

namespace {

/// A device that is asked at the throttle's rate, at most `offered` a second, and answers after `delay(rate)`.
struct Worked {
  template <class Delay>
  void work(Throttle& throttle, double offered, std::chrono::milliseconds time, Delay delay) {
    for (const auto end = now + time; now < end;) {
      const double rate = std::min(offered, throttle.rate());
      now += std::chrono::nanoseconds{static_cast<std::int64_t>(1e9 / rate)};
      throttle.sent();
      most = std::max(most, rate);
      throttle.answered(delay(rate), now);
    }
  }

  TimePoint now{1000s};
  double most = 0;
};

auto always(std::chrono::nanoseconds took) {
  return [took](double) { return took; };
}

/// Answers within a millisecond up to that rate, and much later above it.
auto late_above(double limit) {
  return [limit](double rate) -> std::chrono::nanoseconds { return rate > limit ? 120ms : 1ms; };
}

}  // namespace

TEST_CASE("A device that answers as ever is never slowed down") {
  Throttle throttle{5000};
  Worked device;
  device.work(throttle, 5000, 5s, always(20ms));
  CHECK_FALSE(throttle.limited());
  CHECK(throttle.rate() == 5000);
  CHECK(throttle.slow_downs() == 0);
}

TEST_CASE("Late answers halve the rate at which they came, not the rate that was allowed") {
  Throttle throttle{200000};
  Worked device;
  device.work(throttle, 1000, 1s, always(1ms));
  device.work(throttle, 1000, 500ms, always(50ms));
  CHECK(throttle.limited());
  CHECK(throttle.slow_downs() == 1);
  CHECK(throttle.rate() > 400);
  CHECK(throttle.rate() < 600);
  CHECK(throttle.slowest() == throttle.rate());
  CHECK(throttle.latest() == 50ms);
}

TEST_CASE("A single late interval, and single late answers, are chance") {
  Throttle throttle{1000};
  Worked device;
  device.work(throttle, 1000, 1s, always(1ms));
  device.work(throttle, 1000, 190ms, always(80ms));
  device.work(throttle, 1000, 1s, always(1ms));
  int turn = 0;
  device.work(throttle, 1000, 2s, [&](double) -> std::chrono::nanoseconds { return ++turn % 4 == 0 ? 1ms : 300ms; });
  CHECK(throttle.slow_downs() == 0);
}

TEST_CASE("The rate is regained slowly, and carefully near what was too much") {
  Throttle throttle{40};
  Worked device;
  device.work(throttle, 40, 1s, always(1ms));  // learns what is usual
  device.most = 0;
  device.work(throttle, 40, 2s, late_above(30));
  CHECK(throttle.slow_downs() == 1);
  CHECK(throttle.rate() < 30);
  device.most = 0;
  const auto before = device.now;
  device.work(throttle, 40, 60s, late_above(30));
  CHECK(device.now - before < 61s);
  CHECK(device.most < 33);
  CHECK(throttle.slow_downs() < 15);
  device.work(throttle, 40, 120s, always(1ms));
  CHECK_FALSE(throttle.limited());
  CHECK(throttle.rate() == 40);
}

TEST_CASE("Slowing down in vain ends: the path has become longer") {
  Throttle throttle{1000};
  Worked device;
  device.work(throttle, 1000, 1s, always(1ms));
  device.work(throttle, 1000, 10s, always(100ms));
  CHECK(throttle.slow_downs() == 3);
  device.work(throttle, 1000, 60s, always(100ms));
  CHECK(throttle.slow_downs() == 3);
  CHECK_FALSE(throttle.limited());
}

TEST_CASE("A device that gave out begins again slowly, and never comes near that rate again") {
  Throttle throttle{5000};
  Worked device;
  device.work(throttle, 400, 1s, always(1ms));
  throttle.gave_out();
  CHECK(throttle.rate() == 20);
  device.work(throttle, 5000, 60s, always(1ms));
  CHECK(throttle.rate() > 150);
  CHECK(throttle.rate() < 210);
  throttle.gave_out();
  device.work(throttle, 5000, 60s, always(1ms));
  CHECK(throttle.rate() < 105);
  CHECK(throttle.limited());
}

TEST_CASE("A device that gives out within the first milliseconds was worked too hard all the same") {
  Throttle throttle{5000};
  const TimePoint now{1000s};
  for (int i = 0; i < 25; ++i) {
    throttle.sent();
  }
  throttle.answered(1ms, now);
  throttle.gave_out();
  CHECK(throttle.rate() <= 20);
  Worked device;
  device.work(throttle, 5000, 120s, always(1ms));
  CHECK(throttle.rate() < 300);
}
