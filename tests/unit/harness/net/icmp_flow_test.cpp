#include "harness/net/icmp_flow.hpp"

#include <algorithm>
#include <deque>

#include "tests/support/catch.hpp"

using namespace assay;
using namespace std::chrono_literals;

namespace {

const TimePoint kFlowStart{1000s};

struct FlowSeen {
  std::int64_t sent = 0;
  std::int64_t errors = 0;
};

/// A device with so many errors a second, fifty at once, asked as the flow says. What is silent is known after 200 ms.
FlowSeen ask_device(IcmpFlow& flow, double per_second, std::chrono::seconds how_long) {
  FlowSeen seen;
  double tokens = 50;
  std::deque<TimePoint> silent;
  for (auto now = kFlowStart; now < kFlowStart + how_long; now += 1ms) {
    tokens = std::min(50.0, tokens + per_second / 1000);
    while (!silent.empty() && now - silent.front() > 200ms) {
      silent.pop_front();
      flow.starved(now);
    }
    while (now >= flow.next()) {
      flow.sent(now);
      ++seen.sent;
      if (tokens >= 1) {
        tokens -= 1;
        ++seen.errors;
        flow.answered(now);
      } else {
        silent.push_back(now);
      }
    }
  }
  return seen;
}

}  // namespace

TEST_CASE("A device that answers everything is asked faster and faster, but not without bound") {
  IcmpFlow flow{kFlowStart};
  ask_device(flow, 1e9, 10s);
  CHECK(flow.per_second() > 50'000);
  CHECK(flow.per_second() <= IcmpFlow::kMost);
}

TEST_CASE("A limit for all sources together is used well and not overrun for long") {
  for (const double limit : {100.0, 1000.0}) {
    IcmpFlow flow{kFlowStart};
    const auto seen = ask_device(flow, limit, 60s);
    CHECK(static_cast<double>(seen.errors) > 0.8 * limit * 60);
    CHECK(seen.sent < 3 * seen.errors);
  }
}

TEST_CASE("A device that falls silent is asked no faster than the least rate") {
  IcmpFlow flow{kFlowStart};
  ask_device(flow, 0, 10s);
  CHECK(flow.per_second() == IcmpFlow::kLeast);
}

TEST_CASE("A rate that nobody needed does not grow") {
  IcmpFlow flow{kFlowStart};
  for (auto now = kFlowStart; now < kFlowStart + 10s; now += 100ms) {
    flow.sent(now);
    flow.answered(now);
  }
  CHECK(flow.per_second() <= IcmpFlow::kFirst);
}
