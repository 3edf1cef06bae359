#include "harness/plan/estimate.hpp"

#include "tests/support/catch.hpp"

using namespace assay;

namespace {

constexpr std::int64_t kMinute = 60000;

ProbeInfo timed_sweep() {
  ProbeInfo probe;
  probe.subject = ProbeSubject::device;
  probe.deadline_ms = 30 * kMinute;
  return probe;
}

StepTime time_with(const char* ports, const char* pace) {
  return time_of(timed_sweep(), {{"tcp", ports}}, *pace_profile(pace));
}

}  // namespace

TEST_CASE("A sweep of all ports takes what the pace makes of it, and may take longer than usual") {
  const auto gentle = time_with("all", "gentle");
  CHECK(gentle.estimate_ms > 27 * kMinute);
  CHECK(gentle.estimate_ms < 28 * kMinute);
  CHECK(gentle.deadline_ms == 4 * gentle.estimate_ms);
  const auto fast = time_with("all", "fast");
  CHECK(fast.estimate_ms == kMinute);
  CHECK(fast.deadline_ms == 30 * kMinute);
}

TEST_CASE("Ports are counted as they are written, nonsense counts as none") {
  CHECK(time_with("1-20000", "gentle").estimate_ms == 20000 / 40 * 1000);
  CHECK(time_with(" 1-10000 , 10001-20000,65535", "gentle").estimate_ms == 20001 * 1000 / 40);
  CHECK(time_with("1-20000,http,9-3,,-", "gentle").estimate_ms == 20000 / 40 * 1000);
  CHECK(time_with("", "gentle").estimate_ms == kMinute);
  CHECK(time_with("0-999999999", "gentle").estimate_ms == time_with("all", "gentle").estimate_ms);
}

TEST_CASE("Other probes take what is usual for their kind") {
  ProbeInfo probe;
  probe.deadline_ms = 45000;
  CHECK(time_of(probe, {}, Pace{}).estimate_ms == 15000);
  probe.intrusiveness = Intrusiveness::intrusive;
  CHECK(time_of(probe, {}, Pace{}).estimate_ms == 45000);
  CHECK(time_of(probe, {}, Pace{}).deadline_ms == 45000);
}
