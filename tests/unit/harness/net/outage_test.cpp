#include "harness/net/outage.hpp"

#include "tests/support/catch.hpp"

using namespace assay;
using namespace std::chrono_literals;
using After = Outage::Finding;

namespace {

const TimePoint kBegin{1000s};

}  // namespace

TEST_CASE("It asks now and then, and believes the device back after three answers in a row") {
  Outage outage;
  CHECK_FALSE(outage.on());
  outage.begin(kBegin);
  CHECK(outage.on());
  CHECK(outage.next_look() == kBegin);
  outage.looked(kBegin);
  CHECK(outage.next_look() == kBegin + Outage::kSpacing);
  CHECK(outage.ended(true, false, kBegin) == After::waiting);
  CHECK(outage.ended(true, false, kBegin) == After::waiting);
  CHECK(outage.ended(false, true, kBegin) == After::waiting);  // up, but without its services
  CHECK(outage.ended(true, false, kBegin) == After::waiting);
  CHECK(outage.ended(true, false, kBegin) == After::waiting);
  CHECK(outage.ended(true, false, kBegin) == After::back);
  CHECK_FALSE(outage.on());
}

TEST_CASE("It gives up after a while, and says whether somebody refused") {
  Outage outage;
  outage.begin(kBegin);
  CHECK(outage.at(kBegin + Outage::kLongest) == After::waiting);
  CHECK(outage.at(kBegin + Outage::kLongest + 1ms) == After::gave_up);
  CHECK_FALSE(outage.refusing());
  CHECK(outage.ended(false, true, kBegin + Outage::kLongest + 1s) == After::gave_up);
  CHECK(outage.refusing());
}

TEST_CASE("A device that gives out again and again is left alone") {
  Outage outage;
  for (int time = 1; time <= Outage::kMost; ++time) {
    outage.begin(kBegin);
    CHECK(outage.count() == time);
    for (int good = 1; good < Outage::kGoodInRow; ++good) {
      CHECK(outage.ended(true, false, kBegin) == After::waiting);
    }
    CHECK(outage.ended(true, false, kBegin) == After::back);
  }
  outage.begin(kBegin);
  (void)outage.ended(true, false, kBegin);
  (void)outage.ended(true, false, kBegin);
  CHECK(outage.ended(true, false, kBegin) == After::gave_up);
}
