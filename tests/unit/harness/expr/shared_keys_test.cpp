#include "harness/expr/expr.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace assay;

using Lines = std::vector<std::string>;

json::array chain(const char* key, const char* certificate) {
  const json::object leaf{{"key_sha256", key}, {"sha256", certificate}, {"public_key", "EC prime256v1"}};
  const json::object root{{"key_sha256", "of the maker"}, {"sha256", "root"}, {"public_key", "EC prime256v1"}};
  return {leaf, root};
}

json::object group(const char* digest, const char* known) {
  return {{"sha256", digest}, {"known", known}, {"bits", 2048}};
}

/// One chain, or an empty one for none: compilers differ on what an array of one array in braces is.
json::object server(const char* sample, const char* endpoint, json::array chain, json::array groups = {}) {
  json::array chains;
  if (!chain.empty()) {
    chains.push_back(std::move(chain));
  }
  return {{"id", std::string{"o-"} + sample + endpoint},
          {"endpoint", endpoint},
          {"sample", sample},
          {"vantage", "lan"},
          {"completion", "completed"},
          {"error", ""},
          {"facts", json::object{{"tls.spoken", true}, {"tls.certificates", std::move(chains)}, {"tls.dh", groups}}},
          {"absent", json::array{}},
          {"unobserved", json::object{}},
          {"coverage", json::object{}},
          {"evidence", json::object{{"tls.certificates", json::array{"cc"}}, {"tls.dh", json::array{"dd"}}}}};
}

Evaluated judge(const std::string& program, json::array observations, json::array samples = {"A", "B"},
                json::array factors = {}) {
  json::array known;
  for (const auto& sample : samples) {
    known.push_back(json::object{{"id", sample}});
  }
  const json::object document{
      {"run", json::object{{"date", "2026-11-26T00:00:00Z"}}},
      {"dut", json::object{{"samples", known}}},
      {"names", json::object{{"ics", json::array{}}, {"ixit", json::array{}}}},
      {"ixit", json::object{}},
      {"common_factors", std::move(factors)},
      {"obs", json::object{{"tls", std::move(observations)}}},
      {"specs", json::object{{"tls", json::array{"tls.spoken", "tls.certificates", "tls.dh"}}}}};
  const Evaluation evaluation{program, "c.yaml:1:1", document, nullptr};
  auto out = evaluate({&evaluation, 1}).front();
  CHECK(out.error == "");
  return out;
}

Lines what(const Evaluated& evaluated) {
  Lines out;
  for (const auto& item : evaluated.items) {
    out.emplace_back(item.is_object() ? item.at("what").as_string() : item.as_string());
  }
  return out;
}

constexpr const char* kCertificates = R"(shared_certificate_keys("tls"))";
constexpr const char* kGroups = R"(shared_groups("tls"))";

}  // namespace

TEST_CASE("expr: a certificate that two samples show is one finding, which names both and their endpoints") {
  const auto judged =
      judge(kCertificates, {server("A", "tcp/443", chain("k", "c")), server("A", "tcp/8883", chain("k", "c")),
                            server("B", "tcp/443", chain("k", "c"))});
  REQUIRE(what(judged) ==
          Lines{"Samples A (tcp/443, tcp/8883) and B (tcp/443) show the same certificate (EC prime256v1)"});
  const auto& finding = judged.items.front().as_object();
  CHECK(finding.at("observed") == "k");
  CHECK(finding.at("evidence") == json::array{"cc"});
  CHECK(finding.at("observation") == json::array{"o-Atcp/443", "o-Atcp/8883", "o-Btcp/443"});
}

TEST_CASE("expr: one key in two certificates is shared all the same, a common issuer is not") {
  CHECK(
      what(judge(kCertificates, {server("A", "tcp/443", chain("k", "c")), server("B", "tcp/443", chain("k", "d"))})) ==
      Lines{"Samples A (tcp/443) and B (tcp/443) show different certificates of the same key (EC prime256v1)"});
  CHECK(what(judge(kCertificates,
                   {server("A", "tcp/443", chain("k", "c")), server("B", "tcp/443", chain("l", "d"))})) == Lines{});
}

TEST_CASE("expr: one key on two endpoints of one sample is seen and is no finding") {
  const json::array observations{server("A", "tcp/443", chain("k", "c")), server("A", "tcp/8883", chain("k", "c")),
                                 server("B", "tcp/443", chain("l", "d"))};
  CHECK(what(judge(kCertificates, observations)) == Lines{});
  const auto seen =
      judge(R"jq(keys_seen("tls") | {what: "\(.key): \([.places[] | .sample + " " + .endpoint] | join(", "))"})jq",
            observations);
  CHECK(what(seen) == Lines{"k: A tcp/443, A tcp/8883", "l: B tcp/443"});
}

TEST_CASE("expr: finite-field parameters are compared unless everybody has them") {
  const auto of = [](json::object one, json::object other) {
    return judge(kGroups, {server("A", "tcp/443", chain("k", "c"), {std::move(one)}),
                           server("B", "tcp/443", chain("l", "d"), {std::move(other)})});
  };
  CHECK(what(of(group("p", ""), group("p", ""))) ==
        Lines{"Samples A (tcp/443) and B (tcp/443) show the same finite-field parameters (2048 bits), which are no "
              "registered group"});
  CHECK(what(of(group("p", "ffdhe2048"), group("p", "ffdhe2048"))) == Lines{});
  CHECK(what(of(group("p", ""), group("q", ""))) == Lines{});
}

TEST_CASE("expr: certificates of one sample are nothing to compare, and what was not seen is missing") {
  const auto one = server("A", "tcp/443", chain("k", "c"));
  const char* lone = R"(lone_certificate_keys("tls"), lone_tls("tls"))";
  CHECK(what(judge(lone, {one}, {"A"})) == Lines{"Certificates were seen on sample A only: nothing to compare",
                                                 "TLS servers were seen on sample A only: nothing to compare"});
  CHECK(what(judge(lone, {one})) == Lines{"Certificates were seen on sample A only, not on B: nothing to compare",
                                          "TLS servers were seen on sample A only, not on B: nothing to compare"});
  CHECK(what(judge(lone, {one, server("B", "tcp/443", chain("l", "d"))})) == Lines{});
  CHECK(what(judge(lone, {})) == Lines{});
  auto blind = server("B", "tcp/443", {});
  blind["facts"].as_object().erase("tls.certificates");
  blind["unobserved"].as_object()["tls.certificates"] = "no certificate was seen";
  const auto judged = judge(kCertificates, {one, blind});
  CHECK(what(judged) == Lines{});
  CHECK(judged.missing == Lines{"tls.tls.certificates on tcp/443 of sample B (no certificate was seen)"});
}

TEST_CASE("expr: a key that others hold and a key with a flaw are findings that say why") {
  auto known = chain("k", "c");
  known[0].as_object()["subject"] = "CN=hub";
  known[0].as_object()["known_key"] = json::object{{"where", "server.key"}, {"source", "a package"}};
  auto weak = chain("l", "d");
  weak[0].as_object()["subject"] = "CN=hub";
  weak[0].as_object()["key_flaws"] = json::array{json::object{{"name", "roca"}, {"why", "of a faulty library"}}};
  const auto judged =
      judge(R"(obs("tls") | keys_given_away)",
            {server("A", "tcp/443", known), server("B", "tcp/443", weak), server("A", "tcp/8883", chain("m", "e"))});
  CHECK(
      what(judged) ==
      Lines{
          "tcp/443 of sample A shows a certificate (CN=hub) whose private half others hold too: server.key (a package)",
          "tcp/443 of sample B shows a certificate (CN=hub) that gives its private half away, roca: of a faulty "
          "library"});
  CHECK(judged.items.at(0).at("observed") == "k");
  CHECK(judged.items.at(0).at("evidence") == json::array{"cc"});
}

TEST_CASE("expr: two moduli with a common factor are one finding that names both places") {
  auto one = chain("k", "c");
  auto other = chain("l", "d");
  one[0].as_object()["modulus"] = "0f";
  other[0].as_object()["modulus"] = "15";
  const json::object factor{{"one", "0f"}, {"other", "15"}, {"bits", 1024}};
  const char* program = "shared_factors";
  const json::array observations{server("A", "tcp/443", one), server("B", "tcp/443", other)};
  CHECK(
      what(judge(program, observations, {"A", "B"}, {factor})) ==
      Lines{"Two RSA keys have a factor of 1024 bits in common, and so both can be computed: sample A (tcp/443) and B "
            "(tcp/443)"});
  CHECK(what(judge(program, observations)) == Lines{});
}
