#include "harness/net/open_watch.hpp"

#include "tests/support/catch.hpp"

using namespace assay;
using namespace std::chrono_literals;
using Finding = OpenWatch::Finding;

namespace {

const TimePoint kFirstLook{1000s};

}  // namespace

TEST_CASE("An open port is looked at every few seconds, and at the end of a pass, after any refusal") {
  OpenWatch watch{kFirstLook};
  CHECK_FALSE(watch.wants(0, true, kFirstLook + 1h));
  CHECK_FALSE(watch.wants(65535, false, kFirstLook + OpenWatch::kLookEvery - 1ms));
  CHECK(watch.wants(1, false, kFirstLook + OpenWatch::kLookEvery));
  CHECK(watch.wants(1, true, kFirstLook));
  watch.asking(kFirstLook + 3s);
  CHECK_FALSE(watch.wants(1, true, kFirstLook + 1h));
  watch.not_asked();
  CHECK(watch.wants(1, true, kFirstLook + 3s));
  watch.asking(kFirstLook + 3s);
  CHECK(watch.ended(Answer::accepted) == Finding::confirmed);
  CHECK_FALSE(watch.wants(1, false, kFirstLook + 4s));
  CHECK(watch.wants(1, false, kFirstLook + 5s));
}

TEST_CASE("Open ports that refuse in a row say that something is wrong, one that has closed does not") {
  OpenWatch watch{kFirstLook};
  CHECK(watch.ended(Answer::refused) == Finding::nothing);
  CHECK(watch.wants(1, false, kFirstLook));  // at once again
  CHECK(watch.ended(Answer::accepted) == Finding::confirmed);
  CHECK_FALSE(watch.wants(1, false, kFirstLook));
  CHECK(watch.ended(Answer::refused) == Finding::nothing);
  CHECK(watch.ended(Answer::refused) == Finding::nothing);
  CHECK(watch.ended(Answer::refused) == Finding::refusing);
}

TEST_CASE("Silence of an open port is no refusal, and is asked about a few times only") {
  OpenWatch watch{kFirstLook};
  for (int look = 0; look < OpenWatch::kMostUnanswered; ++look) {
    CHECK(watch.wants(1, true, kFirstLook));
    watch.asking(kFirstLook);
    CHECK(watch.ended(Answer::silence) == Finding::nothing);  // it confirms nothing either
  }
  CHECK_FALSE(watch.wants(1, true, kFirstLook));
  CHECK(watch.wants(1, false, kFirstLook + OpenWatch::kLookEvery));
}

TEST_CASE("A lost canary makes it look at an open port once") {
  OpenWatch watch{kFirstLook};
  watch.canary_lost();
  CHECK(watch.wants(0, false, kFirstLook));
  watch.asking(kFirstLook);
  CHECK(watch.ended(Answer::accepted) == Finding::confirmed);
  CHECK_FALSE(watch.wants(0, false, kFirstLook));
}

TEST_CASE("All answered is said only when there were enough") {
  Tally tally;
  CHECK_FALSE(tally.all_answered());
  for (int i = 0; i < Tally::kEnoughToTell; ++i) {
    tally.count(true);
  }
  CHECK(tally.all_answered());
  tally.count(false);
  CHECK_FALSE(tally.all_answered());
}
