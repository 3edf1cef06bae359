#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::ports {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;

namespace {

fake::Run run(fake::FakeNetwork& network, const char* tcp) {
  json::object parameters;
  parameters["tcp"] = tcp;
  return fake::observe(probes::ports::kDescriptor, network, "", parameters);
}

}  // namespace

TEST_CASE("Ranges are sorted and merged before the sweep") {
  struct Row {
    const char* text;
    const char* ranges;
  };

  for (const auto& row : {Row{"all", "1-65535"}, Row{"80", "80"}, Row{" 8080 , 1-1024,1000-1030 ", "1-1030,8080"},
                          Row{"5,6,7", "5-7"}, Row{"65535", "65535"}}) {
    CAPTURE(row.text);
    fake::FakeNetwork network;
    const auto result = run(network, row.text);
    REQUIRE(result.ended);
    CHECK(result.record.coverages.at("tcp").at("ranges").as_string() == row.ranges);
    CHECK(result.record.fault.empty());
  }
}

TEST_CASE("A wrong range is the user's error and says which part is wrong") {
  for (const char* text : {"", "0", "80-", "-80", "90-80", "65536", "http", "1,,2", "80 81", "all,1"}) {
    CAPTURE(text);
    fake::FakeNetwork network;
    const auto result = run(network, text);
    REQUIRE_FALSE(result.ended);
    CHECK(result.ended.error().kind == ErrorKind::bad_input);
    CHECK(result.ended.error().what.find("is not a port or a range") != std::string::npos);
    CHECK(network.swept.empty());
    CHECK(result.record.fault.empty());
  }
}

TEST_CASE("Every port that is not closed is listed, silent neighbours as one range") {
  fake::FakeNetwork network;
  SweepReport report;
  report.results = {{22, PortState::open, "syn-ack"},
                    {80, PortState::open, "syn-ack"},
                    {81, PortState::open, "syn-ack"},
                    {90, PortState::filtered, "no answer to 3 connects"},
                    {91, PortState::filtered, "no answer to 3 connects"},
                    {92, PortState::filtered, "icmp\nprohibited"},
                    {94, PortState::unreliable, "answers differ"}};
  report.ports = 100;
  report.open = 3;
  report.closed = 93;
  report.took_ns = 5'000'000;
  report.rtt_ns = 7'000;
  report.method = "tcp-connect";
  network.sweep = report;
  const auto result = run(network, "1-100");
  REQUIRE(result.ended);
  CHECK(result.record.fault.empty());
  CHECK(canonical(result.record.value("ports.open")) ==
        R"([{"endpoint":"tcp/22","reason":"syn-ack"},{"endpoint":"tcp/80","reason":"syn-ack"},)"
        R"({"endpoint":"tcp/81","reason":"syn-ack"}])");
  CHECK(canonical(result.record.value("ports.filtered")) ==
        R"([{"endpoint":"tcp/90-91","reason":"no answer to 3 connects"},)"
        R"({"endpoint":"tcp/92","reason":"icmp\\nprohibited"}])");
  CHECK(canonical(result.record.value("ports.unreliable")) == R"([{"endpoint":"tcp/94","reason":"answers differ"}])");
  CHECK(result.record.value("ports.closed") == json::value(93));
  const auto& coverage = result.record.coverages.at("tcp").as_object();
  CHECK(coverage.at("asked") == json::value(100));
  CHECK(coverage.at("took_ms") == json::value(5));
  CHECK(coverage.at("rtt_us") == json::value(7));
  CHECK(coverage.at("address_family") == json::value("ipv4"));
  REQUIRE(result.record.artifacts.size() == 1);
  CHECK(result.record.artifacts[0].bytes.find("tcp/90-91") != std::string::npos);
  CHECK(result.record.evidences.at("ports.open") == std::vector<std::string>{"artifact-1"});
}

TEST_CASE("A sweep that could not run leaves its reason and no claim") {
  fake::FakeNetwork network;
  network.sweep = Error{ErrorKind::unreachable, "no route", {}};
  const auto result = run(network, "all");
  REQUIRE_FALSE(result.ended);
  CHECK(result.ended.error().kind == ErrorKind::unreachable);
  CHECK(result.record.facts.empty());
  CHECK(result.record.reasons.at("ports.open") == "no route");
  CHECK(result.record.fault.empty());
}
