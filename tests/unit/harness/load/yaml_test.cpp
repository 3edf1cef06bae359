#include "harness/load/yaml.hpp"

#include "harness/load/read.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

std::vector<std::string> faults_of(const std::string& text, const YamlLimits& limits = {}) {
  Faults faults("f.yaml");
  read_yaml(text, faults, limits);
  return lines(faults.errors());
}

Node tree(const std::string& text) {
  Faults faults("f.yaml");
  auto node = read_yaml(text, faults);
  INFO(text);
  REQUIRE(lines(faults.errors()) == std::vector<std::string>{});
  REQUIRE(node.has_value());
  return std::move(*node);
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("yaml: order, quoting and places are kept") {
  const auto root = tree("b: 'yes'\na:\n  - 1\n  - x: \"\"\n");
  REQUIRE(root.keys.size() == 2);
  CHECK(root.keys[0].text == "b");
  CHECK(root.items[0].quoted);
  CHECK(root.items[0].place == Place{1, 4});
  CHECK(root.keys[1].place == Place{2, 1});
  CHECK_FALSE(root.items[1].items[0].quoted);
  CHECK(root.items[1].items[1].items[0].place == Place{4, 8});
}

TEST_CASE("yaml: columns count characters, not bytes, and a byte order mark counts nothing") {
  CHECK(faults_of("\xEF\xBB\xBF{é: 1, é: 2}\n") ==
        Lines{"f.yaml:1:8: the key \"é\" is written twice; the first is at line 1"});
}

TEST_CASE("yaml: every duplicate key is found in one run") {
  CHECK(faults_of("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n") ==
        Lines{"f.yaml:4:3: the key \"c\" is written twice; the first is at line 3",
              "f.yaml:5:1: the key \"a\" is written twice; the first is at line 1"});
}

TEST_CASE("yaml: what is refused, with its place") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"a: &x 1\n<<: {b: 1}\n", "f.yaml:2:1: merge keys (<<) are not allowed: write the keys out"},
      {"a: !secret 1\n", "f.yaml:1:4: the tag \"!secret\" is not known: write the value without a tag"},
      {"a: !!binary 1\n",
       "f.yaml:1:4: the tag \"tag:yaml.org,2002:binary\" is not known: write the value without a tag"},
      {"a: 1\n---\nb: 1\n",
       "f.yaml:2:1: the file goes on after its first document: write one document a file, without a second \"---\""},
      {"", "f.yaml:1:1: the file is empty"},
      {"# only a comment\n", "f.yaml:1:1: the file is empty"},
      {"a: 1\nb: \"x\\0y\"\n", "f.yaml:2:4: text must not contain a NUL character"},
      {std::string{"a: 1\nb: x\0y", 11}, "f.yaml:2:5: the file contains a NUL byte: save it as UTF-8 text"},
      {"a: 1\nb: \xff\n", "f.yaml:2:1: this line is not valid UTF-8: save the file as UTF-8 text"},
      {"a: &x [1, *x]\n", "f.yaml:1:11: this alias stands inside the value it names"},
      {"? [a, b]\n: 1\n", "f.yaml:1:3: a key must be a word"},
  };
  for (const auto& [text, error] : rows) {
    CHECK(faults_of(text) == Lines{error});
  }
}

TEST_CASE("yaml: a mistake of syntax is told with its place") {
  const auto errors = faults_of("a: [1, 2\nb: 1\n");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].starts_with("f.yaml:2:"));
  CHECK(errors[0].find("not valid YAML") != std::string::npos);
}

TEST_CASE("yaml: core tags are read: !!str is text, !!null is nothing") {
  const auto root = tree("{a: !!str yes, b: !!null x, c: !!int 5}");
  CHECK(root.items[0].quoted);
  CHECK(root.items[1].kind == Node::Kind::null);
  CHECK(json_of(root.items[2]) == json::value(5));
}

TEST_CASE("yaml: aliases are expanded") {
  CHECK(json_of(tree("a: &x {k: [1, 2]}\nb: *x\n")) == json::value{{"a", {{"k", {1, 2}}}}, {"b", {{"k", {1, 2}}}}});
}

TEST_CASE("yaml: an alias bomb is refused before it grows") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 9; ++k) {
      bomb += ", " + last;
    }
    bomb += "]\n";
  }
  const auto errors = faults_of(bomb);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("more than 100000 values once its aliases are expanded") != std::string::npos);
}

TEST_CASE("yaml: one long text repeated by aliases is bounded in bytes") {
  std::string text = "a: &a \"" + std::string(200000, 'x') + "\"\nb:\n";
  for (int i = 0; i < 100; ++i) {
    text += "- *a\n";
  }
  const auto errors = faults_of(text);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("bytes once its aliases are expanded") != std::string::npos);
}

TEST_CASE("yaml: nesting is bounded, through aliases too") {
  const std::string told = "values are nested deeper than 40 levels";
  CHECK(faults_of(std::string(40, '[') + std::string(40, ']')) == Lines{});
  CHECK(faults_of(std::string(41, '[') + std::string(41, ']')) == Lines{"f.yaml:1:41: " + told});
  CHECK(faults_of(std::string(100000, '[')).back().find(told) != std::string::npos);
  CHECK(faults_of(std::string(100000, '{')).back().find(told) != std::string::npos);
  const auto half = "a: &a " + std::string(30, '[') + std::string(30, ']') + "\nb: ";
  CHECK(faults_of(half + "*a\n") == Lines{});
  CHECK(faults_of(half + std::string(12, '[') + "*a" + std::string(12, ']') + "\n") == Lines{"f.yaml:2:16: " + told});
}

TEST_CASE("yaml: a file over 1 MiB is refused") {
  CHECK(faults_of("a: " + std::string(2u << 20u, 'x')) == Lines{"f.yaml:1:1: the file is larger than 1048576 bytes"});
}

TEST_CASE("yaml: free values keep what they are") {
  const auto value = json_of(tree(R"({t: true, q: "true", i: 42, n: -7, z: 0, o: 0644, f: 2.10, e: 1e3, s: text,
    big: 9007199254740993, exact: 9007199254740991, nothing: ~, quoted: "5"})"));
  CHECK(value == json::value{{"t", true},
                             {"q", "true"},
                             {"i", 42},
                             {"n", -7},
                             {"z", 0},
                             {"o", "0644"},
                             {"f", "2.10"},
                             {"e", "1e3"},
                             {"s", "text"},
                             {"big", "9007199254740993"},
                             {"exact", 9007199254740991},
                             {"nothing", nullptr},
                             {"quoted", "5"}});
}

TEST_CASE("yaml: a byte of an expression is found in every style of scalar") {
  const std::string source =
      "plain: ab cd\n"
      "single: 'ab cd'\n"
      "double: \"ab cd\"\n"
      "literal: |\n"
      "  ab\n"
      "\n"
      "    cd\n"
      "folded: >-\n"
      "\n"
      "   ab\n"
      "   cd\n"
      "multi: ab\n"
      "   cd\n"
      "escaped: \"a\\u0062 cd\"\n";
  const auto root = tree(source);
  const std::map<std::string, Place> places{{"plain", {1, 11}},   {"single", {2, 13}}, {"double", {3, 13}},
                                            {"literal", {7, 5}},  {"folded", {11, 4}}, {"multi", {13, 4}},
                                            {"escaped", {14, 10}}};
  for (const auto& [key, place] : places) {
    const auto* node = find(root, key);
    REQUIRE(node != nullptr);
    CAPTURE(key, node->text);
    CHECK(place_in(source, *node, node->text.find("cd")) == place);
  }
  CHECK(place_in(source, *find(root, "literal"), 0) == Place{5, 3});
}
