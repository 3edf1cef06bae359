#include "harness/expr/expr.hpp"
#include "tests/support/catch.hpp"

/// What plans make of the probes `resistance` and `uniqueness`: the arithmetic of a scheme over measured rates.
namespace {

using namespace assay;
using Lines = std::vector<std::string>;

json::object observation(const char* id, json::object facts) {
  json::object evidence;
  for (const auto& [key, value] : facts) {
    evidence[key] = json::array{"aa"};
  }
  return {{"id", id},
          {"endpoint", "tcp/80"},
          {"sample", "A"},
          {"address", "192.0.2.7"},
          {"vantage", "lan"},
          {"state", "initialised"},
          {"completion", "completed"},
          {"error", ""},
          {"facts", std::move(facts)},
          {"absent", json::array{}},
          {"unobserved", json::object{}},
          {"coverage", json::object{}},
          {"evidence", std::move(evidence)}};
}

json::object web(const char* protocol = "http") {
  return observation("o-1", {{"service.reachable", true},
                             {"service.protocol", protocol},
                             {"service.logins", json::array{json::object{{"dialect", "http-basic"}}}}});
}

json::object unheld(bool known = true, std::int64_t per_day = 100'000) {
  return observation("o-2", {{"resistance.dialect", "http-basic"},
                             {"resistance.account", json::object{{"known", known}, {"role", "owner"}}},
                             {"resistance.reaction",
                              json::object{{"seen", false}, {"silent", false}, {"after", 120}, {"seconds", 1.5}}},
                             {"resistance.rate", json::object{{"per_day", per_day},
                                                              {"per_day_low", per_day},
                                                              {"per_day_high", per_day},
                                                              {"by_device", false},
                                                              {"basis", "one connection"}}}});
}

json::object held(const char* bound, bool repeated = true, bool ends = true) {
  auto out = unheld();
  auto& facts = out["facts"].as_object();
  facts["resistance.reaction"] = json::object{{"seen", true},     {"silent", false},      {"after", 5},
                                              {"sign", "locked"}, {"repeated", repeated}, {"bound", bound}};
  facts["resistance.rate"] = json::object{{"per_day", 7200},
                                          {"per_day_low", ends ? 7000 : 0},
                                          {"per_day_high", 7400},
                                          {"by_device", true},
                                          {"basis", "5 wrong logins, then none"}};
  facts["resistance.recovery"] = json::object{{"seen", ends}};
  return out;
}

json::object entry(json::object more) {
  json::object out{{"id", "AM-1"}, {"port", "tcp/80"}, {"preinstalled", true}};
  for (auto& [key, value] : more) {
    out[key] = value;
  }
  return out;
}

Evaluated judge(const std::string& program, json::array resistance, json::object mechanism = {},
                json::object service = web(), std::int64_t least = 0) {
  json::object line{{"minimum_days", 100}, {"maximum_chance_percent", 1}, {"addresses", 1000}, {"margin", 1000}};
  if (least > 0) {
    line["minimum_attempts"] = least;
  }
  const json::object document{
      {"run", json::object{{"date", "2026-11-26T00:00:00Z"}, {"parameters", json::object{{"guessing", line}}}}},
      {"dut", json::object{{"samples", json::array{json::object{{"id", "A"}}}}}},
      {"ixit", json::object{{"1-AuthMech", mechanism.empty() ? json::array{} : json::array{mechanism}}}},
      {"names", json::object{{"ics", json::array{}}, {"ixit", json::array{"1-AuthMech"}}}},
      {"obs", json::object{{"services", json::array{service}}, {"resistance", std::move(resistance)}}},
      {"specs",
       json::object{{"services", json::array{"service.reachable", "service.protocol", "service.logins"}},
                    {"resistance", json::array{"resistance.dialect", "resistance.account", "resistance.reaction",
                                               "resistance.let_in", "resistance.rate", "resistance.recovery"}}}}};
  const Evaluation evaluation{program, "c.yaml:1:1", document, nullptr};
  auto out = evaluate({&evaluation, 1}).front();
  INFO(program);
  CHECK(out.error == "");
  return out;
}

Lines what(const Evaluated& evaluated) {
  Lines out;
  for (const auto& item : evaluated.items) {
    out.emplace_back(std::string_view{item.at("what").as_string()});
  }
  return out;
}

bool says(const Evaluated& evaluated, std::string_view words) {
  const auto lines = what(evaluated);
  return lines.size() == 1 && lines[0].find(words) != std::string::npos;
}

const std::string kUnheld = R"(obs("services") | guess_unheld)";
const std::string kDoubts = R"(obs("services") | guess_doubts)";
const std::string kUndeclared = R"(obs("services") | guess_undeclared(["1-AuthMech"]))";
const std::string kTooFast = R"(obs("services") | guess_too_fast(["1-AuthMech"]))";
const std::string kSums = R"(obs("services") | guess_sum_doubts(["1-AuthMech"]))";
const std::string kOneClient = R"(obs("services") | guess_one_client)";

}  // namespace

TEST_CASE("expr: a real account that nothing guards is a finding with its evidence") {
  const auto found = judge(kUnheld, {unheld()});
  CHECK(says(found, "tcp/80 took 120 wrong logins of a real account"));
  CHECK(canonical(found.items[0].at("evidence")) == "[\"aa\"]");
  CHECK(what(judge(kDoubts, {unheld()})).empty());
  CHECK(what(judge(kUnheld, {held("account")})).empty());
  CHECK(what(judge(kDoubts, {held("account")})).empty());
}

TEST_CASE("expr: two wrong passwords that get in are a finding, whatever else was seen, and one is a doubt") {
  const auto letting_in = [](json::object seen, int times) {
    seen["facts"].as_object()["resistance.let_in"] = json::object{{"after", 13}, {"times", times}};
    seen["evidence"].as_object()["resistance.let_in"] = json::array{"bb"};
    return seen;
  };
  const auto declared = entry({{"attempts", "locked after 150"}, {"password_length", 20}, {"password_characters", 62}});
  for (const auto& program : {kUnheld, kUndeclared, kTooFast}) {
    for (const auto& seen : {unheld(), unheld(false), held("account")}) {
      const auto found = judge(program, {letting_in(seen, 2)}, declared);
      CHECK(says(found, "let in wrong passwords after 13 logins"));
      CHECK(canonical(found.items[0].at("evidence")) == "[\"bb\"]");
      CHECK_FALSE(says(judge(program, {letting_in(seen, 1)}, declared), "let in"));
    }
  }
  CHECK(says(judge(kDoubts, {letting_in(held("account"), 1)}), "let in one wrong password"));
  for (auto seen : {letting_in(unheld(), 2), letting_in(held("account"), 2)}) {
    seen["facts"].as_object()["resistance.let_in"].as_object()["by_page"] = true;
    for (const auto& program : {kUnheld, kUndeclared, kTooFast}) {
      CHECK(what(judge(program, {seen}, declared)).empty());  // a page may tell of a lock
    }
    CHECK(says(judge(kDoubts, {seen}), "may tell of a lock"));
  }
}

TEST_CASE("expr: a few wrong logins without a reaction are a doubt and no finding") {
  const auto few = [](std::int64_t after) {
    auto out = unheld();
    out["facts"].as_object()["resistance.reaction"].as_object()["after"] = after;
    return out;
  };
  CHECK(what(judge(kUnheld, {few(99)})).empty());
  CHECK(says(judge(kDoubts, {few(99)}),
             "took 99 wrong logins in 1 s without a reaction, and it takes 100, or 20 and 60 s"));
  const auto enough = judge(kUnheld, {few(100)});
  CHECK(says(enough, "took 100 wrong logins"));
  CHECK(canonical(enough.items[0].at("observed")) ==
        "\"none after 100 in 1 s; at least 100 are asked for, or 20 and 60 s\"");
  CHECK(what(judge(kDoubts, {few(100)})).empty());
  // Logins that take long: the time for which they went on.
  const auto slow = [&](std::int64_t after, double seconds) {
    auto out = few(after);
    out["facts"].as_object()["resistance.reaction"].as_object()["seconds"] = seconds;
    return out;
  };
  CHECK(says(judge(kUnheld, {slow(20, 61)}), "took 20 wrong logins"));
  CHECK(what(judge(kUnheld, {slow(19, 61)})).empty());
  CHECK(what(judge(kUnheld, {slow(20, 59)})).empty());
  // A number that is declared is measured against itself.
  CHECK(says(judge(kUndeclared, {few(6)}, entry({{"attempts", "4, then a lock"}})), "6 wrong logins"));
  CHECK(what(judge(kUndeclared, {few(6)}, entry({{"attempts", "a lock"}}))).empty());
  // A plan may ask for more, or for fewer.
  CHECK(what(judge(kUnheld, {few(110)}, {}, web(), 120)).empty());
  CHECK(says(judge(kUnheld, {few(3)}, {}, web(), 3), "took 3 wrong logins"));
}

TEST_CASE("expr: a name that the device has not shows nothing of its accounts") {
  CHECK(what(judge(kUnheld, {unheld(false)})).empty());
  CHECK(says(judge(kDoubts, {unheld(false)}), "needs one in the DUT file"));
}

TEST_CASE("expr: what did not come twice, or was not measured, is a doubt") {
  CHECK(says(judge(kDoubts, {held("account", false)}), "did not come a second time"));
  CHECK(says(judge(kDoubts, {}), "was not measured"));
  auto none = unheld();
  none["facts"].as_object().erase("resistance.dialect");
  none["absent"] = json::array{"resistance.dialect"};
  CHECK(says(judge(kDoubts, {none}), "cannot be measured automatically"));
  auto plain = web();
  plain["facts"].as_object()["service.logins"] = json::array{};
  CHECK(what(judge(kDoubts, {}, {}, plain)).empty());
}

TEST_CASE("expr: a claim that the measure contradicts is a finding, and one that it bears is none") {
  const auto claims = [](const char* text) { return entry({{"attempts", text}}); };
  CHECK(says(judge(kUndeclared, {unheld()}, claims("5, then 60 s")), "120 wrong logins brought no reaction"));
  CHECK(says(judge(kUndeclared, {unheld()}, claims("locked for 10 minutes after 3 wrong logins")), "no reaction"));
  CHECK(says(judge(kUndeclared, {unheld()}, claims("locked after 50")), "120 wrong logins brought no reaction"));
  CHECK(what(judge(kUndeclared, {unheld()}, claims("locked after 200"))).empty());
  CHECK(what(judge(kUndeclared, {unheld()}, claims("none: the values are long"))).empty());
  CHECK(what(judge(kUndeclared, {unheld(false)}, claims("5, then 60 s"))).empty());
  CHECK(what(judge(kUndeclared, {held("account")}, claims("5, then 60 s"))).empty());
  CHECK(says(judge(kUndeclared, {held("account")}, claims("3, then a lock")), "came after 5"));
}

TEST_CASE("expr: days and chance follow the number of values, and only what is sure is told") {
  const auto values = [](std::int64_t length, std::int64_t characters) {
    return entry({{"password_length", length}, {"password_characters", characters}});
  };
  // 10^6 values at 100,000 a day: half of them in 5 days.
  CHECK(says(judge(kTooFast, {unheld()}, values(6, 10)), "in 5 days"));
  CHECK(what(judge(kSums, {unheld()}, values(6, 10))).empty());
  // 10^9: 5,000 days at this pace, 5 for an attacker a thousand times as fast.
  CHECK(what(judge(kTooFast, {unheld()}, values(9, 10))).empty());
  CHECK(says(judge(kSums, {unheld()}, values(9, 10)), "an assessor has to decide"));
  CHECK(what(judge(kSums, {unheld()}, values(12, 62))).empty());
  CHECK(says(judge(kSums, {unheld()}, entry({})), "does not say how many values"));
  CHECK(says(judge(kSums, {unheld()}), "No entry of IXIT 1-AuthMech names tcp/80"));
  // A lock of the account counts for all clients: 10^8 at 7,400 a day.
  CHECK(what(judge(kSums, {held("account")}, values(8, 10))).empty());
  // One of the address does not: a thousand addresses are seven days.
  CHECK(says(judge(kSums, {held("source")}, values(8, 10)), "an assessor has to decide"));
  // A block of the address for good: 1,000 x 5 of 10^8 is below one in a hundred.
  CHECK(what(judge(kSums, {held("source", true, false)}, values(8, 10))).empty());
  CHECK_FALSE(what(judge(kSums, {held("source", true, false)}, values(5, 10))).empty());
}

TEST_CASE("expr: no day's rate follows from few logins, from a reaction that came once, or from a name nobody has") {
  const auto six_digits = entry({{"password_length", 6}, {"password_characters", 10}});
  auto few = unheld();
  few["facts"].as_object()["resistance.reaction"].as_object()["after"] = 18;
  CHECK(what(judge(kTooFast, {few}, six_digits)).empty());
  CHECK(says(judge(kSums, {few}, six_digits), "allow more (pace.guesses_per_login)"));
  CHECK(what(judge(kTooFast, {unheld(false)}, six_digits)).empty());
  CHECK(says(judge(kSums, {unheld(false)}, six_digits), "the account is none that the device has"));
  auto once = held("account", false);
  auto& rate = once["facts"].as_object()["resistance.rate"].as_object();
  rate["by_device"] = false;
  rate["per_day"] = nullptr;
  rate["per_day_low"] = 0;
  rate["per_day_high"] = 60'000'000;
  rate["basis"] = "a reaction that was not seen a second time";
  CHECK(what(judge(kTooFast, {once}, six_digits)).empty());
  CHECK(says(judge(kSums, {once}, six_digits), "was not seen a second time"));
}

TEST_CASE("expr: the chance of an attacker counts the logins before the attack too") {
  // 1,000 addresses with 5 guesses each are under one in a hundred of 10^6, and with 11 they are not.
  auto seen = held("source", true, false);
  seen["facts"].as_object()["resistance.rate"].as_object()["per_day_high"] = 50'000'000;
  const auto six_digits = entry({{"password_length", 6}, {"password_characters", 10}});
  CHECK(what(judge(kSums, {seen}, six_digits)).empty());
  seen["facts"].as_object()["resistance.reaction"].as_object()["after_most"] = 11;
  CHECK(says(judge(kSums, {seen}, six_digits), "an assessor has to decide"));
}

TEST_CASE("expr: what users set counts by the least that the device takes") {
  const auto mechanism = [](std::int64_t length) {
    return entry(
        {{"preinstalled", false}, {"user_defined", true}, {"policy_length", length}, {"policy_characters", 10}});
  };
  CHECK(says(judge(kTooFast, {unheld()}, mechanism(4)), "0 days"));
  CHECK(what(judge(kTooFast, {unheld()}, mechanism(15))).empty());
}

TEST_CASE("expr: a reaction that holds one address only is told apart from one that was not seen") {
  CHECK(says(judge(kOneClient, {held("source")}), "takes the same account's wrong logins from another"));
  const auto unseen = judge(kOneClient, {held("source_or_all")});
  CHECK(says(unseen, "lab.sources"));
  CHECK(unseen.items[0].at("doubt") == json::value(true));
  CHECK(what(judge(kOneClient, {held("account")})).empty());
  CHECK(what(judge(kOneClient, {held("everything")})).empty());
}

namespace {

Evaluated of_values(const std::string& program, json::object facts) {
  auto one = observation("o-3", std::move(facts));
  one["endpoint"] = nullptr;
  const json::object document{
      {"run", json::object{{"date", "2026-11-26T00:00:00Z"}, {"parameters", json::object{}}}},
      {"dut", json::object{{"samples", json::array{json::object{{"id", "A"}}}}}},
      {"ixit", json::object{}},
      {"names", json::object{{"ics", json::array{}}, {"ixit", json::array{}}}},
      {"obs", json::object{{"uniqueness", json::array{one, one}}}},
      {"specs",
       json::object{{"uniqueness", json::array{"uniqueness.samples", "uniqueness.relations", "uniqueness.forms"}}}}};
  const Evaluation evaluation{program, "c.yaml:1:1", document, nullptr};
  auto out = evaluate({&evaluation, 1}).front();
  CHECK(out.error == "");
  return out;
}

}  // namespace

TEST_CASE("expr: relations of factory values are told once, by kind, and none without values") {
  const json::object relation{{"kind", "equal"},
                              {"what", "these values are the same"},
                              {"mechanism", "AM-1"},
                              {"values", json::array{"1", "4"}},
                              {"chance", "1 in 10^9"}};
  const json::object facts{{"uniqueness.samples", 10}, {"uniqueness.relations", json::array{relation}}};
  CHECK(what(of_values(R"(sample_relations(["equal"]))", facts)) ==
        Lines{"Factory values 1 and 4 of AM-1: these values are the same"});
  CHECK(what(of_values(R"(sample_relations(["counter"]))", facts)).empty());
  CHECK(what(of_values("sample_doubts(10)", facts)).empty());
  const auto none = of_values(R"(sample_relations(["equal"]))", {{"uniqueness.samples", 0}});
  CHECK(what(none).empty());
  CHECK(none.missing.empty());
  CHECK(says(of_values("sample_doubts(2)", {{"uniqueness.samples", 0}}), "gives 0 factory values"));
}

TEST_CASE("expr: the form of factory values is held against the plan's rule") {
  const json::object form{{"mechanism", ""},     {"samples", 10},       {"shortest", 8},      {"longest", 8},
                          {"fewest_classes", 1}, {"equal_in_a_row", 2}, {"equal_to_login", 0}};
  const json::object facts{{"uniqueness.samples", 10}, {"uniqueness.forms", json::array{form}}};
  CHECK(
      what(of_values("sample_forms({minimum_length: 10, minimum_classes: 2, equal_characters_in_a_row: false})", facts))
          .size() == 3);
  CHECK(what(of_values("sample_forms({minimum_length: 8})", facts)).empty());
}
