#include "harness/net/sweep_control.hpp"

#include "tests/support/catch.hpp"

using namespace assay;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart{1000s};

void send(SweepControl& control, int count, TimePoint now) {
  for (int sent = 0; sent < count; ++sent) {
    (void)control.try_take(now);
  }
}

}  // namespace

TEST_CASE("The window starts small, doubles a round, and stays below the pace") {
  SweepControl control{1000, 1e6, kStart};
  CHECK(control.window() == SweepControl::kFirstWindow);
  for (std::size_t answer = 0; answer < SweepControl::kFirstWindow; ++answer) {
    control.progressed();
  }
  CHECK(control.window() == 2 * SweepControl::kFirstWindow);
  for (int answer = 0; answer < 5000; ++answer) {
    control.progressed();
  }
  CHECK(control.window() == 1000);
  CHECK(SweepControl{4, 200, kStart}.window() == 4);
}

TEST_CASE("Single losses do not slow a sweep down") {
  SweepControl control{4096, 1e6, kStart};
  for (int canary = 0; canary < 200; ++canary) {
    CHECK_FALSE(control.canary_ended(canary % 50 != 0, 0, kStart));
  }
  CHECK(control.epoch() == 0);
  CHECK(control.healthy());
}

TEST_CASE("Lost canaries bring the rate below what the device was seen to take") {
  SweepControl control{4096, 1e6, kStart};
  send(control, 10000, kStart);
  const auto later = kStart + 1s;
  CHECK_FALSE(control.canary_ended(true, 0, later));
  CHECK_FALSE(control.canary_ended(false, 0, later));
  CHECK_FALSE(control.canary_ended(false, 0, later));
  CHECK(control.canary_ended(false, 0, later));
  CHECK(control.epoch() == 1);
  CHECK(control.window() == SweepControl::kFirstWindow / 2);
  // 10,000 a second and nearly all lost: a single estimate is believed up to 70 %, so below 3,000 from now on.
  int allowed = 0;
  for (int ms = 0; ms < 1000; ++ms) {
    while (control.try_take(later + ms * 1ms)) {
      ++allowed;
    }
  }
  CHECK(allowed > 2000);
  CHECK(allowed < 3000);
}

TEST_CASE("Canaries from before a slow-down are not counted against the new rate") {
  SweepControl control{4096, 1e6, kStart};
  for (int canary = 0; canary < 4; ++canary) {
    (void)control.canary_ended(false, 0, kStart + 1s);
  }
  REQUIRE(control.epoch() == 1);
  for (int canary = 0; canary < 100; ++canary) {
    CHECK_FALSE(control.canary_ended(false, 0, kStart + 1s));
  }
  CHECK(control.epoch() == 1);
  CHECK(control.canaries_in_pass() == 0);
  CHECK(control.lost_in_row() == 104);
}

TEST_CASE("The rate recovers slowly while canaries answer") {
  SweepControl control{4096, 1e6, kStart};
  send(control, 1000, kStart);
  for (int canary = 0; canary < 4; ++canary) {
    (void)control.canary_ended(canary == 0, 0, kStart + 1s);
  }
  REQUIRE(control.epoch() == 1);
  const auto count = [&](TimePoint from) {
    int allowed = 0;
    for (int ms = 0; ms < 1000; ++ms) {
      allowed += control.try_take(from + ms * 1ms) ? 1 : 0;
    }
    return allowed;
  };
  const int before = count(kStart + 10s);
  for (int step = 0; step < 50; ++step) {
    (void)control.canary_ended(true, 1, kStart + 20s + step * 100ms);
  }
  const int after = count(kStart + 30s);
  CHECK(after > before);
  CHECK(after < 4 * before);
}

TEST_CASE("Silence is believed only beside canaries that answered") {
  SweepControl control{64, 1e6, kStart};
  CHECK_FALSE(control.healthy());
  for (int canary = 0; canary < 3; ++canary) {
    (void)control.canary_ended(true, 0, kStart);
  }
  CHECK(control.healthy());
  (void)control.canary_ended(false, 0, kStart);
  CHECK_FALSE(control.healthy());
  control.begin_pass();
  CHECK_FALSE(control.healthy());
  CHECK(control.window() == 32);
}

TEST_CASE("No canary is asked while everything answers, one for every few silences") {
  SweepControl control{4096, 1e6, kStart};
  const auto silences = [&](int count) {
    for (int i = 0; i < count; ++i) {
      control.went_silent();
    }
  };
  send(control, 60000, kStart);
  CHECK_FALSE(control.wants_canary(kStart));
  silences(3);
  CHECK_FALSE(control.wants_canary(kStart));
  silences(1);
  CHECK(control.wants_canary(kStart));
  control.canary_sent(kStart);
  CHECK_FALSE(control.wants_canary(kStart));
  silences(4);
  CHECK_FALSE(control.wants_canary(kStart));  // spread over the window
  send(control, 4, kStart);
  CHECK(control.wants_canary(kStart));
  control.canary_sent(kStart);
  send(control, 1000, kStart);
  CHECK_FALSE(control.wants_canary(kStart));
  for (int answer = 0; answer < 5000; ++answer) {
    control.progressed();
  }
  silences(63);
  CHECK_FALSE(control.wants_canary(kStart));
  silences(1);
  CHECK(control.wants_canary(kStart));
}

TEST_CASE("Fewer descriptors than thought bound the window for good") {
  SweepControl control{1000, 1e6, kStart};
  control.limit_window(10);
  for (int answer = 0; answer < 100; ++answer) {
    control.progressed();
  }
  CHECK(control.window() == 10);
}

TEST_CASE("A pass after one that still found something goes slower than what the device was seen to take") {
  SweepControl control{4096, 1e6, kStart};
  control.begin_pass(true);
  CHECK(control.next() == TimePoint{});  // nothing was lost, so no rate is set
  send(control, 10000, kStart);
  for (int canary = 0; canary < 4; ++canary) {
    (void)control.canary_ended(canary == 0, 0, kStart + 1s);
  }
  REQUIRE(control.epoch() == 1);
  CHECK(control.limit() > 2000);
  CHECK(control.limit() < 5000);
  const auto count = [&](TimePoint from) {
    int allowed = 0;
    for (int ms = 0; ms < 1000; ++ms) {
      while (control.try_take(from + ms * 1ms)) {
        ++allowed;
      }
    }
    return allowed;
  };
  const int before = count(kStart + 10s);
  control.begin_pass(true);
  const int after = count(kStart + 20s);
  CHECK(after < before * 9 / 10);
  CHECK(after > before / 2);
}

namespace {

/// A control that was slowed down to about half of 10,000 a second.
SweepControl slowed_down() {
  SweepControl control{4096, 1e6, kStart};
  send(control, 10000, kStart);
  for (int canary = 0; canary < 4; ++canary) {
    (void)control.canary_ended(canary == 0, 0, kStart + 1s);
  }
  REQUIRE(control.epoch() == 1);
  return control;
}

/// 1,000 ports of which so many in a hundred stay silent.
void ask_ports(SweepControl& control, int silent, TimePoint now) {
  for (int port = 0; port < 1000; ++port) {
    control.ended(port % 100 < silent, control.epoch(), now);
  }
}

}  // namespace

TEST_CASE("More silence than before, at a limited rate, shows what the device takes") {
  auto control = slowed_down();
  ask_ports(control, 0, kStart + 2s);
  CHECK(control.epoch() == 1);
  ask_ports(control, 1, kStart + 3s);
  CHECK(control.epoch() == 1);  // chance
  control.ended(false, 1, kStart + 4s);
  const auto before = control.limit();
  ask_ports(control, 10, kStart + 4s);
  CHECK(control.epoch() > 1);
  CHECK(control.limit() < before);
  const auto now = control.limit();
  const auto epoch = control.epoch();
  for (int canary = 0; canary < 9; ++canary) {  // it stays there for a while, whatever answers
    (void)control.canary_ended(true, epoch, kStart + 4s + canary * 100ms);
  }
  CHECK(control.limit() == now);
  CHECK(control.epoch() == epoch);
}

TEST_CASE("Silence that was there all the time is a firewall, not the rate") {
  auto control = slowed_down();
  for (int second = 0; second < 20; ++second) {
    ask_ports(control, 92, kStart + 2s + second * 1s);
  }
  ask_ports(control, 96, kStart + 30s);
  CHECK(control.epoch() == 1);
  SweepControl unlimited{4096, 1e6, kStart};
  ask_ports(unlimited, 0, kStart);
  ask_ports(unlimited, 90, kStart);
  CHECK(unlimited.epoch() == 0);
}

TEST_CASE("A window grows while answers come quickly and it holds them back, and gives way when they queue up") {
  SweepControl control{4096, 1e6, kStart};
  auto now = kStart;
  for (int round = 0; round < 5; ++round) {  // all of the window in each round trip
    now += 20ms;
    for (std::size_t left = control.window(); left > 0; --left) {
      control.answered(20ms, now);
    }
  }
  const auto grown = control.window();
  CHECK(grown > 500);
  for (std::size_t answer = 0; answer < grown; ++answer) {
    control.answered(80ms, now);
  }
  CHECK(control.window() <= grown / 2 + 1);
  for (int answer = 0; answer < 5000; ++answer) {
    control.answered(80ms, now);
  }
  CHECK(control.window() == SweepControl::kFirstWindow);
}

TEST_CASE("A window that nothing waits for does not grow") {
  SweepControl control{4096, 1e6, kStart};
  auto now = kStart;
  for (int answer = 0; answer < 10000; ++answer) {
    now += 10us;
    control.answered(50us, now);  // 5 on their way
  }
  CHECK(control.window() == SweepControl::kFirstWindow);
}

TEST_CASE("Silence widens the window faster while canaries show that nothing is lost") {
  SweepControl control{4096, 1e6, kStart};
  control.progressed();
  CHECK(control.window() == SweepControl::kFirstWindow + 1);
  for (int canary = 0; canary < 3; ++canary) {
    (void)control.canary_ended(true, 0, kStart);
  }
  control.progressed();
  CHECK(control.window() == SweepControl::kFirstWindow + 3);
}

namespace {

/// One round trip of 20 ms: a window is sent, and so many of it are answered.
void round_trip(SweepControl& control, TimePoint& now, int answered) {
  send(control, static_cast<int>(control.window()), now);
  now += 20ms;
  for (int answer = 0; answer < answered; ++answer) {
    control.answered(20ms, now);
  }
}

/// A window that grew to some size, when the device stops taking more than 100 in a round trip.
std::size_t grow_beyond_the_device(SweepControl& control, TimePoint& now) {
  for (int round = 0; round < 4; ++round) {
    round_trip(control, now, static_cast<int>(control.window()));
  }
  round_trip(control, now, 100);
  round_trip(control, now, 100);
  return control.window();
}

}  // namespace

TEST_CASE("A window does not grow while fewer answers come than were asked for") {
  SweepControl control{16384, 1e6, kStart};
  auto now = kStart;
  const auto grown = grow_beyond_the_device(control, now);
  CHECK(grown > 2 * SweepControl::kFirstWindow);
  for (int round = 0; round < 5; ++round) {
    round_trip(control, now, 100);
  }
  CHECK(control.window() == grown);
}

TEST_CASE("What may have been lost gives up its place until canaries keep up") {
  SweepControl control{16384, 1e6, kStart};
  auto now = kStart;
  const auto grown = grow_beyond_the_device(control, now);
  for (int silence = 0; silence < 100; ++silence) {
    control.progressed();
  }
  CHECK(control.window() == grown - 100);

  SECTION("silent ports of a device that answers every canary") {
    for (int round = 0; round < 2; ++round) {
      for (int canary = 0; canary < 4; ++canary) {
        control.canary_sent(now);
      }
      now += 20ms;
      for (int canary = 0; canary < 4; ++canary) {
        (void)control.canary_ended(true, 0, now);
      }
    }
    now += 20ms;
    (void)control.canary_ended(true, 0, now);
    control.progressed();
    CHECK(control.window() == grown - 100 + 2);
  }
  SECTION("half of the canaries are lost too") {
    for (int round = 0; round < 2; ++round) {
      for (int canary = 0; canary < 8; ++canary) {
        control.canary_sent(now);
      }
      now += 20ms;
      for (int canary = 0; canary < 4; ++canary) {
        (void)control.canary_ended(true, 0, now);
      }
    }
    control.progressed();
    CHECK(control.window() == grown - 101);
  }
}

TEST_CASE("Where most ports answer, the answers of late say what the device takes") {
  SweepControl control{4096, 1e6, kStart};
  auto now = kStart;
  for (int step = 0; step < 100; ++step) {  // 10,000 a second, of which 4,000 come back
    send(control, 100, now);
    now += 10ms;
    for (int answer = 0; answer < 40; ++answer) {
      control.answered(5ms, now);
    }
  }
  for (int canary = 0; canary < 4; ++canary) {
    (void)control.canary_ended(canary == 0, 0, now);
  }
  CHECK(control.epoch() == 1);
  CHECK(control.limit() > 3500);
  CHECK(control.limit() < 4500);
}
