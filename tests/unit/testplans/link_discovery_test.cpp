#include <algorithm>
#include <filesystem>

#include "harness/judge/judge.hpp"
#include "harness/load/load.hpp"
#include "harness/plan/plan_run.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

/// The units of the library that read the discovery probe, judged on made-up observations in the shape of its facts.
namespace assay {
namespace {

using load_fixtures::catalogue;

const PlanLibrary kShipped{std::filesystem::path{ASSAY_SOURCE_DIR} / "testplans"};

const json::object kTold{{"protocol", "mdns"}, {"item", "text of Hub._http._tcp.local"}, {"value", "version=2.4.1"}};

/// What the device told by mDNS; the other protocols are off.
json::object talkative() {
  return {{"discovery.mdns",
           {{"hosts", json::array{}},
            {"types", json::array{}},
            {"services",
             {{{"name", "Hub._http._tcp.local"}, {"endpoint", "tcp/8080"}, {"txt", {"version=2.4.1", "md=Hub 2"}}}}}}},
          {"discovery.told", json::array{kTold}},
          {"discovery.neighbour", {{"mac", "02:00:00:00:00:01"}}},
          {"discovery.others", json::array{}}};
}

const std::vector<std::string> kOff{"discovery.ssdp", "discovery.wsd", "discovery.llmnr"};
const std::vector<std::string> kAllOff{"discovery.mdns", "discovery.ssdp", "discovery.wsd", "discovery.llmnr",
                                       "discovery.told"};

struct Seen {
  json::object facts;
  std::vector<std::string> absent;
  std::map<std::string, std::string> unobserved = {};
  json::object interface = {};
  std::vector<json::object> other_samples = {};  // their facts
};

Dut device_of(const Plan& plan, const Seen& seen) {
  Dut dut;
  dut.standard = plan.method;
  dut.device.firmware = "2.4.1";
  dut.device.model = "Hub 2";
  for (std::size_t i = 0; i <= seen.other_samples.size(); ++i) {
    Sample sample;
    sample.id = std::string(1, static_cast<char>('A' + i));
    sample.at = {{"lan", {"192.0.2." + std::to_string(5 + i)}}};
    dut.samples.push_back(sample);
  }
  if (!seen.interface.empty()) {
    dut.ixit["15-Intf"] = {seen.interface};
    dut.ixit["11-ComMech"] = {seen.interface};
  }
  return dut;
}

UnitVerdict judged(const std::string& scheme, const std::string& case_id, const std::string& unit, const Seen& seen) {
  auto loaded = load_plan(kShipped, scheme, catalogue());
  REQUIRE(loaded.value);
  Plan plan = *loaded.value;
  const auto cases = load_cases(kShipped, catalogue()).value.value_or(std::vector<Case>{});
  const auto found = std::find_if(cases.begin(), cases.end(), [&](const Case& one) { return one.id == case_id; });
  REQUIRE(found != cases.end());
  Case only = *found;
  std::erase_if(only.units, [&](const auto& one) { return one.id != unit; });
  REQUIRE(only.units.size() == 1);
  only.vantages = {"lan"};
  only.states = {"initialised"};
  only.applies.clear();
  plan.standard = edition_of(only.covers);
  plan.cases = {only};
  Requirement requirement;
  requirement.id = only.covers;
  plan.requirements = {requirement};
  plan.needs = {};
  PlanOptions options;
  options.date = "2026-11-25T00:00:00Z";
  const auto run = make_run_plan(plan, device_of(plan, seen), catalogue(), options);
  REQUIRE(run);
  std::vector<Observation> observations;
  for (const auto& step : run->steps) {
    const auto place = static_cast<std::size_t>(step.target.sample[0] - 'A');
    Observation one;
    one.id = "o" + step.target.sample;
    one.invocation = {"i", step.probe, step.target, std::nullopt, step.parameters};
    one.completion = Completion::completed;
    one.facts = place == 0 ? seen.facts : seen.other_samples.at(place - 1);
    one.absent = seen.absent;
    one.unobserved = seen.unobserved;
    observations.push_back(one);
  }
  RunFacts facts;
  facts.finished = true;
  return judge(*run, observations, facts).requirements.at(0).cases.at(0).units.at(0);
}

void check(const UnitVerdict& unit, Verdict verdict, const std::string& words) {
  INFO(unit.because);
  CHECK(unit.verdict == verdict);
  CHECK(unit.because.find(words) != std::string::npos);
}

constexpr const char* kDisclosed = "TS103701@1.1.1:5.6-2-2";
constexpr const char* kMechanisms = "TS103701@1.1.1:5.5-5-2";
constexpr const char* kModel = "TS103701@1.1.1:5.3-16-2";
constexpr const char* kIdentity = "NISTIR8425@2022:AI1-units";
constexpr const char* kVersion = "SP151-4A-EN@1.1:5.3-16-identity";

}  // namespace

TEST_CASE("link discovery: what is told passes when it is declared, and stays open when it is not") {
  Seen seen{talkative(), kOff};
  check(judged("cls-iot/2", kDisclosed, "a-discovery", seen), Verdict::inconclusive, "version=2.4.1");
  seen.interface = {{"id", "IF-1"},
                    {"disclosed_information", json::array{json::object{{"item", "TXT Version=2.4.1"}}}}};
  check(judged("cls-iot/2", kDisclosed, "a-discovery", seen), Verdict::pass, "");
}

TEST_CASE("link discovery: a device without discovery tells nothing, a silent one is not known to") {
  check(judged("cls-iot/2", kDisclosed, "a-discovery", {{}, kAllOff}), Verdict::pass, "");
  const Seen silent{{}, kOff, {{"discovery.mdns", "silence"}, {"discovery.told", "silence"}}};
  check(judged("cls-iot/2", kDisclosed, "a-discovery", silent), Verdict::inconclusive, "discovery.told");
}

TEST_CASE("link discovery: an announced endpoint outside the declared mechanisms stays open") {
  Seen seen{talkative(), kOff};
  seen.interface = {{"id", "CM-1"}, {"port", json::array{"udp/5353"}}};
  check(judged("cls-iot/2", kMechanisms, "b-discovery", seen), Verdict::inconclusive, "tcp/8080");
  seen.interface = {{"id", "CM-1"}, {"port", json::array{"udp/5353", "tcp/8080"}}};
  check(judged("cls-iot/2", kMechanisms, "b-discovery", seen), Verdict::pass, "");
  seen.interface = {{"id", "CM-1"}, {"port", json::array{"tcp/8080"}}};
  check(judged("cls-iot/2", kMechanisms, "b-discovery", seen), Verdict::inconclusive, "mDNS at udp/5353");
}

TEST_CASE("link discovery: the firmware's version in an announcement is a question") {
  check(judged("cls-iot-gateway/2", kVersion, "announcements", {talkative(), kOff}), Verdict::inconclusive, "2.4.1");
  auto facts = talkative();
  facts["discovery.told"] = json::array{};
  check(judged("cls-iot-gateway/2", kVersion, "announcements", {facts, kOff}), Verdict::pass, "");
}

TEST_CASE("link discovery: another model's name in an announcement is a question, the declared one is not") {
  auto facts = talkative();
  check(judged("cls-iot/2", kModel, "b-announced", {facts, kOff}), Verdict::pass, "");
  facts["discovery.mdns"] = json::object{
      {"services", {{{"name", "Hub._http._tcp.local"}, {"endpoint", "tcp/80"}, {"txt", json::array{"md=Cam 9"}}}}}};
  check(judged("cls-iot/2", kModel, "b-announced", {facts, kOff}), Verdict::inconclusive, "Cam 9");
}

TEST_CASE("link discovery: two units with one MAC have no identity of their own") {
  Seen seen{talkative(), kOff};
  check(judged("nist-ir-8425/1", kIdentity, "announced", seen), Verdict::inconclusive, "unit");
  seen.other_samples = {talkative()};
  check(judged("nist-ir-8425/1", kIdentity, "announced", seen), Verdict::fail, "02:00:00:00:00:01");
  seen.other_samples[0]["discovery.neighbour"] = json::object{{"mac", "02:00:00:00:00:02"}};
  check(judged("nist-ir-8425/1", kIdentity, "announced", seen), Verdict::pass, "");
}

TEST_CASE("link discovery: other hosts are shown to the person who compares them with the inventory") {
  auto facts = talkative();
  facts["discovery.others"] =
      json::array{json::object{{"address", "192.0.2.99"}, {"protocols", json::array{"mdns", "ssdp"}}}};
  check(judged("nist-ir-8425/1", "NISTIR8425@2022:AI2-inventory", "found", {facts, kOff}), Verdict::inconclusive,
        "192.0.2.99 speaks mdns, ssdp");
}

}  // namespace assay
