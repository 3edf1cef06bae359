#include "harness/net/udp_ledger.hpp"

#include "tests/support/catch.hpp"

using namespace assay;

namespace {

UdpPort udp_state_of(const UdpLedger& ledger, std::uint16_t port, std::string_view why = "") {
  UdpReport report;
  ledger.fill(report, why);
  CHECK(report.open + report.closed + report.open_filtered + report.unreliable == report.ports);
  for (const auto& result : report.results) {
    if (result.port == port) {
      return result;
    }
  }
  return {port, UdpState::closed, ""};
}

}  // namespace

TEST_CASE("A reply is open, from another port too, and an ICMP error of the device is closed") {
  UdpLedger ledger{{53, 69, 70}};
  ledger.replied(53, 53);
  ledger.replied(69, 40000);
  ledger.refused(70);
  CHECK(udp_state_of(ledger, 53).state == UdpState::open);
  CHECK(udp_state_of(ledger, 69).reason == "answered from udp/40000");
  CHECK(udp_state_of(ledger, 70).state == UdpState::closed);
  CHECK(ledger.control() == 70);
}

TEST_CASE("A port that answered and was refused contradicts itself") {
  UdpLedger ledger{{53}};
  ledger.replied(53, 53);
  ledger.refused(53);
  CHECK(udp_state_of(ledger, 53).state == UdpState::unreliable);
  CHECK(ledger.control() == 0);

  UdpLedger other{{53}};
  other.refused(53);
  CHECK(other.control() == 53);
  other.replied(53, 53);
  CHECK(other.control() == 0);
}

TEST_CASE("Silence says nothing while the device sends other ports their errors") {
  UdpLedger ledger{{53, 54}};
  ledger.sent(53);
  ledger.refused(54);
  CHECK(udp_state_of(ledger, 53).state == UdpState::unreliable);
  CHECK(udp_state_of(ledger, 53).reason.find("1 datagram,") != std::string::npos);
  ledger.silent_beside_control(53);
  CHECK(udp_state_of(ledger, 53).state == UdpState::unreliable);
  ledger.silent_beside_control(53);
  CHECK(udp_state_of(ledger, 53).state == UdpState::open_filtered);
  CHECK(ledger.settled(53));
}

TEST_CASE("Where no ICMP error comes at all, silence is open or filtered, unless the sweep was cut short") {
  UdpLedger ledger{{53}};
  CHECK(udp_state_of(ledger, 53).state == UdpState::unreliable);  // not asked
  ledger.sent(53);
  CHECK(udp_state_of(ledger, 53).state == UdpState::open_filtered);
  CHECK(udp_state_of(ledger, 53, "interrupted").state == UdpState::unreliable);
}

TEST_CASE("Another ICMP error is the path's or a firewall's word, not the port's") {
  UdpLedger ledger{{53}};
  ledger.rejected(53, "icmp host prohibited");
  CHECK(udp_state_of(ledger, 53).state == UdpState::open_filtered);
  CHECK(udp_state_of(ledger, 53).reason == "icmp host prohibited");
}

TEST_CASE("The proof asks what is not settled, and again what was silent before a control was known") {
  UdpLedger ledger{{1, 2, 3}};
  ledger.replied(1, 1);
  ledger.begin_proof();
  CHECK(ledger.take_next() == std::uint16_t{2});
  ledger.silent_without_control(2);
  ledger.silent_without_control(2);
  CHECK(ledger.settled(2));
  CHECK(ledger.take_next() == std::uint16_t{3});
  ledger.refused(3);
  CHECK_FALSE(ledger.settled(2));
  CHECK_FALSE(ledger.take_next());
  CHECK(ledger.reopen_blind());
  CHECK(ledger.take_next() == std::uint16_t{2});
  ledger.silent_beside_control(2);
  ledger.silent_beside_control(2);
  CHECK_FALSE(ledger.reopen_blind());
}

TEST_CASE("A stranger to the sweep may be the control, but is not in the report") {
  UdpLedger ledger{{53}};
  ledger.put_back(60000);
  CHECK(ledger.take_next() == std::uint16_t{60000});
  ledger.refused(60000);
  CHECK(ledger.control() == 60000);
  ledger.put_back(60001);
  CHECK_FALSE(ledger.take_next());  // one is enough
  UdpReport report;
  ledger.fill(report, "");
  CHECK(report.ports == 1);
  CHECK(report.closed == 0);
}

TEST_CASE("Where nearly all ports refuse, a port is asked alone twice and then beside a control") {
  std::vector<std::uint16_t> ports;
  for (std::uint16_t port = 1; port <= 20; ++port) {
    ports.push_back(port);
  }
  UdpLedger ledger{ports};
  for (std::uint16_t port = 1; port <= 7; ++port) {
    ledger.refused(port);
  }
  ledger.refused(7);
  CHECK_FALSE(ledger.ask_alone(20));  // seven ports, refused however often, are few
  ledger.refused(8);
  CHECK(ledger.ask_alone(20));
  CHECK_FALSE(ledger.ask_alone(60000));  // a stranger to the sweep
  ledger.silent_alone(20);
  CHECK(ledger.ask_alone(20));
  ledger.silent_alone(20);
  CHECK_FALSE(ledger.ask_alone(20));
  CHECK_FALSE(ledger.settled(20));  // silence alone says nothing
  for (int time = 0; time < 3; ++time) {
    ledger.silent_beside_control(19);
  }
  CHECK_FALSE(ledger.ask_alone(18));  // a device where much is silent
}
