#include "harness/net/sweep_ledger.hpp"

#include <algorithm>
#include <set>

#include "tests/support/catch.hpp"

using namespace assay;

namespace {

/// Asks every port of the pass; `answer` says how each ends.
template <class Rule>
void run_pass(SweepLedger& ledger, Rule answer, std::uint32_t epoch = 0) {
  while (ledger.has_next()) {
    const auto port = ledger.take_next();
    ledger.note(port, answer(port), epoch);
  }
}

SweepReport report_of(const SweepLedger& ledger, std::string_view interruption = {}) {
  SweepReport report;
  ledger.fill(report, interruption);
  return report;
}

const PortResult& result_of(const SweepReport& report, std::uint16_t port) {
  const auto found = std::find_if(report.results.begin(), report.results.end(),
                                  [&](const auto& result) { return result.port == port; });
  REQUIRE(found != report.results.end());
  return *found;
}

}  // namespace

TEST_CASE("Every port of the ranges is asked once, whatever overlaps") {
  const std::vector<PortRange> ranges{{1, 1000}, {500, 2000}, {65535, 65535}, {80, 80}};
  const auto order = sweep_order(ranges);
  const std::set<std::uint16_t> unique(order.begin(), order.end());
  CHECK(order.size() == 2001);
  CHECK(unique.size() == 2001);
  CHECK(unique.count(0) == 0);
  CHECK(sweep_order(std::vector<PortRange>{{1, 65535}}).size() == 65535);
  CHECK(sweep_order(std::vector<PortRange>{{9, 8}}).empty());
}

TEST_CASE("Ports of IoT devices come first and the rest in a fixed mixed order") {
  const std::vector<PortRange> all{{1, 65535}};
  const auto order = sweep_order(all);
  for (const int port : {80, 443, 22, 23, 1883, 8883, 554, 7547, 37777}) {
    CHECK(std::find(order.begin(), order.end(), port) - order.begin() < 150);
  }
  CHECK(order == sweep_order(all));
  CHECK_FALSE(std::is_sorted(order.begin() + 1000, order.begin() + 1050));
}

TEST_CASE("When every port answers one pass is enough") {
  SweepLedger ledger{{80, 81, 82}};
  run_pass(ledger, [](auto port) { return port == 80 ? Answer::accepted : Answer::refused; });
  CHECK_FALSE(ledger.finish_pass(true, 0));
  const auto report = report_of(ledger);
  CHECK(report.open == 1);
  CHECK(report.closed == 2);
  CHECK(report.results.size() == 1);
  CHECK(result_of(report, 80).reason == "syn-ack");
}

TEST_CASE("A silent port is filtered after two silences that can be believed") {
  SweepLedger ledger{{80, 81}};
  const auto rule = [](auto port) { return port == 80 ? Answer::refused : Answer::silence; };
  run_pass(ledger, rule);
  REQUIRE(ledger.finish_pass(true, 0));
  run_pass(ledger, rule);
  CHECK_FALSE(ledger.finish_pass(true, 0));
  const auto report = report_of(ledger);
  CHECK(result_of(report, 81).state == PortState::filtered);
  CHECK(result_of(report, 81).reason == "no answer to 2 attempts");
  CHECK(report.filtered == 1);
}

TEST_CASE("A pass that finds what the one before missed is followed by another, and no silence is believed then") {
  SweepLedger ledger{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
  int passes = 0;
  bool more = true;
  while (more) {
    ++passes;
    // Each pass one more port answers, so the estimate of what is still missed never reaches zero.
    run_pass(ledger, [&](auto port) { return port <= passes ? Answer::refused : Answer::silence; });
    more = ledger.finish_pass(true, 0);
  }
  CHECK(passes == SweepLedger::kFindingPasses);
  CHECK(report_of(ledger).closed == 8);
  CHECK(report_of(ledger).filtered == 0);
  CHECK(report_of(ledger).unreliable == 2);
  CHECK(result_of(report_of(ledger), 9).reason ==
        "no answer to 8 attempts, while others like it still answered when they were asked again");
}

TEST_CASE("A few late answers among many silent ports leave the others believable") {
  std::vector<std::uint16_t> ports;
  for (std::uint16_t port = 1; port <= 5000; ++port) {
    ports.push_back(port);
  }
  SweepLedger ledger{ports};
  int passes = 0;
  do {
    ++passes;
    run_pass(ledger, [&](auto port) { return port <= passes ? Answer::refused : Answer::silence; });
  } while (ledger.finish_pass(true, 0));
  CHECK(report_of(ledger).closed == SweepLedger::kFindingPasses);
  CHECK(report_of(ledger).filtered == 5000 - SweepLedger::kFindingPasses);
}

TEST_CASE("Silence beside lost canaries is unreliable, not filtered") {
  SweepLedger ledger{{80, 81}};
  const auto rule = [](auto port) { return port == 80 ? Answer::refused : Answer::silence; };
  int passes = 0;
  do {
    ++passes;
    run_pass(ledger, rule);
  } while (ledger.finish_pass(false, 0));
  CHECK(passes == SweepLedger::kMostPasses);
  CHECK(result_of(report_of(ledger), 81).state == PortState::unreliable);
}

TEST_CASE("Silence from before a slow-down is not believed") {
  SweepLedger ledger{{80, 81}};
  const auto rule = [](auto port) { return port == 80 ? Answer::refused : Answer::silence; };
  run_pass(ledger, rule, 0);
  REQUIRE(ledger.finish_pass(true, 1));
  run_pass(ledger, rule, 1);
  REQUIRE(ledger.finish_pass(true, 1));
  run_pass(ledger, rule, 1);
  CHECK_FALSE(ledger.finish_pass(true, 1));
  CHECK(result_of(report_of(ledger), 81).reason == "no answer to 3 attempts");
}

TEST_CASE("When nothing at all answers the silence says nothing of the ports") {
  SweepLedger ledger{{80}};
  do {
    run_pass(ledger, [](auto) { return Answer::silence; });
  } while (ledger.finish_pass(false, 0));
  const auto report = report_of(ledger);
  CHECK(result_of(report, 80).state == PortState::unreliable);
  CHECK(result_of(report, 80).reason.find("no other port answered") != std::string::npos);
}

TEST_CASE("ICMP prohibitions are a reason of filtered") {
  SweepLedger ledger{{80, 81}};
  const auto rule = [](auto port) { return port == 80 ? Answer::accepted : Answer::host_unreachable; };
  do {
    run_pass(ledger, rule);
  } while (ledger.finish_pass(true, 0));
  CHECK(result_of(report_of(ledger), 81).state == PortState::filtered);
  CHECK(result_of(report_of(ledger), 81).reason == "icmp host unreachable or prohibited");
}

TEST_CASE("What this host could not ask is its own matter, not the device's") {
  SweepLedger ledger{{80, 81}};
  const auto rule = [](auto port) { return port == 80 ? Answer::accepted : Answer::local_failure; };
  do {
    run_pass(ledger, rule);
  } while (ledger.finish_pass(true, 0));
  CHECK(result_of(report_of(ledger), 81).state == PortState::unreliable);
  CHECK(result_of(report_of(ledger), 81).reason == "this host could not ask");
}

TEST_CASE("An interrupted sweep names what it did not ask") {
  SweepLedger ledger{{80, 81, 82}};
  ledger.note(ledger.take_next(), Answer::accepted, 0);
  (void)ledger.take_next();
  const auto report = report_of(ledger, "interrupted");
  CHECK(report.open == 1);
  CHECK(report.unreliable == 2);
  CHECK(result_of(report, 81).reason == "interrupted");
  CHECK(result_of(report, 82).reason == "interrupted");
  CHECK(report.ports == report.open + report.closed + report.filtered + report.unreliable);
}

TEST_CASE("What refused since the last look at an open port is not believed once open ports refuse") {
  SweepLedger ledger{{80, 81, 82, 83}};
  const auto answer = [&](Answer what) { ledger.note(ledger.take_next(), what, 0); };
  CHECK(ledger.next_open() == 0);
  answer(Answer::accepted);
  answer(Answer::refused);
  CHECK(ledger.unconfirmed() == 1);
  ledger.confirm();
  CHECK(ledger.unconfirmed() == 0);
  answer(Answer::refused);
  CHECK(ledger.next_open() == 80);
  ledger.distrust();
  const auto report = report_of(ledger, "turned away");
  CHECK(report.closed == 1);
  CHECK(report.open == 1);
  CHECK(result_of(report, 82).state == PortState::unreliable);
  CHECK(result_of(report, 82).reason == "turned away");
  CHECK(result_of(report, 83).state == PortState::unreliable);
}

TEST_CASE("A port put back is asked again in the same pass and counted once") {
  SweepLedger ledger{{80, 81}};
  ledger.put_back(ledger.take_next());
  run_pass(ledger, [](auto port) { return port == 80 ? Answer::refused : Answer::silence; });
  REQUIRE(ledger.finish_pass(true, 0));
  run_pass(ledger, [](auto) { return Answer::silence; });
  CHECK_FALSE(ledger.finish_pass(true, 0));
  CHECK(report_of(ledger).closed == 1);
  CHECK(result_of(report_of(ledger), 81).reason == "no answer to 2 attempts");
}

TEST_CASE("A closed port is the better canary, an open one will do") {
  SweepLedger ledger{{80, 81}};
  CHECK(ledger.canary() == 0);
  ledger.note(ledger.take_next(), Answer::accepted, 0);
  CHECK(ledger.canary() == 80);
  ledger.note(ledger.take_next(), Answer::refused, 0);
  CHECK(ledger.canary() == 81);
}
