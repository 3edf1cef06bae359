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

namespace {

std::vector<std::string> kinds(const fake::Run& run) {
  std::vector<std::string> out;
  for (const auto& one : run.record.facts.at("ports.behaviour").as_array()) {
    out.emplace_back(std::string_view{one.as_object().at("kind").as_string()});
  }
  return out;
}

using Kinds = std::vector<std::string>;

}  // namespace

TEST_CASE("What is unusual about the device as a whole is said, and nothing when nothing is") {
  struct Row {
    const char* kind;
    SweepReport report;
  };

  SweepReport usual;
  usual.ports = 100;
  usual.closed = 100;
  std::vector<Row> rows(8, Row{"", usual});
  rows[1] = {"silent", {}};
  rows[1].report.ports = 100;
  rows[2].kind = "turns_away";
  rows[2].report.turned_away = true;
  rows[2].report.slow_downs = 2;
  rows[3].kind = "stopped_answering";
  rows[3].report.stopped_answering = true;
  rows[4].kind = "limits_resets";
  rows[4].report.slow_downs = 1;
  rows[4].report.resets_limited = true;
  rows[5].kind = "limits_rate";
  rows[5].report.slow_downs = 1;
  rows[5].report.limit_a_second = 4711;
  rows[6].kind = "gives_out";
  rows[6].report.slow_downs = 1;  // what was lost, the outage lost
  rows[6].report.outages = 2;
  rows[7].kind = "answers_late";
  rows[7].report.late_answers = 3;
  for (const auto& row : rows) {
    CAPTURE(row.kind);
    fake::FakeNetwork network;
    network.sweep = row.report;
    const auto result = run(network, "1-100");
    CHECK(kinds(result) == (*row.kind == '\0' ? Kinds{} : Kinds{row.kind}));
    CHECK(result.record.fault.empty());
  }
}

TEST_CASE("A device that stopped answering says how far the sweep came") {
  fake::FakeNetwork network;
  SweepReport report;
  report.ports = 1000;
  report.closed = 390;
  report.open = 10;
  report.unreliable = 600;
  report.stopped_answering = true;
  report.late_answers = 1;
  report.latest_ns = 120'000'000;
  report.slowest_a_second = 17;
  network.sweep = report;
  const auto result = run(network, "1-1000");
  CHECK(kinds(result) == Kinds{"answers_late", "stopped_answering"});
  const auto& behaviour = result.record.facts.at("ports.behaviour").as_array();
  CHECK(behaviour[0].as_object().at("words").as_string().find("120 ms at best") != json::string::npos);
  CHECK(behaviour[0].as_object().at("words").as_string().find("1 time, down to 17 ports") != json::string::npos);
  CHECK(behaviour[1].as_object().at("words").as_string().find("400 of 1000 ports were settled") != json::string::npos);
}

TEST_CASE("Where every port accepts, only those that say something are open") {
  fake::FakeNetwork network;
  SweepReport report;
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    report.results.push_back({port, PortState::open, "syn-ack"});
    network.tcp[port] = [](int) { return [](std::string_view, fake::Line&) {}; };
  }
  report.ports = 1000;
  report.open = 1000;
  network.sweep = report;
  network.tcp[80] = [](int) {
    return [](std::string_view written, fake::Line& line) {
      if (!written.empty()) {
        line.say("HTTP/1.0 200 OK\r\n\r\n");
      }
    };
  };
  const auto result = run(network, "1-1000");
  CHECK(kinds(result) == Kinds{"accepts_everywhere"});
  const auto& open = result.record.facts.at("ports.open").as_array();
  REQUIRE(open.size() == 1);
  CHECK(open[0].as_object().at("endpoint").as_string() == "tcp/80");
  const auto& unreliable = result.record.facts.at("ports.unreliable").as_array();
  REQUIRE(unreliable.size() == 2);
  CHECK(unreliable[0].as_object().at("endpoint").as_string() == "tcp/1-79");
  CHECK(unreliable[0].as_object().at("reason").as_string() ==
        "accepted like 1000 of 1000 ports, which shows no service");
}
