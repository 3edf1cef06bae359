#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

using Lines = std::vector<std::string>;

std::string policy(const std::string& id, const std::string& lists, const std::string& protocol = "ssh") {
  return "assay: policy/1\nid: " + id + "\nprotocol: " + protocol +
         "\ntitle: T\nversion: \"1\"\ndate: \"2026\"\nsource: S\nstrength: reasoned\nunlisted: doubt\nlists:\n" + lists;
}

Lines errors_of(const std::string& lists) {
  return lines(validate_file({"p.yaml", policy("p", lists)}, PlanLibrary{"/nonexistent"}, catalogue()));
}

Lines ids(const Plan& plan) {
  Lines out;
  for (const auto& one : plan.policies) {
    out.push_back(one.id);
  }
  return out;
}

}  // namespace

TEST_CASE("policy: entries keep their grade, end and length, a list of names is as many entries") {
  TemporaryLibrary library;
  library.write("policies/ssh/p.yaml",
                policy("p",
                       "  kex:\n    - {name: [a, b*], grade: allowed, until: 2028, note: Why}\n"
                       "  key_size: [{name: rsa, bits: 2048, grade: allowed, until: 2028}, {name: rsa, bits: 3072, "
                       "grade: recommended}, {name: dsa, grade: forbidden}]\n"));
  const auto policies = load_policies(library.library());
  REQUIRE(lines(policies.errors) == Lines{});
  REQUIRE(policies.value->size() == 1);
  const auto& lists = policies.value->front().lists;
  CHECK(lists.at("kex") ==
        std::vector<PolicyEntry>{{"a", Grade::allowed, 2028, 0, "Why"}, {"b*", Grade::allowed, 2028, 0, "Why"}});
  CHECK(lists.at("key_size").size() == 3);
  CHECK(lists.at("key_size")[0] == PolicyEntry{"rsa", Grade::allowed, 2028, 2048, ""});
  CHECK(policy_in_words(policies.value->front()) == "T 1 of 2026");
}

TEST_CASE("policy: an entry names the look that it rests on, out of a closed list") {
  TemporaryLibrary library;
  library.write(
      "policies/ssh/p.yaml",
      policy("p", "  suite: [{name: a, grade: allowed, needs: encrypt_then_mac}, {name: b, grade: allowed}]\n"));
  const auto policies = load_policies(library.library());
  REQUIRE(lines(policies.errors) == Lines{});
  CHECK(policies.value->front().lists.at("suite")[0].needs == "encrypt_then_mac");
  CHECK(policies.value->front().lists.at("suite")[1].needs.empty());
  CHECK(errors_of("  suite: [{name: a, grade: allowed, needs: luck}]\n").size() == 1);
}

TEST_CASE("policy: mistakes are told with their place") {
  CHECK(errors_of("  kex: [{name: a, grade: allowed}]\n") == Lines{});
  CHECK(errors_of("  kx: [{name: a, grade: allowed}]\n").size() == 1);
  CHECK(errors_of("  kex: [{name: a, grade: fine}]\n").size() == 1);
  CHECK(errors_of("  kex: [{name: a, grade: allowed, bits: 9}]\n") ==
        Lines{"p.yaml:11:35: \"bits\" belongs to entries of key_size"});
  CHECK(errors_of("  key_size: [{name: rsa, grade: allowed}]\n") ==
        Lines{"p.yaml:11:14: an entry of key_size needs \"bits\", unless the kind of key is forbidden"});
  CHECK(errors_of("  kex: [{name: a*b, grade: allowed}]\n") ==
        Lines{"p.yaml:11:16: a * stands at the end of a name only"});
  CHECK(errors_of("  kex: [{name: [a, a], grade: allowed}]\n") == Lines{"p.yaml:11:20: the name \"a\" is there twice"});
}

TEST_CASE("policy: a plan holds what it names, what its parent names, and else what its methods name") {
  TemporaryLibrary library;
  const std::string kex = "  kex: [{name: a, grade: allowed}]\n";
  library.write("policies/ssh/default.yaml", policy("default", kex));
  library.write("policies/ssh/first.yaml", policy("first", kex));
  library.write("policies/ssh/second.yaml", policy("second", kex));
  library.write("policies/tls/other.yaml", policy("other", kex, "tls"));
  library.write("cases/m/method.yaml", TemporaryLibrary::method() + "policies: [default, other]\n");
  REQUIRE(library.load().value);
  CHECK(ids(*library.load().value) == Lines{"default", "other"});
  library.write("schemes/x/one.yaml", TemporaryLibrary::plan() + "policies: [first]\n");
  CHECK(ids(*library.load().value) == Lines{"first", "other"});
  const auto inputs = library.load().value->inputs;
  CHECK(std::any_of(inputs.begin(), inputs.end(),
                    [](const InputFile& file) { return file.path == "testplans/policies/ssh/first.yaml"; }));
  CHECK(std::none_of(inputs.begin(), inputs.end(),
                     [](const InputFile& file) { return file.path == "testplans/policies/ssh/default.yaml"; }));
}

TEST_CASE("policy: one that the library does not have is told where it is named") {
  TemporaryLibrary library;
  library.write("policies/ssh/first.yaml", policy("first", "  kex: [{name: a, grade: allowed}]\n"));
  library.write("schemes/x/one.yaml", TemporaryLibrary::plan() + "policies: [frist]\n");
  CHECK(library.errors() ==
        Lines{"testplans/schemes/x/one.yaml:11:12: the library has no policy \"frist\"; did you mean \"first\"?"});
}
