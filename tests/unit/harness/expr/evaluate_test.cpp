#include <chrono>
#include <csignal>
#include <string>
#include <sys/wait.h>

#include "harness/expr/expr.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace assay;

json::value document() {
  return json::parse(R"({
    "run": {"date": "2026-11-23T00:00:00Z", "plan": "p/1", "parameters": {"limit": 3}},
    "dut": {"vendor": "Example", "samples": [{"id": "A"}]},
    "standard": "TS103701@1.1.1",
    "ics": {"5.1-1": {"support": "Y", "because": ""}, "5.1-2": {"support": "N/A", "because": "no passwords"}},
    "ixit": {"15-Intf": [{"id": "IF-1", "port": "tcp/443"}, {"id": "IF-2", "port": ["tcp/80", "tcp/8080"]}]},
    "obs": {
      "ports": [{"id": "o1", "endpoint": null, "sample": "A", "completion": "completed", "error": "",
                 "facts": {"ports.open": [{"endpoint": "tcp/23"}, {"endpoint": "tcp/443"}], "ports.closed": 9007199254740993},
                 "absent": [], "unobserved": {}, "coverage": {"tcp": {"asked": 65535}}, "evidence": {}}],
      "services": [
        {"id": "o2", "endpoint": "tcp/23", "sample": "A", "completion": "completed", "error": "",
         "facts": {"service.protocol": "telnet", "service.tls": false}, "absent": ["service.tls_version"],
         "unobserved": {}, "coverage": {}, "evidence": {"service.protocol": ["aa", "bb"]}},
        {"id": "o3", "endpoint": "tcp/443", "sample": "A", "completion": "timed_out", "error": "no answer in 5 s",
         "facts": {}, "absent": [], "unobserved": {"service.protocol": "the handshake stalled"}, "coverage": {},
         "evidence": {}}]},
    "specs": {"ports": ["ports.open", "ports.closed"],
              "services": ["service.protocol", "service.tls", "service.tls_version"]},
    "names": {"ics": ["5.1-1", "5.1-2", "5.1-3"], "ixit": ["1-AuthMech", "15-Intf"]}})");
}

Evaluated run(const std::string& program, const ExprLimits& limits = {}) {
  const Evaluation evaluation{program, "case.yaml:1:1", document(), nullptr};
  return evaluate({&evaluation, 1}, limits).front();
}

std::string items(const std::string& program) {
  const auto result = run(program);
  CAPTURE(program, result.error);
  CHECK(result.error.empty());
  return json::serialize(json::value_from(result.items));
}

/// What a unit that asked this may never become: a PASS needs no items, nothing missing and no error.
bool would_pass(const Evaluated& result) {
  return result.items.empty() && result.missing.empty() && result.error.empty();
}

bool no_child_left() {
  return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

std::vector<std::string> strings(std::initializer_list<const char*> list) {
  return {list.begin(), list.end()};
}

}  // namespace

TEST_CASE("Facts are read from observations and from the whole document") {
  CHECK(items(R"([obs("ports") | fact("ports.open")[] | .endpoint])") == R"([["tcp/23","tcp/443"]])");
  CHECK(items(R"(fact("ports.open")[0].endpoint)") == R"(["tcp/23"])");
  CHECK(items(R"(obs("services") | select(.id == "o2") | fact("service.tls_version"; "none"))") == R"(["none"])");
  CHECK(items(R"(obs("services") | select(.id == "o2") | present("service.tls", "service.tls_version"))") ==
        "[true,false]");
  CHECK(items(R"(obs("services") | evidence("service.protocol"))") == R"([["aa","bb"],[]])");
  CHECK(items(R"(evidence("service.protocol"))") == R"([["aa","bb"]])");
  CHECK(items(R"(obs("ports") | coverage("tcp").asked)") == "[65535]");
  CHECK(items(R"(coverage("tcp").asked)") == "[65535]");
}

TEST_CASE("The declaration is read with yes, no and missing kept apart") {
  CHECK(items(R"(support("5.1-1", "5.1-2", "5.1-3"))") == R"(["Y","N/A","missing"])");
  CHECK(items(R"(ics("5.1-2").because)") == R"(["no passwords"])");
  CHECK(items(R"(ixit_declared("15-Intf", "1-AuthMech"))") == "[true,false]");
  CHECK(items(R"([ixit("15-Intf").id])") == R"([["IF-1","IF-2"]])");
  CHECK(items(R"(declared("15-Intf"; "tcp/443", "tcp/8080", "tcp/23"))") == R"(["yes","yes","no"])");
  CHECK(items(R"(obs("ports") | fact("ports.open")[] | select(declared("15-Intf"; .endpoint) == "no") | .endpoint)") ==
        R"(["tcp/23"])");
  const auto missing = run(R"(declared("1-AuthMech"; "tcp/443"))");
  CHECK(json::serialize(json::value_from(missing.items)) == R"(["missing"])");
  CHECK(missing.missing == strings({"IXIT 1-AuthMech (not declared)"}));
  CHECK(run(R"(ixit("1-AuthMech"))").missing == strings({"IXIT 1-AuthMech (not declared)"}));
  CHECK(run(R"(ics("5.1-3"))").missing == strings({"ICS 5.1-3 (not declared)"}));
  CHECK(run(R"(support("5.1-3"))").missing.empty());
}

TEST_CASE("A fact that was not observed is named with its place and reason and is not an error") {
  const auto result = run(R"(obs("services") | select(fact("service.protocol") == "telnet") | .endpoint)");
  CHECK(result.error.empty());
  CHECK(json::serialize(json::value_from(result.items)) == R"(["tcp/23"])");
  CHECK(result.missing == strings({"services.service.protocol on tcp/443 (the handshake stalled)"}));
  const auto silent = run(R"(obs("services") | fact("service.tls"))");
  CHECK(silent.missing == strings({"services.service.tls on tcp/443 (timed out: no answer in 5 s)"}));
  const auto covered = run(R"(obs("ports") | coverage("udp"))");
  CHECK(covered.missing == strings({"ports.coverage.udp on the device (the probe did not say why)"}));
  const auto observed = run(R"([obs("services") | observed("service.protocol")])");
  CHECK(json::serialize(json::value_from(observed.items)) == "[[true,false]]");
  CHECK(observed.missing.size() == 1);
}

TEST_CASE("A missing fact stays known when something swallows it") {
  const std::string fact = R"(obs("services") | select(.id == "o3") | )";
  for (const std::string program :
       {R"(fact("service.tls") // "default" | select(. == true))", R"(attempt(fact("service.tls")) | select(.))",
        R"(select(isempty(attempt(fact("service.tls"))) | not))", R"(select(any(attempt(fact("service.tls")); .)))",
        R"([attempt(fact("service.tls"))][])"}) {
    const auto result = run(fact + program);
    CAPTURE(program, result.error);
    CHECK_FALSE(result.missing.empty());
    CHECK_FALSE(would_pass(result));
  }
}

TEST_CASE("Unknown names are errors, also when something swallows them") {
  for (const std::string program :
       {R"(obs("sevices") | .id)", R"(obs("services") | fact("service.protocl"))",
        R"(obs("services") | fact("service.protocl"; "x") | empty)", R"(obs("services") | present("tls") | empty)",
        R"(attempt(obs("services") | fact("service.protocl")) | empty)", R"(fact("typo") // empty)",
        R"(support("5.1-99") | empty)", R"(ics("5.1-99"))", R"(ixit("15-Inft"))", R"(ixit_declared("15-Inft") | empty)",
        R"(declared("15-Inft"; "tcp/1") | empty)", R"(declared("15-Intf"; null) | empty)",
        R"("x" | fact("service.tls"))", R"(evidence("typo") | empty)", R"(fact(1))", R"(null | coverage("tcp"))"}) {
    const auto result = run(program);
    CAPTURE(program);
    CHECK_FALSE(result.error.empty());
  }
  CHECK(run(R"(obs("services") | fact("service.protocl"))").error ==
        "unknown fact \"service.protocl\": the probe of \"services\" declares service.protocol, service.tls, "
        "service.tls_version");
}

TEST_CASE("An absent fact read without a default is an error that says what to do") {
  const auto result = run(R"(obs("services") | select(.id == "o2") | fact("service.tls_version"))");
  CHECK(result.missing.empty());
  CHECK(
      result.error ==
      "fact \"service.tls_version\" is absent on tcp/23: ask present(\"service.tls_version\") first or give a default, "
      "fact(\"service.tls_version\"; …)");
}

TEST_CASE("Integers beyond 2^53 travel as strings and keep every digit") {
  CHECK(items(R"(fact("ports.closed"))") == R"(["9007199254740993"])");
  CHECK(items("9007199254740992") == "[9007199254740992]");
  CHECK(items("9007199254740992 * 2") == R"(["18014398509481984"])");
}

TEST_CASE("Errors that jq itself would lose are errors") {
  // libjq 1.6 ends silently on error(null), and isempty(error) is true there.
  for (const std::string program :
       {"error(null)", "null | error", "1 | error(null), 2", "isempty(error(\"x\"))",
        "select(isempty(\"a\" + 1)) | empty", "[[1]] | .. | select(type == \"number\") | (. + \"a\")",
        "label $f | (1 | break $f), error(\"x\")", "first(error(\"x\"))",
        "if any(1; . + \"a\") then empty else empty end", "\"a\" + 1", "{} | .a.b | error(.)",
        "attempt(1) | (\"a\" + 1)"}) {
    const auto result = run(program);
    CAPTURE(program);
    if (program.starts_with("label")) {
      CHECK(result.error.empty());  // break ends the rest, as it should
    } else {
      CHECK_FALSE(result.error.empty());
    }
  }
  CHECK(items("isempty(empty), isempty(1, 2)") == "[true,false]");
  CHECK(items("[1, [2]] | [..]") == "[[[1,[2]],1,[2],2]]");
}

TEST_CASE("What reads clocks, files, input or the environment, or hides errors, is refused before it runs") {
  for (const std::string program : {"now",
                                    "localtime",
                                    "0 | strflocaltime(\"%H\")",
                                    "halt",
                                    "halt_error",
                                    "halt_error(1)",
                                    "debug",
                                    "stderr",
                                    "input",
                                    "[inputs]",
                                    "input_line_number",
                                    "input_filename",
                                    "env",
                                    "env.HOME",
                                    "$ENV",
                                    "$ENV.HOME",
                                    "$ ENV",
                                    "include \"x\"; 1",
                                    "import \"x\" as x; 1",
                                    "modulemeta",
                                    "get_search_list",
                                    "_input",
                                    "a::b",
                                    "try 1",
                                    "1?",
                                    ".a?",
                                    "$__judge",
                                    "__note(1)",
                                    ".obs",
                                    ".facts",
                                    "obs(\"services\").facts",
                                    ".ics[\"5.1-1\"]",
                                    "\"\\(now)\"",
                                    "\"\\(\"\\(env)\")\"",
                                    "1 # x\n| now",
                                    "{a: now}",
                                    "def f: input; f",
                                    "",
                                    "  # nothing",
                                    "1)",
                                    "(1",
                                    "\"open",
                                    "1) | (2",
                                    "]",
                                    "\"\\(1\"",
                                    "1\r"}) {
    const auto result = run(program);
    CAPTURE(program);
    CHECK_FALSE(result.error.empty());
    CHECK(result.items.empty());
  }
  CHECK(run("1 |\n now").error ==
        "\"now\" is shut: an expression reads nothing but its document (line 2 of the expression)");
}

TEST_CASE("Shut names inside strings, comments, fields and keys are only text") {
  CHECK(items("\"now, env, try and $ENV?\"") == R"(["now, env, try and $ENV?"])");
  CHECK(items("1 # now env? )") == "[1]");
  CHECK(items("{now: 1, input: 2} | .now, .input") == "[1,2]");
  CHECK(items("\"a\\(\"b)\" + \"c\")d\"") == R"(["ab)cd"])");
  CHECK(items(".run.parameters.limit as $now | $now") == "[3]");
}

TEST_CASE("Hostile programs cost themselves only") {
  ExprLimits limits;
  limits.time = std::chrono::milliseconds{150};
  limits.memory_bytes = 128u << 20u;
  limits.items = 100;
  limits.output_bytes = 1u << 20u;
  const std::vector<std::string> hostile = {"syntax error here",
                                            "error(\"x\")",
                                            "undefined_function",
                                            "def f: f; f",
                                            "def f: 1 + f; f",
                                            "[range(1e9)]",
                                            "repeat(1)",
                                            "[repeat(1)]",
                                            "[limit(1e9; repeat(\"x\"))] | length",
                                            "\"x\" * 1e9 | length",
                                            "reduce range(1e6) as $i (null; [.])",
                                            "[range(1e5)] | map(\"xxxxxxxxxxxxxxxxxxxxxxxx\") | add",
                                            "range(1000)",
                                            "until(false; .)",
                                            "(\"a\" * 40) | test(\"(a+)+$b\")"};
  std::vector<Evaluation> evaluations;
  for (const auto& program : hostile) {
    evaluations.push_back({program, "x:1:1", document(), nullptr});
    evaluations.push_back({"\"fine \\(obs(\"ports\").id)\" # " + program.substr(0, 5), "x:2:1", document(), nullptr});
  }
  const auto results = evaluate(evaluations, limits);
  REQUIRE(results.size() == evaluations.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    CAPTURE(evaluations[i].program, results[i].error);
    if (i % 2 == 0) {
      CHECK_FALSE(results[i].error.empty());
      CHECK_FALSE(would_pass(results[i]));
    } else {
      CHECK(results[i].error.empty());
      CHECK(json::serialize(json::value_from(results[i].items)) == R"(["fine o1"])");
    }
  }
  CHECK(results[6].error == "stopped: it needed more than 150 ms of processor time");
  CHECK(no_child_left());
}

TEST_CASE("Each limit is named in the error and the items before it are kept") {
  ExprLimits limits;
  limits.items = 3;
  const auto items_limit = run("range(10)", limits);
  CHECK(items_limit.items.size() == 3);
  CHECK(items_limit.error == "stopped: it yielded more than 3 items");
  ExprLimits small;
  small.output_bytes = 4096;
  CHECK(run("range(10) | \"x\" * 1000", small).error == "stopped: it yielded more than 4 KiB");
  ExprLimits short_of_memory;
  short_of_memory.memory_bytes = 32u << 20u;
  short_of_memory.time = std::chrono::milliseconds{20000};
  const auto bomb = run("1, [range(1e9)]", short_of_memory);
  CHECK(bomb.items.size() == 1);
  CHECK(bomb.error == "stopped: it needed more than 32 MiB of memory");
}

TEST_CASE("Many programs and documents keep their order and their results") {
  std::vector<Evaluation> evaluations;
  for (int i = 0; i < 230; ++i) {
    auto own = document();
    own.as_object()["run"].as_object()["number"] = i;
    evaluations.push_back({".run.number + " + std::to_string(i % 170), "x", own, nullptr});
  }
  const auto results = evaluate(evaluations);
  for (std::size_t i = 0; i < results.size(); ++i) {
    REQUIRE(results[i].error.empty());
    REQUIRE(results[i].items.size() == 1);
    CHECK(results[i].items.front().as_int64() == static_cast<std::int64_t>(i + i % 170));
  }
}

TEST_CASE("The same evaluation gives the same bytes twice, whatever the environment says") {
  ::setenv("TZ", "Asia/Singapore", 1);
  const auto first = items(R"([obs("services")], (0 | strftime("%H %Z")), $__loc__.line)");
  ::unsetenv("TZ");
  CHECK(first == items(R"([obs("services")], (0 | strftime("%H %Z")), $__loc__.line)"));
}

TEST_CASE("Nothing to evaluate starts no worker") {
  CHECK(evaluate({}).empty());
  CHECK(no_child_left());
}
