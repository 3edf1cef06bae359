#include "harness/expr/expr.hpp"
#include "harness/model/policy.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace assay;

json::array named(std::initializer_list<const char*> names) {
  json::array out;
  for (const auto* name : names) {
    out.push_back(json::object{{"version", "TLSv1.2"}, {"name", name}});
  }
  return out;
}

/// A TLS server that a policy finds nothing against.
json::object sound(const std::string& endpoint = "tcp/443") {
  return {{"id", "o-" + endpoint},
          {"endpoint", endpoint},
          {"sample", "A"},
          {"vantage", "lan"},
          {"completion", "completed"},
          {"error", ""},
          {"facts", json::object{{"tls.spoken", true},
                                 {"tls.versions", json::array{"TLSv1.2"}},
                                 {"tls.suites", named({"good"})},
                                 {"tls.unsettled", json::array{}},
                                 {"tls.groups", named({"good"})},
                                 {"tls.groups_settled", true},
                                 {"tls.signatures", named({"good"})},
                                 {"tls.dh", json::array{}},
                                 {"tls.behaviour", json::object{}},
                                 {"tls.weaknesses", json::array{}}}},
          {"absent", json::array{"tls.certificates"}},
          {"unobserved", json::object{}},
          {"coverage", json::object{}},
          {"evidence", json::object{{"tls.suites", json::array{"aa"}}, {"tls.certificates", json::array{"bb"}}}}};
}

void not_absent(json::object& observation, const char* fact) {
  auto& absent = observation["absent"].as_array();
  absent.erase(std::remove(absent.begin(), absent.end(), json::value(fact)), absent.end());
}

json::object with(json::object observation, const char* fact, json::value value) {
  observation["facts"].as_object()[fact] = std::move(value);
  not_absent(observation, fact);
  return observation;
}

/// As a probe leaves a fact that it could not tell.
json::object without(json::object observation, const char* fact) {
  observation["facts"].as_object().erase(fact);
  not_absent(observation, fact);
  observation["unobserved"] = json::object{{fact, "not asked"}};
  return observation;
}

json::object showing(const char* signature, bool self_signed, const char* until = "2030-01-01T00:00:00Z") {
  json::array chain{json::object{{"signature", signature},
                                 {"self_signed", self_signed},
                                 {"key_type", "RSA"},
                                 {"key_bits", 2048},
                                 {"public_key", "RSA 2048"},
                                 {"not_before", "2026-01-01T00:00:00Z"},
                                 {"not_after", until}}};
  json::array chains;
  chains.push_back(std::move(chain));
  return with(sound(), "tls.certificates", std::move(chains));
}

Policy policy(Unlisted unlisted) {
  Policy out{"p", "tls", "T", "2", "2025-01", "S", "reasoned", unlisted, {}};
  out.lists["suite"] = {{"good", Grade::recommended, 0, 0, ""},
                        {"bad", Grade::forbidden, 0, 0, "N"},
                        {"cbc", Grade::recommended, 0, 0, "", "encrypt_then_mac"}};
  out.lists["signature"] = {{"good", Grade::recommended, 0, 0, ""}, {"rsa_pkcs1_sha1", Grade::forbidden, 0, 0, "old"}};
  out.lists["key_size"] = {{"rsa", Grade::allowed, 0, 2048, ""}};
  return out;
}

Evaluated judge_by(const Policy& by, const char* function, json::array observations) {
  json::array facts{"tls.certificates"};
  const auto server = sound();
  for (const auto& fact : server.at("facts").as_object()) {
    facts.push_back(json::string{fact.key()});
  }
  const json::object document{{"run", json::object{{"date", "2026-11-26T00:00:00Z"}}},
                              {"dut", json::object{{"samples", json::array{json::object{{"id", "A"}}}}}},
                              {"policies", json::array{to_json(by)}},
                              {"obs", json::object{{"tls", std::move(observations)}}},
                              {"specs", json::object{{"tls", std::move(facts)}}}};
  const Evaluation evaluation{std::string{"obs(\"tls\") | "} + function, "c.yaml:1:1", document, nullptr};
  auto out = evaluate({&evaluation, 1}).front();
  CHECK(out.error == "");
  return out;
}

Evaluated judge(const char* function, json::array observations, Unlisted unlisted = Unlisted::doubt) {
  return judge_by(policy(unlisted), function, std::move(observations));
}

std::vector<std::string> what(const Evaluated& evaluated) {
  std::vector<std::string> out;
  for (const auto& item : evaluated.items) {
    out.emplace_back(std::string_view{item.at("what").as_string()});
  }
  return out;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("expr: a sound TLS server has neither findings nor doubts") {
  for (const auto* function : {"tls_ruled_out", "tls_weak", "tls_doubts"}) {
    INFO(function);
    CHECK(what(judge(function, {sound()})) == Lines{});
    CHECK(judge(function, {sound()}).missing == Lines{});
  }
}

TEST_CASE("expr: what was not observed on one TLS server hides nothing of the others") {
  const auto bad = with(sound("tcp/8443"), "tls.suites", named({"bad"}));
  for (const auto* fact : {"tls.spoken", "tls.suites", "tls.certificates", "tls.dh", "tls.weaknesses"}) {
    INFO(fact);
    const auto found = judge("tls_ruled_out", {without(sound(), fact), bad});
    CHECK(what(found) == Lines{"tcp/8443 takes bad: forbidden (N)"});
    const auto open = judge("tls_ruled_out, tls_weak, tls_doubts", {without(sound(), fact)});
    REQUIRE_FALSE(open.missing.empty());
    CHECK(open.missing.front().find(std::string{fact} + " on tcp/443 (not asked)") != std::string::npos);
  }
}

TEST_CASE("expr: a service that was not told hides no TLS endpoint of the others") {
  const auto service = [](const char* endpoint, json::object facts, json::object unobserved) {
    json::object out = sound(endpoint);
    out["facts"] = std::move(facts);
    out["absent"] = json::array{};
    out["unobserved"] = std::move(unobserved);
    return out;
  };
  const json::object document{
      {"run", json::object{{"date", "2026-11-26T00:00:00Z"}}},
      {"dut", json::object{{"samples", json::array{json::object{{"id", "A"}}}}}},
      {"obs",
       json::object{
           {"services",
            json::array{service("tcp/21",
                                {{"service.reachable", true}, {"service.tls", false}, {"service.starttls", true}}, {}),
                        service("tcp/2024", {{"service.reachable", true}, {"service.starttls", false}},
                                {{"service.tls", "nothing answered"}}),
                        service("tcp/443", {{"service.reachable", true}, {"service.tls", true}}, {}),
                        service("udp/5684", {}, {{"service.reachable", "silence"}})}}}},
      {"specs", json::object{{"services", json::array{"service.reachable", "service.tls", "service.starttls"}}}}};
  const Evaluation evaluation{"obs(\"services\") | tls_endpoints", "c.yaml:1:1", document, nullptr};
  const auto out = evaluate({&evaluation, 1}).front();
  CHECK(out.error == "");
  CHECK(canonical(json::array(out.items.begin(), out.items.end())) == R"(["tcp/21","tcp/443"])");
  CHECK(out.missing.size() == 2);
}

TEST_CASE("expr: a policy that is silent on what it does not list only adds to others") {
  const auto server = with(sound(), "tls.suites", named({"new", "bad"}));
  CHECK(what(judge("tls_ruled_out", {server}, Unlisted::silent)) == Lines{"tcp/443 takes bad: forbidden (N)"});
  CHECK(what(judge("tls_doubts", {server}, Unlisted::silent)) == Lines{});
  CHECK(what(judge("tls_doubts", {server})).size() == 1);
  CHECK(what(judge("tls_ruled_out", {server}, Unlisted::forbidden)).size() == 2);
}

TEST_CASE("expr: a suite that is listed with a condition is a doubt until the server is seen to meet it") {
  const auto server = with(sound(), "tls.suites", named({"cbc"}));
  const std::string words = "tcp/443 takes cbc, which T 2 of 2025-01 lists only with encrypt-then-mac: ";
  CHECK(what(judge("tls_doubts", {server})) == Lines{words + "not asked"});
  CHECK(judge("tls_doubts", {without(server, "tls.behaviour")}).missing.size() == 1);
  const auto looked = [&](json::value yes) {
    return with(server, "tls.behaviour",
                json::object{{"encrypt_then_mac", json::object{{"yes", std::move(yes)}, {"why", "it was left out"}}}});
  };
  CHECK(what(judge("tls_doubts", {looked(true)})) == Lines{});
  CHECK(what(judge("tls_doubts", {looked(false)})) == Lines{words + "it was left out"});
  CHECK(what(judge("tls_doubts", {looked(nullptr)})) == Lines{words + "it was left out"});
}

TEST_CASE("expr: a certificate is judged by the signature of another key and by its dates") {
  const auto old = judge("tls_ruled_out", {showing("sha1WithRSAEncryption", false)});
  CHECK(what(old) == Lines{"tcp/443 shows a certificate signed with rsa_pkcs1_sha1: forbidden (old)"});
  CHECK(canonical(old.items[0].at("evidence")) == "[\"bb\"]");
  CHECK(what(judge("tls_ruled_out", {showing("sha1WithRSAEncryption", true)})) == Lines{});
  CHECK(what(judge("tls_ruled_out", {showing("sha256WithRSAEncryption", false)})) == Lines{});
  CHECK(what(judge("tls_doubts", {showing("sha256WithRSAEncryption", false)})) == Lines{});
  CHECK(what(judge("tls_doubts", {showing("sha256WithRSAEncryption", false, "2026-11-25T23:59:59Z")})) ==
        Lines{"The certificate of tcp/443 ran out on 2026-11-25T23:59:59Z, by the clock of the run: an assessor has to "
              "decide"});
}

TEST_CASE("expr: what unconfirmed lists rule out is a doubt that names the row, and no finding") {
  auto unsure = policy(Unlisted::forbidden);
  unsure.strength = "unconfirmed";
  unsure.lists["suite"].push_back({"psk_*", Grade::forbidden, 0, 0, "keys"});
  const auto server = with(sound(), "tls.suites", named({"good", "psk_1", "psk_2", "new"}));
  CHECK(what(judge_by(unsure, "tls_ruled_out", {server})) == Lines{});
  const auto doubts = judge_by(unsure, "tls_doubts", {server});
  CHECK(what(doubts) ==
        Lines{"tcp/443 takes psk_1 and psk_2: forbidden (keys) by the row psk_* of T 2 of 2025-01, whose "
              "confidence is unconfirmed: an assessor has to decide",
              "tcp/443 takes new: not listed by the lists of T 2 of 2025-01, whose confidence is "
              "unconfirmed: an assessor has to decide"});
  CHECK(canonical(doubts.items[0].at("evidence")) == R"(["aa"])");
  CHECK(what(judge_by(unsure, "tls_doubts", {sound()})) == Lines{});
}

TEST_CASE("expr: a row has a confidence of its own, and what its confirmed neighbours rule out is a finding") {
  auto mixed = policy(Unlisted::doubt);
  mixed.lists["suite"].push_back({"psk_*", Grade::forbidden, 0, 0, "keys", "", "unconfirmed"});
  const auto server = with(sound(), "tls.suites", named({"bad", "psk_1"}));
  CHECK(what(judge_by(mixed, "tls_ruled_out", {server})) == Lines{"tcp/443 takes bad: forbidden (N)"});
  CHECK(what(judge_by(mixed, "tls_doubts", {server})) ==
        Lines{"tcp/443 takes psk_1: forbidden (keys) by the row psk_* of T 2 of 2025-01, whose confidence is "
              "unconfirmed: an assessor has to decide"});
  mixed.strength = "unconfirmed";  // and the other way round: one row of an unconfirmed file that was read
  mixed.lists["suite"][1].strength = "sourced";
  mixed.lists["suite"].back().strength = "";
  CHECK(what(judge_by(mixed, "tls_ruled_out", {server})) == Lines{"tcp/443 takes bad: forbidden (N)"});
  CHECK(what(judge_by(mixed, "tls_doubts", {server})).size() == 1);
}

TEST_CASE(
    "expr: a key that only an unconfirmed row calls short is a doubt, and the confirmed line is what is asked for") {
  auto unsure = policy(Unlisted::doubt);
  unsure.lists["key_size"] = {{"rsa", Grade::allowed, 0, 3072, "", "", "unconfirmed"}};
  const auto server = showing("sha256WithRSAEncryption", false);
  CHECK(what(judge_by(unsure, "tls_ruled_out", {server})) == Lines{});
  CHECK(what(judge_by(unsure, "tls_doubts", {server})) ==
        Lines{"tcp/443 shows a certificate with a key of RSA 2048, and 3072 are asked for by the row rsa of T 2 of "
              "2025-01, whose confidence is unconfirmed: an assessor has to decide"});
  unsure.lists["key_size"].push_back({"rsa", Grade::recommended, 0, 4096, ""});
  CHECK(what(judge_by(unsure, "tls_ruled_out", {server})) ==
        Lines{"tcp/443 shows a certificate with a key of RSA 2048, and 4096 are asked for"});
  CHECK(what(judge_by(unsure, "tls_doubts", {server})) == Lines{});
}
