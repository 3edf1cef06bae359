#include <algorithm>
#include <filesystem>
#include <map>

#include "harness/judge/judge.hpp"
#include "harness/load/load.hpp"
#include "harness/plan/plan_run.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

/// The same observation under several schemes: one case of the library, the pass line of each plan, and what comes of
/// it. Facts are made up in the shape that the probes declare.
using namespace assay;

namespace {

const PlanLibrary kLibrary{std::filesystem::path{ASSAY_SOURCE_DIR} / "testplans"};

const ProbeCatalogue& catalogue() {
  static const ProbeCatalogue probes = load_fixtures::catalogue();
  return probes;
}

const char* const kSchemes[] = {"cls-iot-gateway/2",  "cls-iot/2",  "bsi-itsik/router",
                                "bsi-itsik/consumer", "en-18031/1", "uk-psti/1"};
constexpr const char* kLines[] = {"password_rule", "password_absent", "certificate_keys", "tls_suites", "tls_groups"};
constexpr const char* kDay = "2026-11-24T00:00:00Z";

/// The plan of the library, as a run would take it.
const Plan& plan_of(const std::string& id) {
  static std::map<std::string, Plan> plans;
  if (!plans.contains(id)) {
    auto loaded = load_plan(kLibrary, id, catalogue());
    INFO(id << (loaded.errors.empty() ? std::string{} : ": " + loaded.errors.front().what));
    REQUIRE(loaded.value);
    plans.emplace(id, std::move(*loaded.value));
  }
  return plans.at(id);
}

const json::object& parameters_of(const std::string& plan) {
  return plan_of(plan).parameters;
}

const Case& case_named(const std::string& id) {
  static const auto cases = load_cases(kLibrary, catalogue()).value.value_or(std::vector<Case>{});
  const auto found = std::find_if(cases.begin(), cases.end(), [&](const Case& one) { return one.id == id; });
  REQUIRE(found != cases.end());
  return *found;
}

/// The cases of a plan that judge by the same line as a case of ours: the case itself, or one that is like it. Without
/// the line in its parameters the plan does not ask.
std::vector<Case> asked(const std::string& case_id, const std::string& scheme) {
  const auto& applies = case_named(case_id).applies;
  const std::string prefix = ".run.parameters.";
  REQUIRE(applies.starts_with(prefix));
  std::vector<Case> out;
  if (!parameters_of(scheme).contains(applies.substr(prefix.size(), applies.find(' ') - prefix.size()))) {
    return out;
  }
  for (const auto& one : plan_of(scheme).cases) {
    if (one.applies == applies) {
      out.push_back(one);
    }
  }
  return out;
}

/// What is seen and on which day, and a line that stands in for the plan's where the form of lines is the subject.
struct Seen {
  json::object mechanism;
  json::object service_facts;
  json::object tls_facts = {};
  std::string date = kDay;
  json::object line = {};
};

/// One case, judged with the parameters of a scheme's plan.
CaseVerdict judged(const Case& test_case, const std::string& scheme, const Seen& seen) {
  Plan plan = plan_of(scheme);
  plan.standard = edition_of(test_case.covers);
  plan.cases = {test_case};
  Requirement requirement;
  requirement.id = test_case.covers;
  plan.requirements = {requirement};
  for (const auto& member : seen.line) {
    plan.parameters[member.key()] = member.value();
  }
  plan.needs = {};
  Dut dut;
  dut.standard = plan.method;
  Sample sample;
  sample.id = "A";
  sample.at = {{"lan", {"192.0.2.5"}}};
  dut.samples = {sample};
  dut.ixit["1-AuthMech"] = {seen.mechanism};
  PlanOptions options;
  options.date = seen.date;
  const auto run = make_run_plan(plan, dut, catalogue(), options);
  REQUIRE(run);
  std::vector<Observation> observations;
  for (const auto& step : run->steps) {
    Observation one;
    one.id = "o" + std::to_string(observations.size() + 1);
    one.invocation = {"i", step.probe, step.target, std::nullopt, step.parameters};
    one.completion = Completion::completed;
    if (step.probe == "ports") {
      one.facts = {{"ports.open", {{{"endpoint", "tcp/443"}}}}};
      observations.push_back(one);
      continue;
    }
    if (step.probe == "uniqueness") {
      one.facts = {{"uniqueness.samples", 0}};
      observations.push_back(one);
      continue;
    }
    one.invocation.endpoint = Endpoint::parse("tcp/443");
    one.facts = step.probe == "tls" ? seen.tls_facts : seen.service_facts;
    observations.push_back(one);
    if (step.probe == "tls") {
      continue;
    }
    for (const char* port : {"udp/161", "udp/5683"}) {
      one.id += "u";
      one.invocation.endpoint = Endpoint::parse(port);
      one.facts = {{"service.reachable", false}, {"service.tls", false}, {"service.starttls", false}};
      observations.push_back(one);
    }
  }
  RunFacts facts;
  facts.finished = true;
  return judge(*run, observations, facts).requirements.at(0).cases.at(0);
}

const UnitVerdict& unit_at(const CaseVerdict& verdict, const std::string& id) {
  const auto found = std::find_if(verdict.units.begin(), verdict.units.end(),
                                  [&](const auto& unit) { return unit.id == verdict.id + "/" + id; });
  REQUIRE(found != verdict.units.end());
  return *found;
}

json::object tls_session(const std::string& key, const std::string& suite) {
  return {{"service.reachable", true},   {"service.tls", true},
          {"service.starttls", false},   {"service.tls_version", "TLSv1.3"},
          {"service.tls_cipher", suite}, {"service.certificate", {{"public_key", key}}}};
}

json::object password(std::int64_t length, bool may_be_absent) {
  return {{"id", "AM-1"},
          {"kind", "password"},
          {"preinstalled", true},
          {"per_device", true},
          {"password_length", length},
          {"password_classes", 3},
          {"may_be_absent", may_be_absent}};
}

struct Expected {
  Verdict verdict = Verdict::not_tested;
  bool proposed = false;
  std::string words;  // part of why
};

using Table = std::map<std::string, Expected>;

/// The unit under each scheme; a scheme that has no row does not ask.
void check(const std::string& case_id, const std::string& unit, const Seen& seen, const Table& table) {
  for (const std::string scheme : kSchemes) {
    INFO(case_id << " under " << scheme << " on " << seen.date);
    const auto cases = asked(case_id, scheme);
    const auto row = table.find(scheme);
    CHECK(cases.empty() == (row == table.end()));
    if (row == table.end()) {
      continue;
    }
    for (const auto& test_case : cases) {
      INFO(test_case.id);
      const auto verdict = judged(test_case, scheme, seen);
      const auto& one = unit_at(verdict, unit);
      INFO(one.because);
      CHECK(one.verdict == row->second.verdict);
      CHECK(one.pass_proposed == row->second.proposed);
      CHECK(one.because.find(row->second.words) != std::string::npos);
    }
  }
}

/// What the probe tls tells of a server of today that agrees on keys in these groups.
json::object tls_survey(const std::vector<std::string>& groups) {
  json::array named;
  for (const auto& group : groups) {
    named.push_back({{"version", "TLSv1.3"}, {"code", "0x0000"}, {"name", group}});
  }
  return {{"tls.spoken", true},
          {"tls.versions", {"TLSv1.3"}},
          {"tls.suites", json::array{{{"version", "TLSv1.3"}, {"code", "0x1301"}, {"name", "TLS_AES_128_GCM_SHA256"}}}},
          {"tls.unsettled", json::array{}},
          {"tls.groups", named},
          {"tls.groups_settled", true},
          {"tls.signatures", json::array{}},
          {"tls.dh", json::array{}},
          {"tls.certificates", json::array{}},
          {"tls.behaviour", json::object{}},
          {"tls.weaknesses", json::array{}}};
}

Seen session(const std::string& key, const std::string& suite, const std::string& date = kDay) {
  return {password(16, false), tls_session(key, suite), tls_survey({"secp256r1"}), date, {}};
}

/// Names in a list of accepted suites or groups.
bool lists(const json::object& line, const std::string& name) {
  const auto& accepted = line.at("accepted").as_array();
  return std::any_of(accepted.begin(), accepted.end(), [&](const json::value& one) {
    return (one.is_object() ? one.as_object().at("name") : one) == json::value(name);
  });
}

const Expected kClean{Verdict::not_tested, false, "nothing contradicts it"};
const Expected kPass{Verdict::pass, false, ""};
const Expected kProposed{Verdict::not_tested, true, "PASS proposed"};

}  // namespace

TEST_CASE("pass lines: a certificate with RSA 2048 misses the German list only") {
  const Expected fail{Verdict::fail, false, "a key of 2048 bits"};
  check("ASSAY@1:certificate-keys", "length/tcp/443", session("RSA 2048", "TLS_AES_128_GCM_SHA256"),
        {{"cls-iot-gateway/2", kPass},
         {"cls-iot/2", kPass},
         {"bsi-itsik/router", fail},
         {"bsi-itsik/consumer", fail},
         {"en-18031/1", kPass}});
}

TEST_CASE("pass lines: keys that every list takes, and that none does") {
  const auto everywhere = [](const Expected& expected) {
    return Table{{"cls-iot-gateway/2", expected},
                 {"cls-iot/2", expected},
                 {"bsi-itsik/router", expected},
                 {"bsi-itsik/consumer", expected},
                 {"en-18031/1", expected}};
  };
  for (const auto* key : {"RSA 3072", "EC prime256v1", "EC brainpoolP256r1"}) {
    INFO(key);
    check("ASSAY@1:certificate-keys", "length/tcp/443", session(key, "TLS_AES_128_GCM_SHA256"), everywhere(kPass));
  }
  check("ASSAY@1:certificate-keys", "length/tcp/443", session("RSA 1024", "TLS_AES_128_GCM_SHA256"),
        everywhere({Verdict::fail, false, "1024"}));
  check("ASSAY@1:certificate-keys", "length/tcp/443", session("ED25519 253", "TLS_AES_128_GCM_SHA256"),
        everywhere({Verdict::inconclusive, false, "an assessor has to decide"}));
}

TEST_CASE("pass lines: a curve of 224 bits misses the German list only") {
  const Expected fail{Verdict::fail, false, "a key of 224 bits"};
  check("ASSAY@1:certificate-keys", "length/tcp/443", session("EC secp224r1", "TLS_AES_128_GCM_SHA256"),
        {{"cls-iot-gateway/2", kPass},
         {"cls-iot/2", kPass},
         {"bsi-itsik/router", fail},
         {"bsi-itsik/consumer", fail},
         {"en-18031/1", kPass}});
}

TEST_CASE("pass lines: ChaCha20-Poly1305 is a person's decision in Singapore and off the German list") {
  const Expected assessor{Verdict::inconclusive, false, "an assessor has to decide"};
  const Expected caution{Verdict::inconclusive, false, "not on the plan's closed list: not recommended"};
  for (const auto* suite : {"TLS_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"}) {
    INFO(suite);
    check("ASSAY@1:tls-suites", "session", session("RSA 3072", suite),
          {{"cls-iot-gateway/2", assessor},
           {"cls-iot/2", assessor},
           {"bsi-itsik/router", caution},
           {"bsi-itsik/consumer", caution}});
  }
  check("ASSAY@1:tls-suites", "session", session("RSA 3072", "TLS_AES_128_GCM_SHA256"),
        {{"cls-iot-gateway/2", kClean},
         {"cls-iot/2", kClean},
         {"bsi-itsik/router", kClean},
         {"bsi-itsik/consumer", kClean}});
}

TEST_CASE("pass lines: X25519 is on no list of a plan that has one, and a person decides") {
  for (const std::string scheme : kSchemes) {
    INFO(scheme);
    const bool german = scheme.starts_with("bsi-itsik/");
    if (!german && !scheme.starts_with("cls-iot")) {
      CHECK(asked("ASSAY@1:tls-groups", scheme).empty());
      continue;
    }
    const auto& line = parameters_of(scheme).at("tls_groups").as_object();
    CHECK_FALSE(lists(line, "x25519"));
    CHECK(lists(line, "secp256r1"));
    const auto cases = asked("ASSAY@1:tls-groups", scheme);
    REQUIRE_FALSE(cases.empty());
    for (const auto& test_case : cases) {
      auto seen = session("RSA 3072", "TLS_AES_128_GCM_SHA256");
      CHECK(unit_at(judged(test_case, scheme, seen), "offer").verdict == Verdict::pass);
      seen.tls_facts = tls_survey({"x25519", "secp256r1"});
      const auto verdict = judged(test_case, scheme, seen);
      const auto& open = unit_at(verdict, "offer");
      INFO(open.because);
      CHECK(open.verdict == Verdict::inconclusive);
      CHECK(open.because.find(german ? "BSI TR-02102-2 2025-01" : "NIST SP 800-52 Rev. 2") != std::string::npos);
      seen.tls_facts = tls_survey({"secp192r1"});
      CHECK(unit_at(judged(test_case, scheme, seen), "offer").verdict == Verdict::fail);
    }
  }
}

TEST_CASE("pass lines: a suite is on the German list through the year that the list gives, and not after it") {
  const std::string suite = "DHE-RSA-AES128-GCM-SHA256";
  for (const auto* day : {"2026-11-24T00:00:00Z", "2029-01-01T00:00:00Z", "2029-12-31T23:59:59Z"}) {
    check("ASSAY@1:tls-suites", "session", session("RSA 3072", suite, day),
          {{"cls-iot-gateway/2", kClean},
           {"cls-iot/2", kClean},
           {"bsi-itsik/router", kClean},
           {"bsi-itsik/consumer", kClean}});
  }
  const Expected late{Verdict::inconclusive, false, "until the end of 2029 only: not recommended"};
  check(
      "ASSAY@1:tls-suites", "session", session("RSA 3072", suite, "2030-01-01T00:00:00Z"),
      {{"cls-iot-gateway/2", kClean}, {"cls-iot/2", kClean}, {"bsi-itsik/router", late}, {"bsi-itsik/consumer", late}});
}

TEST_CASE("pass lines: both German plans have one list, and only routers leave out suites with shared keys") {
  const auto& consumer = parameters_of("bsi-itsik/consumer");
  const auto& router = parameters_of("bsi-itsik/router");
  CHECK(router.at("certificate_keys") == consumer.at("certificate_keys"));
  CHECK(router.at("tls_groups") == consumer.at("tls_groups"));
  json::array without_psk;
  for (const auto& one : consumer.at("tls_suites").at("accepted").as_array()) {
    const auto& name = one.is_object() ? one.at("name") : one;
    if (name.as_string().find("PSK") == json::string::npos) {
      without_psk.push_back(one);
    }
  }
  CHECK(router.at("tls_suites").at("accepted") == without_psk);
}

TEST_CASE("pass lines: what follows the year is what the plan says of unlisted suites") {
  const auto under = [](const char* unlisted, const char* day) {
    auto seen = session("RSA 3072", "DHE-RSA-AES128-GCM-SHA256", day);
    seen.line = {{"tls_suites",
                  {{"accepted", {"TLS_AES_128_GCM_SHA256", {{"name", "DHE-RSA-AES128-GCM-SHA256"}, {"until", 2027}}}},
                   {"unlisted", unlisted}}}};
    return unit_at(judged(case_named("ASSAY@1:tls-suites"), "cls-iot/2", seen), "session");
  };
  for (const auto* unlisted : {"fail", "caution", "assessor"}) {
    INFO(unlisted);
    CHECK(under(unlisted, "2027-12-31T00:00:00Z").verdict == Verdict::not_tested);
  }
  CHECK(under("fail", "2028-01-01T00:00:00Z").verdict == Verdict::fail);
  CHECK(under("caution", "2028-01-01T00:00:00Z").verdict == Verdict::inconclusive);
  CHECK(under("assessor", "2028-01-01T00:00:00Z").verdict == Verdict::inconclusive);
  CHECK(under("assessor", "2028-01-01T00:00:00Z").because.find("2027 only: an assessor") != std::string::npos);
}

TEST_CASE("pass lines: a listed suite with a condition stays open, and one without protection fails") {
  const auto consumer = [](const char* suite, const char* day = kDay) {
    const auto cases = asked("ASSAY@1:tls-suites", "bsi-itsik/consumer");
    REQUIRE(cases.size() == 1);
    return unit_at(judged(cases.front(), "bsi-itsik/consumer", session("RSA 3072", suite, day)), "session");
  };
  for (const auto* suite : {"ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES256-SHA256"}) {
    INFO(suite);
    CHECK(consumer(suite).verdict == Verdict::inconclusive);
    CHECK(consumer(suite).because.find("provided that encrypt-then-MAC") != std::string::npos);
  }
  CHECK(consumer("DHE-RSA-AES256-SHA256", "2030-01-01T00:00:00Z").because.find("2029 only") != std::string::npos);
  for (const auto* suite : {"ADH-AES128-GCM-SHA256", "AECDH-AES128-SHA", "NULL-SHA256", "ECDHE-RSA-NULL-SHA",
                            "ECDHE-RSA-DES-CBC3-SHA", "RC4-MD5"}) {
    INFO(suite);
    CHECK(consumer(suite).verdict == Verdict::fail);
    CHECK(consumer(suite).because.find("counts as broken") != std::string::npos);
  }
  // Off the list, and no reason to call it broken.
  CHECK(consumer("AES128-GCM-SHA256").verdict == Verdict::inconclusive);
}

TEST_CASE("pass lines: TLS below 1.2 fails by itself under the German label for consumer devices") {
  const auto best = [](const char* version) {
    auto seen = session("RSA 3072", "ECDHE-RSA-AES128-SHA");
    seen.service_facts["service.tls_version"] = version;
    const auto& cases = plan_of("bsi-itsik/consumer").cases;
    const auto found =
        std::find_if(cases.begin(), cases.end(), [](const Case& one) { return one.id == "TR03173@1.0:5.5-1-broken"; });
    REQUIRE(found != cases.end());
    return unit_at(judged(*found, "bsi-itsik/consumer", seen), "best/tcp/443").verdict;
  };
  for (const auto* version : {"SSLv3", "TLSv1", "TLSv1.1"}) {
    INFO(version);
    CHECK(best(version) == Verdict::fail);
  }
  CHECK(best("TLSv1.2") == Verdict::not_tested);
  CHECK(best("TLSv1.3") == Verdict::not_tested);
}

TEST_CASE("pass lines: a factory password of nine characters is too short for Singapore's gateways only") {
  check("ASSAY@1:default-password", "form", {password(9, false), {}},
        {{"cls-iot-gateway/2", {Verdict::fail, false, "has 9 characters"}},
         {"bsi-itsik/router", kProposed},
         {"en-18031/1", kProposed}});
  check("ASSAY@1:default-password", "form", {password(7, false), {}},
        {{"cls-iot-gateway/2", {Verdict::fail, false, "has 7 characters"}},
         {"bsi-itsik/router", {Verdict::fail, false, "has 7 characters"}},
         {"en-18031/1", kProposed}});
}

TEST_CASE("pass lines: a form that is not declared stays open where the plan has a line for it") {
  auto mechanism = password(9, false);
  mechanism.erase("password_length");
  const Expected open{Verdict::inconclusive, false, "password_length"};
  check("ASSAY@1:default-password", "form", {mechanism, {}},
        {{"cls-iot-gateway/2", open}, {"bsi-itsik/router", open}, {"en-18031/1", kProposed}});
}

TEST_CASE("pass lines: a device that works without a password loses a presumption in Europe and fails in Singapore") {
  const Expected fail{Verdict::fail, false, "works although no value was set"};
  check("ASSAY@1:no-password", "allowed", {password(16, true), {}},
        {{"cls-iot-gateway/2", fail},
         {"cls-iot/2", fail},
         {"bsi-itsik/router", fail},
         {"en-18031/1", {Verdict::inconclusive, false, "presumption_lost"}}});
  check("ASSAY@1:no-password", "allowed", {password(16, false), {}},
        {{"cls-iot-gateway/2", kProposed},
         {"cls-iot/2", kProposed},
         {"bsi-itsik/router", kProposed},
         {"en-18031/1", kProposed}});
}

TEST_CASE("pass lines: in Europe the lost presumption is a flag of its own and touches no mechanism") {
  for (const std::string part : {"en-18031/1", "en-18031/2", "en-18031/3"}) {
    INFO(part);
    const auto cases = asked("ASSAY@1:no-password", part);
    REQUIRE(cases.size() == 1);
    CHECK(cases.front().covers == "EN18031@2024:citation-passwords");
    for (const auto& requirement : plan_of(part).requirements) {
      if (requirement.id.find(":AUM-5") != std::string::npos) {
        INFO(requirement.id);
        CHECK_FALSE(is_evidence_for(cases.front(), requirement));
        CHECK(requirement.evidence_from.empty());
      }
    }
  }
}

TEST_CASE("pass lines: the plans of the library set those that the tests read from them") {
  CHECK(parameters_of("cls-iot-gateway/2").at("password_rule").at("minimum_length") == 10);
  CHECK(parameters_of("cls-iot/2").at("certificate_keys").at("rsa_bits") == 2048);
  CHECK(parameters_of("cls-iot/2").at("password_absent") == "fail");
  CHECK_FALSE(parameters_of("cls-iot/2").contains("password_rule"));
  CHECK_FALSE(parameters_of("bsi-itsik/consumer").contains("password_rule"));
  CHECK_FALSE(parameters_of("bsi-itsik/consumer").contains("password_absent"));
  CHECK(parameters_of("bsi-itsik/consumer").at("certificate_keys").at("ec_bits") == 250);
  for (const auto* line : {"certificate_keys", "password_rule", "password_absent"}) {
    CHECK(parameters_of("en-18031/2").at(line) == parameters_of("en-18031/1").at(line));
    CHECK(parameters_of("en-18031/3").at(line) == parameters_of("en-18031/1").at(line));
  }
  for (const auto* line : kLines) {
    CHECK_FALSE(parameters_of("uk-psti/1").contains(line));
  }
}
