#include "harness/net/icmp_pacer.hpp"

#include <algorithm>

#include "tests/support/catch.hpp"

using namespace assay;
using namespace std::chrono_literals;

namespace {

const TimePoint kPacerStart{1000s};

/// A device with a token bucket for its ICMP errors, asked as the pacer says for so long. Returns the errors it sent.
int ask_limited(IcmpPacer& pacer, double per_second, double burst, std::chrono::seconds how_long) {
  double tokens = burst;
  int errors = 0;
  auto filled = kPacerStart;
  for (auto now = kPacerStart; now < kPacerStart + how_long; now += 1ms) {
    if (now < pacer.next()) {
      continue;
    }
    tokens = std::min(burst, tokens + per_second * std::chrono::duration<double>(now - filled).count());
    filled = now;
    const auto epoch = pacer.sent(now);
    if (tokens >= 1) {
      tokens -= 1;
      ++errors;
      pacer.answered(now);
    } else {
      pacer.starved(epoch, now);
    }
  }
  return errors;
}

}  // namespace

TEST_CASE("While every pair brings an error, more of them are in flight and nothing is called limited") {
  IcmpPacer pacer;
  for (int pair = 0; pair < 1000; ++pair) {
    pacer.sent(kPacerStart);
    pacer.answered(kPacerStart);
  }
  CHECK(pacer.lanes() == IcmpPacer::kMostLanes);
  CHECK(pacer.next() <= kPacerStart);
  CHECK_FALSE(pacer.limited());
  CHECK_FALSE(pacer.per_second(kPacerStart + 10s));
}

TEST_CASE("One pair without an error brings it down to one at a time, later news of the same load change nothing") {
  IcmpPacer pacer;
  const auto first = pacer.sent(kPacerStart);
  const auto second = pacer.sent(kPacerStart);
  pacer.starved(first, kPacerStart);
  CHECK(pacer.lanes() == 1);
  CHECK(pacer.limited());
  const auto next = pacer.next();
  CHECK(next > kPacerStart);
  pacer.starved(second, kPacerStart);
  CHECK(pacer.next() == next);
}

TEST_CASE("A device that sends one error a second is asked about that often, and its rate is measured") {
  IcmpPacer pacer;
  const int errors = ask_limited(pacer, 1, 6, 120s);
  CHECK(errors >= 105);  // of 126 that there were to have
  const auto measured = pacer.per_second(kPacerStart + 120s);
  REQUIRE(measured);
  CHECK(*measured > 0.8);
  CHECK(*measured < 1.1);
}

TEST_CASE("A faster device is asked faster") {
  IcmpPacer pacer;
  CHECK(ask_limited(pacer, 100, 50, 30s) >= 2000);
}
