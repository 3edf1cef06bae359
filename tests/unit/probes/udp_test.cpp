#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::udp {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;

namespace {

fake::FakeLibrary library() {
  fake::FakeLibrary out;
  PayloadList list{"udp-payloads", "T", "S", {}};
  list.payloads.push_back({"dns-root", "dns", "S", {53}, "Q", {{"DNS", "\xff\xff\xff"}}, {}, {}});
  list.payloads.push_back({"coap-core", "coap", "S", {5683, 56830}, "C", {{"CO", "\xff\xff"}}, {}, {}});
  list.payloads.push_back({"dhcp", "dhcp", "S", {67}, "DHCP", {{"D", "\xff"}}, std::uint16_t{68}, std::uint16_t{0}});
  out.lists["udp-payloads"] = list;
  return out;
}

fake::Run survey(fake::FakeNetwork& network, const json::object& parameters = {}) {
  return fake::observe(probes::udp::kDescriptor, network, "", parameters, {}, library());
}

}  // namespace

TEST_CASE("By default the ports of the list are asked in their protocols, and the rest is proven for two minutes") {
  fake::FakeNetwork network;
  const auto result = survey(network);
  REQUIRE(result.ended);
  REQUIRE(network.swept_udp);
  REQUIRE(network.swept_udp->questions.size() == 4);
  CHECK(network.swept_udp->questions[0].port == 53);
  CHECK(network.swept_udp->questions[2].port == 56830);
  CHECK(network.swept_udp->questions[3].from_port == std::uint16_t{68});
  CHECK(network.swept_udp->others.empty());
  CHECK(network.swept_udp->prove_for == std::chrono::minutes{2});
  CHECK(result.record.coverages.at("udp").at("ranges").as_string() == "53,67,5683,56830");
  CHECK(result.record.fault.empty());
}

TEST_CASE("Ranges are asked whole, in their protocols where there are any") {
  fake::FakeNetwork network;
  const auto result = survey(network, {{"ports", "50-60"}, {"prove", 0}});
  REQUIRE(result.ended);
  CHECK(network.swept_udp->questions.size() == 1);
  CHECK(network.swept_udp->others.size() == 11);
  CHECK(network.swept_udp->prove_for.count() == 0);
  const auto all = survey(network, {{"ports", "all"}});
  REQUIRE(all.ended);
  CHECK(network.swept_udp->others.size() == 65535);
  CHECK(network.swept_udp->questions.size() == 4);
}

TEST_CASE("A wrong range or an unknown list is the user's error, and every fact is accounted for") {
  for (const auto& parameters : {json::object{{"ports", "0"}}, json::object{{"payloads", "none"}}}) {
    fake::FakeNetwork network;
    const auto result = survey(network, parameters);
    REQUIRE_FALSE(result.ended);
    CHECK(result.ended.error().kind == ErrorKind::bad_input);
    CHECK_FALSE(network.swept_udp);
    CHECK(result.record.fault.empty());
  }
}

TEST_CASE("An open port has the protocol that its reply is like, or an unknown one") {
  fake::FakeNetwork network;
  UdpReport report;
  report.results = {{53, UdpState::open, "answered"},
                    {67, UdpState::open_filtered, "no answer"},
                    {68, UdpState::open_filtered, "no answer"},
                    {5683, UdpState::open, "answered from udp/40000"},
                    {56830, UdpState::unreliable, "not\nasked"}};
  report.answers = {{0, "DNS and more", 53, 1000}, {1, "\x1b[2J", 40000, 1000}, {99, "beyond the questions", 1, 1}};
  report.ports = 4;
  report.closed = 1;
  report.sources = 3;
  report.icmp_errors = 1;
  report.controls = 1;
  report.icmp_limited = true;
  report.icmp_per_second = 1.02;
  network.udp_sweep = report;
  const auto result = survey(network, {{"ports", "53,60-68,5683,56830"}});
  REQUIRE(result.ended);
  const auto& facts = result.record.facts;
  CHECK(json::serialize(facts.at("udp.open")) ==
        R"([{"endpoint":"udp/53","protocol":"dns","reason":"answered"},)"
        R"({"endpoint":"udp/5683","protocol":"unknown","reason":"answered from udp/40000"}])");
  CHECK(json::serialize(facts.at("udp.open_filtered")) == R"([{"endpoint":"udp/67-68","reason":"no answer"}])");
  CHECK(json::serialize(facts.at("udp.unreliable")) == R"([{"endpoint":"udp/56830","reason":"not\\nasked"}])");
  CHECK(json::serialize(facts.at("udp.icmp_rate")) == R"({"limited":true,"per_minute":61,"sources":3})");
  CHECK(facts.at("udp.closed_ranges").as_string() == "60-66");
  CHECK(facts.at("udp.closed").as_int64() == 1);
  CHECK(result.record.fault.empty());
}

TEST_CASE("Without an ICMP error, or without a control probe, nothing is said about their rate") {
  fake::FakeNetwork network;
  UdpReport report;
  report.icmp_errors = 5;
  network.udp_sweep = report;
  CHECK(survey(network).record.facts.count("udp.icmp_rate") == 0);
  network.udp_sweep = UdpReport{};
  const auto result = survey(network);
  CHECK(result.record.facts.count("udp.icmp_rate") == 0);
  CHECK(result.record.fault.empty());
}

TEST_CASE("A sweep that could not begin leaves every fact unobserved") {
  fake::FakeNetwork network;
  network.udp_sweep = Error{ErrorKind::unreachable, "no route", {}};
  const auto result = survey(network);
  REQUIRE_FALSE(result.ended);
  CHECK(result.record.facts.empty());
  CHECK(result.record.fault.empty());
}
