#include "harness/net/budget.hpp"

#include "harness/net/round_trip.hpp"
#include "tests/support/catch.hpp"

using namespace assay;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart{1000s};
const Endpoint kTelnet{Transport::tcp, 23};
const Endpoint kWeb{Transport::tcp, 80};

}  // namespace

TEST_CASE("A bucket gives its burst at once and then its rate") {
  Bucket bucket{10, 3};
  CHECK(bucket.try_take(kStart));
  CHECK(bucket.try_take(kStart));
  CHECK(bucket.try_take(kStart));
  CHECK_FALSE(bucket.try_take(kStart));
  CHECK(bucket.next() == kStart + 100ms);
  CHECK_FALSE(bucket.try_take(kStart + 99ms));
  CHECK(bucket.try_take(kStart + 100ms));
  CHECK_FALSE(bucket.try_take(kStart + 100ms));
}

TEST_CASE("A bucket never saves more than its burst") {
  Bucket bucket{10, 2};
  CHECK(bucket.try_take(kStart));
  int taken = 0;
  while (bucket.try_take(kStart + 1h)) {
    ++taken;
  }
  CHECK(taken == 2);
}

TEST_CASE("Reservations are served in the order of asking") {
  Bucket bucket{2, 1};
  CHECK(bucket.reserve(kStart) == kStart);
  CHECK(bucket.reserve(kStart) == kStart + 500ms);
  CHECK(bucket.reserve(kStart) == kStart + 1000ms);
  CHECK(bucket.reserve(kStart + 10s) == kStart + 10s);
}

TEST_CASE("A rate of zero is one a second, not never and not always") {
  Bucket bucket{0, 0};
  CHECK(bucket.reserve(kStart) == kStart);
  CHECK(bucket.reserve(kStart) == kStart + 1s);
}

TEST_CASE("The socket limit halves once a round and grows by one an answer") {
  SocketLimit limit{64};
  limit.lost(kStart, 200ms);
  CHECK(limit.current() == 32);
  limit.lost(kStart + 100ms, 200ms);
  CHECK(limit.current() == 32);
  limit.lost(kStart + 200ms, 200ms);
  CHECK(limit.current() == 16);
  limit.answered();
  CHECK(limit.current() == 17);
  for (int answer = 0; answer < 100; ++answer) {
    limit.answered();
  }
  CHECK(limit.current() == 64);
  CHECK(limit.decreases() == 2);
}

TEST_CASE("The socket limit never falls below one") {
  SocketLimit limit{4};
  for (int loss = 0; loss < 10; ++loss) {
    limit.lost(kStart + loss * 1s, 200ms);
  }
  CHECK(limit.current() == 1);
  CHECK(SocketLimit{0}.current() == 1);
}

TEST_CASE("Wrong logins are counted for each account on each endpoint") {
  LoginBudget budget{2, 0ms};
  CHECK(budget.draw(kTelnet, "admin", kStart));
  CHECK(budget.draw(kTelnet, "admin", kStart));
  const auto third = budget.draw(kTelnet, "admin", kStart);
  REQUIRE(!third);
  CHECK(third.error().kind == ErrorKind::denied);
  CHECK(budget.draw(kTelnet, "root", kStart));
  CHECK(budget.draw(kWeb, "admin", kStart));
  CHECK(budget.all().at("tcp/23 admin") == 2);
}

TEST_CASE("The login interval holds for an endpoint, whatever the account") {
  LoginBudget budget{5, 1000ms};
  CHECK(*budget.draw(kTelnet, "admin", kStart) == kStart);
  CHECK(*budget.draw(kTelnet, "root", kStart) == kStart + 1s);
  CHECK(*budget.draw(kWeb, "admin", kStart) == kStart);
  CHECK(*budget.draw(kTelnet, "root", kStart + 5s) == kStart + 5s);
}

TEST_CASE("A resumed run goes on with the counters of the interrupted one") {
  LoginBudget before{3, 0ms};
  CHECK(before.draw(kTelnet, "admin", kStart));
  CHECK(before.draw(kTelnet, "admin", kStart));
  LoginBudget after{3, 0ms};
  after.restore(before.all());
  CHECK(after.used(kTelnet, "admin") == 2);
  CHECK(after.draw(kTelnet, "admin", kStart));
  CHECK(!after.draw(kTelnet, "admin", kStart));
}

TEST_CASE("An attempt that was not used is given back, but never more than was drawn") {
  LoginBudget budget{1, 0ms};
  CHECK(budget.draw(kTelnet, "admin", kStart));
  budget.refund(kTelnet, "admin");
  budget.refund(kTelnet, "admin");
  budget.refund(kTelnet, "nobody");
  CHECK(budget.used(kTelnet, "admin") == 0);
  CHECK(budget.draw(kTelnet, "admin", kStart));
  CHECK(!budget.draw(kTelnet, "admin", kStart));
}

TEST_CASE("The last attempt of an account is set aside for whom it is kept, and more there are not") {
  LoginBudget budget{2, 0ms};
  budget.set_aside(kTelnet, "admin");
  CHECK(budget.draw(kTelnet, "admin", kStart));
  const auto second = budget.draw(kTelnet, "admin", kStart);
  REQUIRE(!second);
  CHECK(second.error().kind == ErrorKind::denied);
  CHECK(second.error().what.find("set aside") != std::string::npos);
  CHECK(budget.draw(kTelnet, "root", kStart));
  CHECK(budget.draw(kTelnet, "root", kStart));
  CHECK(budget.draw(kTelnet, "admin", kStart, true));
  CHECK(!budget.draw(kTelnet, "admin", kStart, true));
  CHECK(budget.used(kTelnet, "admin") == 2);
}

TEST_CASE("The round-trip estimate follows RFC 6298") {
  RoundTrip trip;
  CHECK_FALSE(trip.known());
  trip.sample(80ms);
  CHECK(trip.smoothed() == 80ms);
  CHECK(trip.variation() == 40ms);
  trip.sample(160ms);
  CHECK(trip.smoothed() == 90ms);
  CHECK(trip.variation() == 50ms);
}

TEST_CASE("Patience is boxed, and a second while nothing is known") {
  RoundTrip trip;
  CHECK(trip.patience(100ms, 3000ms) == 1000ms);
  CHECK(trip.patience(100ms, 500ms) == 500ms);
  trip.sample(1ms);
  CHECK(trip.patience(100ms, 3000ms) == 100ms);
  trip.sample(10s);
  CHECK(trip.patience(100ms, 3000ms) == 3000ms);
  CHECK(trip.patience(100ms, 50ms) == 100ms);
}
