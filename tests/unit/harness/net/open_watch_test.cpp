#include "harness/net/open_watch.hpp"

#include "tests/support/catch.hpp"

using namespace assay;
using Finding = OpenWatch::Finding;

TEST_CASE("An open port is looked at after many refusals, and at the end of a pass after any") {
  OpenWatch watch;
  CHECK_FALSE(watch.wants(0, true));
  CHECK_FALSE(watch.wants(OpenWatch::kConfirmEvery - 1, false));
  CHECK(watch.wants(OpenWatch::kConfirmEvery, false));
  CHECK(watch.wants(1, true));
  watch.asking();
  CHECK_FALSE(watch.wants(1, true));
  watch.not_asked();
  CHECK(watch.wants(1, true));
  watch.asking();
  CHECK(watch.ended(Answer::accepted) == Finding::confirmed);
  CHECK(watch.wants(1, true));
}

TEST_CASE("Open ports that refuse in a row turn us away, one that has closed does not") {
  OpenWatch watch;
  CHECK(watch.ended(Answer::refused) == Finding::nothing);
  CHECK(watch.wants(1, false));  // at once again
  CHECK(watch.ended(Answer::accepted) == Finding::confirmed);
  CHECK_FALSE(watch.wants(1, false));
  CHECK(watch.ended(Answer::refused) == Finding::nothing);
  CHECK(watch.ended(Answer::refused) == Finding::nothing);
  CHECK(watch.ended(Answer::refused) == Finding::turned_away);
}

TEST_CASE("Silence of an open port is no refusal, and is asked about a few times only") {
  OpenWatch watch;
  CHECK(watch.ended(Answer::silence) == Finding::nothing);
  CHECK(watch.ended(Answer::silence) == Finding::nothing);
  CHECK(watch.ended(Answer::silence) == Finding::confirmed);
}

TEST_CASE("A lost canary makes it look at an open port once") {
  OpenWatch watch;
  watch.canary_lost();
  CHECK(watch.wants(0, false));
  watch.asking();
  CHECK(watch.ended(Answer::accepted) == Finding::confirmed);
  CHECK_FALSE(watch.wants(0, false));
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
