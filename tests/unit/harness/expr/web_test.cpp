#include "harness/expr/document.hpp"
#include "harness/expr/expr.hpp"
#include "tests/support/catch.hpp"

/// What plans make of the probes `web_session`, `password_change` and `first_use`.
namespace {

using namespace assay;

json::object observation(const char* id, json::object facts, json::object unobserved = {}) {
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
          {"unobserved", std::move(unobserved)},
          {"coverage", json::object{}},
          {"evidence", std::move(evidence)}};
}

json::object service() {
  return observation("o-1", {{"service.reachable", true},
                             {"service.protocol", "http"},
                             {"service.logins", json::array{json::object{{"dialect", "http-form"}}}}});
}

/// Facts of a sound interface, with some of them replaced.
json::object sound(json::object other = {}) {
  json::object cookie{{"name", "sid"}, {"session", true}, {"http_only", true}, {"same_site", "strict"}};
  json::array cookies;
  cookies.push_back(std::move(cookie));
  json::object facts{{"web.login", "http-form"}, {"web.cookies", std::move(cookies)}, {"web.concurrent", true}};
  facts["web.fixation"] = json::object{{"given_before", true}, {"kept", false}, {"takes_invented", false}};
  facts["web.tokens"] = json::object{
      {"sample", 8}, {"shortest", 32}, {"longest", 32}, {"bits_at_most", 128.0}, {"relations", json::array{}}};
  facts["web.logout"] =
      json::object{{"way", "a link"}, {"declared", false}, {"ended", true}, {"browser_out", true}, {"status", 302}};
  facts["web.idle"] = json::object{{"waited", 630}, {"ended", true}, {"alive_after", 157}, {"ended_by", 315}};
  facts["web.forgery"] = json::object{{"control", true},       {"missing", false},    {"other_session", false},
                                      {"foreign_page", false}, {"no_session", false}, {"restored", true}};
  facts["web.pages"] = json::object{{"whole", true}, {"unclear", 0}};
  facts["web.open"] = json::array{};
  facts["web.crossed"] = json::array{};
  for (auto& [key, value] : other) {
    if (facts.contains(key) && value.is_object()) {
      for (auto& [name, member] : value.get_object()) {
        facts[key].get_object()[name] = member;
      }
    } else {
      facts[key] = value;
    }
  }
  return observation("o-2", std::move(facts));
}

json::array one(json::object item) {
  json::array out;
  out.push_back(std::move(item));
  return out;
}

Evaluated judge(const std::string& program, json::object seen, const std::string& alias = "web", json::object ixit = {},
                const Plan& plan = {}) {
  json::object parameters;
  parameters["session"] = json::object{{"idle_minutes", 10}};
  json::object device;
  device["samples"] = one({{"id", "A"}});
  json::array interfaces;
  interfaces.emplace_back("tcp/80");
  device["web"] = std::move(interfaces);
  json::object obs{{"services", one(service())}};
  obs[alias] = one(std::move(seen));
  json::object specs{{"services", json::array{"service.reachable", "service.protocol", "service.logins"}}};
  specs["web"] = json::array{"web.login", "web.cookies", "web.concurrent", "web.fixation", "web.tokens", "web.logout",
                             "web.idle",  "web.forgery", "web.pages",      "web.open",     "web.crossed"};
  specs["changes"] = json::array{"password.change", "password.sessions", "password.old_asked", "password.weak"};
  specs["first"] = json::array{"first_use.action", "first_use.weak"};
  auto run = declaration_document(plan, {}, "2026-11-26T00:00:00Z").at("run").as_object();
  run["parameters"] = std::move(parameters);
  const json::object document{
      {"run", std::move(run)},   {"dut", std::move(device)},
      {"ixit", std::move(ixit)}, {"names", json::object{{"ics", json::array{}}, {"ixit", json::array{"1-AuthMech"}}}},
      {"obs", std::move(obs)},   {"specs", std::move(specs)}};
  const Evaluation evaluation{program, "c.yaml:1:1", document, nullptr};
  auto out = evaluate({&evaluation, 1}).front();
  INFO(program);
  CHECK(out.error == "");
  return out;
}

bool says(const Evaluated& evaluated, std::string_view words) {
  if (evaluated.items.size() != 1) {
    return false;
  }
  const std::string what{std::string_view{evaluated.items[0].at("what").as_string()}};
  INFO(what);
  return what.find(words) != std::string::npos;
}

const std::string kFlaws = R"(obs("services") | web_session_flaws)";
const std::string kDoubts = R"(obs("services") | web_session_doubts)";
const std::string kOpen = R"(obs("services") | web_open_flaws)";
const std::string kOpenDoubts = R"(obs("services") | web_open_doubts)";

}  // namespace

TEST_CASE("expr: a sound session is neither a finding nor a doubt") {
  for (const auto& program : {kFlaws, kDoubts, kOpen, kOpenDoubts}) {
    const auto seen = judge(program, sound());
    CHECK(seen.items.empty());
    CHECK(seen.missing.empty());
  }
}

TEST_CASE("expr: each flaw of a session is one finding with its evidence") {
  const auto flaw = [](const char* fact, json::object values) {
    json::object other;
    other[fact] = std::move(values);
    return judge(kFlaws, sound(std::move(other)));
  };
  CHECK(says(flaw("web.fixation", {{"kept", true}}), "same session id before and after"));
  CHECK(
      says(flaw("web.tokens", {{"relations", one({{"kind", "counter"}, {"what", "close together"}, {"length", -1}})}}),
           "can be foreseen"));
  CHECK(flaw("web.tokens", {{"relations", one({{"kind", "identifier"}, {"what", "a part"}, {"length", 5}})}})
            .items.empty());
  CHECK(says(flaw("web.tokens", {{"bits_at_most", 26.5}}), "26 bits at most"));
  CHECK(says(flaw("web.logout", {{"ended", false}}), "still takes a session that was logged out"));
  CHECK(flaw("web.logout", {{"ended", false}, {"browser_out", false}}).items.empty());
  CHECK(says(flaw("web.idle", {{"ended", false}, {"alive_after", 630}}), "idle for 630 s"));
  CHECK(flaw("web.idle", {{"ended", false}, {"alive_after", 500}}).items.empty());
  CHECK(says(flaw("web.forgery", {{"missing", true}}), "without the token"));
  CHECK(says(flaw("web.forgery", {{"other_session", true}}), "of another session"));
  const auto found = flaw("web.fixation", {{"kept", true}});
  CHECK(canonical(found.items[0].at("evidence")) == "[\"aa\"]");
}

TEST_CASE("expr: another site's request is a finding where a browser sends the cookies along, else a doubt") {
  const auto forged = [](json::value browser) {
    json::object other;
    other["web.forgery"] = json::object{{"foreign_page", true}, {"foreign_by", "GET"}};
    other["web.forgery"].as_object()["foreign_browser"] = std::move(browser);
    return sound(std::move(other));
  };
  CHECK(judge(kFlaws, forged(false)).items.empty());
  CHECK(says(judge(kDoubts, forged(false)), "leaves it to the browser"));
  CHECK(says(judge(kFlaws, forged(true)), "page of another site"));
  CHECK(judge(kDoubts, forged(true)).items.empty());
  // An older probe did not tell.
  CHECK(judge(kFlaws, forged(nullptr)).items.empty());
  CHECK(says(judge(kDoubts, forged(nullptr)), "leaves it to the browser"));
}

TEST_CASE("expr: answers that are neither a page nor a refusal leave open who sees it, and are named") {
  const auto unclear = sound({{"web.pages", json::object{{"unclear", 1}, {"unclear_at", json::array{"/api/lamps"}}}}});
  CHECK(judge(kOpen, unclear).items.empty());
  const auto doubts = judge(kOpenDoubts, unclear);
  CHECK(says(doubts, "answered otherwise"));
  CHECK(doubts.items[0].at("observed") == json::value("/api/lamps"));
}

TEST_CASE("expr: what was not seen of a session keeps the unit open") {
  auto seen = sound();
  seen["facts"].as_object().erase("web.forgery");
  seen["unobserved"] = json::object{{"web.forgery", "no setting"}};
  CHECK(judge(kFlaws, seen).items.empty());
  const auto doubts = judge(kDoubts, seen);
  REQUIRE(!doubts.missing.empty());
  CHECK(doubts.missing[0].find("web.forgery") != std::string::npos);
}

TEST_CASE("expr: a session is judged as one without a password where the declaration says so") {
  const json::object forged{{"web.forgery", json::object{{"missing", true}}}};
  const auto judged = [&](const std::string& program, json::array means, json::object other) {
    json::object ixit;
    ixit["1-AuthMech"] = std::move(means);
    return judge(program, sound(std::move(other)), "web", std::move(ixit));
  };
  const std::string flaws = R"(obs("services") | by_other_means | web_session_flaws)";
  const std::string doubts = R"(obs("services") | (by_other_means | web_session_doubts), other_means_doubts)";
  const json::object token{{"id", "AM-1"}, {"kind", "token"}, {"port", "tcp/80"}};
  const json::object password{{"id", "AM-2"}, {"kind", "password"}, {"port", "tcp/80"}};
  const json::object pairing{{"id", "AM-3"}, {"kind", "pairing"}};
  CHECK(says(judged(flaws, {token}, forged), "without the token"));
  CHECK(judged(flaws, {token}, {}).items.empty());
  CHECK(judged(doubts, {token}, {}).items.empty());
  CHECK(judged(flaws, {password}, forged).items.empty());
  CHECK(judged(doubts, {password}, forged).items.empty());
  CHECK(judged(flaws, {token, password}, forged).items.empty());
  CHECK(says(judged(doubts, {token, password}, forged), "tcp/80 takes a password and token"));
  const json::object shell{{"id", "AM-4"}, {"kind", "password"}, {"port", "tcp/22"}};
  CHECK(judged(flaws, {shell}, forged).items.empty());
  CHECK(says(judged(doubts, {shell}, forged), "No entry of 1-AuthMech says how one gets in at tcp/80"));
  CHECK_FALSE(judge(flaws, sound(forged)).missing.empty());
  json::object unseen = sound();
  unseen["facts"].as_object().erase("web.forgery");
  unseen["unobserved"] = json::object{{"web.forgery", "no setting"}};
  CHECK_FALSE(judge(doubts, unseen, "web", {{"1-AuthMech", one(token)}}).missing.empty());
  CHECK(judged("other_means_elsewhere", {token, pairing}, {}).items[0] == json::value(true));
  CHECK(judged("other_means_elsewhere", {token, password}, {}).items[0] == json::value(false));
  CHECK(judged("passwords_elsewhere", {password, pairing}, {}).items[0] == json::value(false));
  CHECK(judged("passwords_elsewhere", {password, shell}, {}).items[0] == json::value(true));
}

TEST_CASE(
    "expr: a page that is protected by declaration, or a function that no link leads a visitor to, is a finding") {
  const auto open = [](json::object page, const std::string& program) {
    return judge(program, sound({{"web.open", one(std::move(page))}}));
  };
  const json::object declared{{"path", "/a"}, {"kind", "text"}, {"declared", true}, {"linked", true}};
  const json::object function{{"path", "/b"}, {"kind", "form"}, {"declared", false}, {"linked", false}};
  const json::object help{{"path", "/c"}, {"kind", "text"}, {"declared", false}, {"linked", true}};
  const json::object call{{"path", "/d"}, {"kind", "data"}, {"declared", false}, {"linked", false}};
  CHECK(says(open(declared, kOpen), "gives /a to visitors"));
  CHECK(says(open(function, kOpen), "gives /b to visitors"));
  CHECK(open(help, kOpen).items.empty());
  CHECK(open(help, kOpenDoubts).items.empty());
  CHECK(open(call, kOpen).items.empty());
  CHECK(says(open(call, kOpenDoubts), "gives /d to visitors too"));
  CHECK(open(function, kOpenDoubts).items.empty());
  auto frame = declared;
  frame["shell"] = true;
  CHECK(open(frame, kOpen).items.empty());
  CHECK(says(open(frame, kOpenDoubts), "gives /a to visitors too"));
  const std::string data = R"(obs("services") | web_open_data)";
  const std::string exports = R"re(obs("services") | web_open_calls("export|backup"))re";
  CHECK(open(declared, data).items.empty());
  CHECK(open(declared, exports).items.empty());
  CHECK(
      says(open({{"path", "/api/v1/d"}, {"kind", "data"}, {"declared", true}, {"linked", false}}, data), "/api/v1/d"));
  CHECK(says(open({{"path", "/api/Backup.json"}, {"kind", "data"}, {"declared", true}, {"linked", false}}, exports),
             "/api/Backup.json"));
  const json::object crossed{
      {"path", "/u"}, {"kind", "form"}, {"owner", "admin"}, {"role", "guest"}, {"declared", true}};
  CHECK(says(judge(kOpen, sound({{"web.crossed", one(crossed)}})), "to the role guest"));
}

TEST_CASE("expr: passwords that live on, are weak, or work before the set-up are findings") {
  const auto changes = [](json::object facts, const std::string& program) {
    return judge(program, observation("o-3", std::move(facts)), "changes");
  };
  CHECK(
      says(changes({{"password.change", json::object{{"taken", true}, {"old_refused", false}}}}, "password_old_lives"),
           "takes the old password"));
  CHECK(changes({{"password.change", json::object{{"taken", false}, {"old_refused", nullptr}}}}, "password_old_lives")
            .items.empty());
  CHECK(says(changes({{"password.sessions", json::object{{"own", true}, {"other", true}}}}, "password_session_lives"),
             "opened with the old password"));
  CHECK(says(changes({{"password.old_asked", json::object{{"wrong_taken", true}, {"empty_taken", false}}}},
                     "password_unasked"),
             "a wrong old one"));
  json::object weak{{"kind", "short"}, {"source", "a rule"}, {"confidence", "derived"}, {"length", 5}, {"taken", true}};
  CHECK(says(changes({{"password.weak", one(weak)}}, "password_weak"), "short, 5 characters"));
  weak["confidence"] = "reasoned";
  CHECK(changes({{"password.weak", one(weak)}}, "password_weak").items.empty());
  weak["confidence"] = "derived";
  weak["schemes"] = json::array{"cls-iot-gateway", "other"};
  const auto in_plan = [&](const std::string& id, std::vector<std::string> extends) {
    Plan plan;
    plan.id = id;
    plan.extends = std::move(extends);
    return judge("password_weak", observation("o-3", {{"password.weak", one(weak)}}), "changes", {}, plan);
  };
  CHECK(says(in_plan("cls-iot-gateway/2", {"cls-iot-gateway/1"}), "short, 5 characters"));
  CHECK(says(in_plan("lab/own", {"cls-iot-gateway/2", "cls-iot-gateway/1"}), "short, 5 characters"));
  CHECK(in_plan("cls-iot/2", {"cls-iot/1"}).items.empty());
  weak.erase("schemes");
  CHECK(says(in_plan("cls-iot/2", {"cls-iot/1"}), "short, 5 characters"));
  const auto first = observation(
      "o-4", {{"first_use.action", json::object{{"before", true}, {"after", false}}}, {"first_use.weak", one(weak)}});
  CHECK(says(judge("first_use_open", first, "first"), "before the device is set up"));
  CHECK(says(judge("first_use_weak", first, "first"), "weak"));
}
