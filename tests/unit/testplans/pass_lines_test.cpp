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
constexpr const char* kLines[] = {"password_rule", "password_absent", "certificate_keys"};
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

/// The plan without what it asks for: a copy of the whole takes longer than the judgement of a case.
const Plan& lines_of(const std::string& id) {
  static std::map<std::string, Plan> plans;
  if (!plans.contains(id)) {
    auto plan = plan_of(id);
    plan.cases = {};
    plan.requirements = {};
    plan.needs = {};
    plans.emplace(id, std::move(plan));
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
  Plan plan = lines_of(scheme);
  plan.standard = edition_of(test_case.covers);
  plan.cases = {test_case};
  Requirement requirement;
  requirement.id = test_case.covers;
  plan.requirements = {requirement};
  for (const auto& member : seen.line) {
    plan.parameters[member.key()] = member.value();
  }
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
    const bool attacks = step.probe == "tls_attacks";
    one.facts = step.probe == "tls" ? seen.tls_facts : seen.service_facts;
    if (attacks) {
      one.facts = {{"tls_attacks.spoken", true}, {"tls_attacks.weaknesses", json::array{}}};
    }
    observations.push_back(one);
    if (attacks || step.probe == "tls") {
      continue;
    }
    for (const char* port : {"udp/161", "udp/5683", "udp/5684"}) {
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

/// What the probe tls tells of a server that takes one suite, agrees on keys in these groups and shows one certificate.
json::object tls_survey(const std::vector<std::string>& groups, const std::string& suite = "TLS_AES_128_GCM_SHA256") {
  json::array named;
  for (const auto& group : groups) {
    named.push_back({{"version", "TLSv1.3"}, {"code", "0x0000"}, {"name", group}});
  }
  return {{"tls.spoken", true},
          {"tls.versions", {"TLSv1.3"}},
          {"tls.suites", json::array{{{"version", "TLSv1.3"}, {"code", "0x1301"}, {"name", suite}}}},
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

/// The unit that holds what a service takes against the plan's policies, for a plan.
UnitVerdict offered(const std::string& scheme, const json::object& survey, const std::string& date = kDay) {
  Seen seen = session("RSA 3072", "TLS_AES_128_GCM_SHA256", date);
  seen.tls_facts = survey;
  const bool router = scheme == "bsi-itsik/router";
  const auto& test_case = case_named(router ? "TR03148P@1.2:D.3-suites" : "TS103701@1.1.1:5.5-1-2");
  return unit_at(judged(test_case, scheme, seen), router ? "offer" : "a-tls");
}

json::object with_suite(const std::string& suite) {
  return tls_survey({"secp256r1"}, suite);
}

const char* const kSingapore[] = {"cls-iot-gateway/2", "cls-iot/2"};
const char* const kGerman[] = {"bsi-itsik/router", "bsi-itsik/consumer"};

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

TEST_CASE("pass lines: a suite or a group that the plan's catalogue does not list is a person's decision") {
  const auto open = [](const char* scheme, const json::object& survey, const char* catalogue) {
    INFO(scheme);
    const auto found = offered(scheme, survey);
    INFO(found.because);
    CHECK(found.verdict == Verdict::inconclusive);
    CHECK(found.because.find(std::string{catalogue} + " does not list now: an assessor has to decide") !=
          std::string::npos);
  };
  for (const auto& survey :
       {with_suite("TLS_CHACHA20_POLY1305_SHA256"), with_suite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        tls_survey({"x25519", "secp256r1"})}) {
    for (const auto* scheme : kSingapore) {
      open(scheme, survey, "NIST SP 800-52 Rev. 2 of 2019-08");
    }
    for (const auto* scheme : kGerman) {
      open(scheme, survey, "BSI TR-02102-2 2025-01 of 2025-01-21");
    }
  }
}

TEST_CASE("pass lines: what every catalogue lists passes, and what is broken fails under each plan") {
  for (const auto* schemes : {kSingapore, kGerman}) {
    for (const auto* scheme : {schemes[0], schemes[1]}) {
      INFO(scheme);
      CHECK(offered(scheme, tls_survey({"secp256r1"})).verdict == Verdict::pass);
      CHECK(offered(scheme, tls_survey({"secp192r1"})).verdict == Verdict::fail);
      for (const auto* suite :
           {"TLS_DH_anon_WITH_AES_128_GCM_SHA256", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_NULL_SHA256",
            "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_RC4_128_MD5", "TLS_RSA_EXPORT_WITH_RC4_40_MD5"}) {
        INFO(suite);
        CHECK(offered(scheme, with_suite(suite)).verdict == Verdict::fail);
      }
    }
  }
}

TEST_CASE("pass lines: a suite is on the German list through the year that the list gives, and not after it") {
  const auto survey = with_suite("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
  for (const auto* day : {"2026-11-24T00:00:00Z", "2029-01-01T00:00:00Z", "2029-12-31T23:59:59Z"}) {
    for (const auto* scheme : {"cls-iot/2", "bsi-itsik/router", "bsi-itsik/consumer"}) {
      CHECK(offered(scheme, survey, day).verdict == Verdict::pass);
    }
  }
  CHECK(offered("cls-iot/2", survey, "2030-01-01T00:00:00Z").verdict == Verdict::pass);
  for (const auto* scheme : kGerman) {
    CHECK(offered(scheme, survey, "2030-01-01T00:00:00Z").verdict == Verdict::inconclusive);
  }
}

TEST_CASE("pass lines: a suite with shared keys is a doubt for routers, by a row that was read in a summary") {
  const auto survey = with_suite("TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256");
  CHECK(offered("bsi-itsik/consumer", survey).verdict == Verdict::pass);
  const auto router = offered("bsi-itsik/router", survey);
  CHECK(router.verdict == Verdict::inconclusive);  // the row was read in a summary
  CHECK(router.because.find("BSI TR-03148-P") != std::string::npos);
  CHECK(router.findings.empty());
}

TEST_CASE("pass lines: a suite that is listed with encrypt-then-MAC alone is open where the server does not do so") {
  for (const auto* suite : {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"}) {
    INFO(suite);
    auto survey = with_suite(suite);
    for (const auto* scheme : kGerman) {
      const auto unknown = offered(scheme, survey);
      CHECK(unknown.verdict == Verdict::inconclusive);
      CHECK(unknown.because.find("lists only with encrypt-then-mac: not asked") != std::string::npos);
    }
    const auto looked = [&](bool yes) {
      survey["tls.behaviour"] = {{"encrypt_then_mac", {{"yes", yes}, {"why", "the extension was left out"}}}};
      return offered("bsi-itsik/consumer", survey);
    };
    CHECK(looked(true).verdict == Verdict::pass);
    CHECK(looked(false).verdict == Verdict::inconclusive);
    CHECK(looked(false).because.find("only with encrypt-then-mac: the extension was left out") != std::string::npos);
  }
}

TEST_CASE("pass lines: a certificate signed over SHA-1 by another key fails, one that ran out is a person's decision") {
  const auto showing = [](bool self_signed, const char* signature, const char* until) {
    auto survey = tls_survey({"secp256r1"});
    json::array chain{json::object{{"self_signed", self_signed},
                                   {"signature", signature},
                                   {"key_type", "EC"},
                                   {"key_bits", 256},
                                   {"not_before", "2020-01-01T00:00:00Z"},
                                   {"not_after", until}}};
    json::array chains;
    chains.push_back(std::move(chain));
    survey["tls.certificates"] = std::move(chains);
    return offered("cls-iot/2", survey);
  };
  CHECK(showing(false, "sha256WithRSAEncryption", "2030-01-01T00:00:00Z").verdict == Verdict::pass);
  CHECK(showing(true, "sha1WithRSAEncryption", "2030-01-01T00:00:00Z").verdict == Verdict::pass);
  const auto old = showing(false, "sha1WithRSAEncryption", "2030-01-01T00:00:00Z");
  CHECK(old.verdict == Verdict::fail);
  REQUIRE_FALSE(old.findings.empty());
  CHECK(old.findings[0].what.find("shows a certificate signed with rsa_pkcs1_sha1") != std::string::npos);
  const auto out = showing(false, "sha256WithRSAEncryption", "2026-11-23T23:59:59Z");
  CHECK(out.verdict == Verdict::inconclusive);
  CHECK(out.because.find("ran out on 2026-11-23T23:59:59Z") != std::string::npos);
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
