#include "harness/model/policy.hpp"

#include "harness/expr/expr.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace assay;

json::object document(const std::string& date, Unlisted unlisted) {
  Policy policy{"p", "ssh", "T", "2", "2025-01", "S", "reasoned", unlisted, {}};
  policy.lists["kex"] = {{"good", Grade::recommended, 0, 0, ""},
                         {"old", Grade::allowed, 2028, 0, "N"},
                         {"gss-*", Grade::forbidden, 0, 0, ""},
                         {"gss-fine", Grade::allowed, 0, 0, ""},
                         {"odd", Grade::forbidden, 0, 0, "", "", "unconfirmed"}};
  policy.lists["key_size"] = {{"rsa", Grade::allowed, 2028, 2048, ""},
                              {"rsa", Grade::recommended, 0, 3072, ""},
                              {"dsa", Grade::forbidden, 0, 0, ""}};
  return {{"run", json::object{{"date", date}}},
          {"policies", json::array{to_json(policy)}},
          {"obs", json::object{}},
          {"specs", json::object{}}};
}

Evaluated run(const std::string& program, const std::string& date = "2026-11-26T00:00:00Z",
              Unlisted unlisted = Unlisted::doubt) {
  const Evaluation evaluation{program, "c.yaml:1:1", document(date, unlisted), nullptr};
  return evaluate({&evaluation, 1}).front();
}

std::string only(const Evaluated& evaluated) {
  REQUIRE(evaluated.error == "");
  REQUIRE(evaluated.items.size() == 1);
  return canonical(evaluated.items[0]);
}

std::string grade(const std::string& name, const std::string& date = "2026-11-26T00:00:00Z") {
  return only(run("policy(\"ssh\") | graded(\"kex\"; \"" + name + "\") | .grade", date));
}

}  // namespace

TEST_CASE("expr: a policy grades names, exact ones before those with a star") {
  CHECK(grade("good") == "\"recommended\"");
  CHECK(grade("gss-anything") == "\"forbidden\"");
  CHECK(grade("gss-fine") == "\"allowed\"");
  CHECK(grade("gs") == "\"unlisted\"");
  CHECK(only(run(R"(policy("ssh") | graded("mac"; "good") | .grade)")) == "\"silent\"");
  CHECK(only(run(R"(policy("ssh") | policy_title)")) == "\"T 2 of 2025-01\"");
}

TEST_CASE("expr: the year of the run's date decides what has expired") {
  CHECK(grade("old", "2028-12-31T23:59:59Z") == "\"allowed\"");
  CHECK(grade("old", "2029-01-01T00:00:00Z") == "\"expired\"");
  const std::string bits = R"(policy("ssh") | required_bits("rsa"))";
  CHECK(only(run(bits, "2028-06-01T00:00:00Z")) == "2048");
  CHECK(only(run(bits, "2029-06-01T00:00:00Z")) == "3072");
  CHECK(run(R"(policy("ssh") | required_bits("dsa"))").items.empty());
}

TEST_CASE("expr: what is ruled out and what a person decides are told apart by the policy") {
  const std::string names = R"(["good", "old", "gss-x", "new"])";
  const auto names_of = [](const std::string& function, const std::string& list) {
    return "[policy(\"ssh\") | " + function + "(\"kex\"; " + list + ") | .name + \": \" + .words] | join(\", \")";
  };
  CHECK(only(run(names_of("ruled_out", names))) == "\"gss-x: forbidden\"");
  CHECK(only(run(names_of("unlisted", names))) == "\"new: not listed\"");
  CHECK(only(run(names_of("ruled_out", names), "2030-01-01T00:00:00Z", Unlisted::forbidden)) ==
        "\"old: good until the end of 2028 (N), gss-x: forbidden, new: not listed\"");
  const std::string odd = R"(["odd", "gss-x"])";
  CHECK(only(run(names_of("ruled_out", odd))) == "\"gss-x: forbidden\"");
  CHECK(only(run(names_of("ruled_out_unconfirmed", odd))) == "\"odd: forbidden\"");
  CHECK(only(run(R"(policy("ssh") | graded("kex"; "gss-x") | [.row, .strength] | join(" "))")) == "\"gss-* reasoned\"");
  CHECK(only(run(R"(policy("ssh") | graded("kex"; "odd") | .strength)")) == "\"unconfirmed\"");
  CHECK(only(run(names_of("unlisted", names), "2030-01-01T00:00:00Z", Unlisted::forbidden)) == "\"\"");
}

TEST_CASE("expr: a protocol without a policy is missing, one that does not exist is an error") {
  const auto tls = run(R"(policy("tls"))");
  CHECK(tls.error == "");
  CHECK(tls.missing == std::vector<std::string>{"policy for tls (neither the plan nor its methods name one)"});
  CHECK(run(R"(policy("shh"))").error != "");
  CHECK(run(R"(policy("ssh") | graded("kx"; "good"))").error != "");
  CHECK(run(".policies").error != "");
}
