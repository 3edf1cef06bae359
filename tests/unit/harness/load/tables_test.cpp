#include <regex.h>
#include <set>

#include "harness/load/check.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

/// A right value for the shape, in flow style.
std::string right(const Shape& shape);

std::string right(const Table& table, const std::string& without = {}, const std::string& more = {}) {
  std::string out = "{";
  for (const auto& key : table.keys) {
    const bool way = !table.exactly_one.empty() && key.name == table.exactly_one[0];
    if ((key.required || way) && key.name != without) {
      out += std::string{key.name} + ": " + right(*key.shape) + ", ";
    }
  }
  return out + more + "}";
}

std::string quoted(std::string_view text) {
  return "'" + std::string{text} + "'";
}

std::string right(const Shape& shape) {
  switch (shape.form) {
    case Form::text:
      return quoted(shape.syntax != nullptr ? shape.syntax->example : "some text");
    case Form::word:
      return quoted(shape.words[0]);
    case Form::boolean:
      return "true";
    case Form::integer:
      return std::to_string(shape.least);
    case Form::jq:
      return "'.a'";
    case Form::secret:
      return "'hidden'";
    case Form::free:
      return "{any: [1]}";
    case Form::mapping:
      return shape.table != nullptr ? right(*shape.table) : "{any: 1}";
    case Form::list:
      return "[" + right(*shape.item) + "]";
    case Form::map: {
      const auto key = shape.syntax != nullptr ? shape.syntax->example : shape.words[0];
      return "{" + quoted(key) + ": " + right(*shape.item) + "}";
    }
  }
  return "";
}

/// Values that are wrong for the shape.
std::vector<std::string> wrong(const Shape& shape) {
  switch (shape.form) {
    case Form::text:
    case Form::jq:
    case Form::secret:
      return shape.other != nullptr ? std::vector<std::string>{"{k: v}", "yes"}
                                    : std::vector<std::string>{"[a]", "{k: v}", "yes", "off", "~"};
    case Form::word:
      return {"[a]", "zzzzzzzz", "~"};
    case Form::boolean:
      return {"yes", "1", "'true'", "[true]", "True"};
    case Form::integer:
      return {
          "'5'", "five", "[5]", "99999999999999999999", std::to_string(shape.least - 1), std::to_string(shape.most + 1),
          "1.5", "007"};
    case Form::free:
      return {"yes"};
    case Form::mapping:
      return shape.other != nullptr ? std::vector<std::string>{"[a]"} : std::vector<std::string>{"[a]", "text", "~"};
    case Form::list:
    case Form::map:
      return {"text", "~"};
  }
  return {};
}

std::vector<std::string> check(const Table& table, const std::string& text) {
  Faults faults("f");
  const auto node = read_yaml(text, faults);
  REQUIRE(node.has_value());
  check_table(*node, table, faults);
  return lines(faults.errors());
}

void collect(const Shape& shape, std::vector<const Table*>& out);

void collect(const Table& table, std::vector<const Table*>& out) {
  if (std::find(out.begin(), out.end(), &table) != out.end()) {
    return;
  }
  out.push_back(&table);
  for (const auto& key : table.keys) {
    collect(*key.shape, out);
  }
}

void collect(const Shape& shape, std::vector<const Table*>& out) {
  if (shape.table != nullptr) {
    collect(*shape.table, out);
  }
  if (shape.item != nullptr) {
    collect(*shape.item, out);
  }
  if (shape.other != nullptr) {
    collect(*shape.other, out);
  }
}

std::vector<const Table*> all_tables() {
  std::vector<const Table*> out;
  for (const auto& kind : file_kinds()) {
    collect(*kind.table, out);
  }
  return out;
}

/// The table with this key given beside the required ones, at a known place: line 2, column 1.
std::string with_key(const Table& table, const Key& key, const std::string& value) {
  const bool way = std::find(table.exactly_one.begin(), table.exactly_one.end(), key.name) != table.exactly_one.end();
  auto base = way ? right(table, std::string{table.exactly_one[0]}) : right(table, std::string{key.name});
  base.pop_back();
  return base + "\n" + std::string{key.name} + ": " + value + "}";
}

/// The C library's extended expressions say the same as ECMA-262 for the patterns here; std::regex makes g++ 12 warn
/// under the sanitizers.
class Pattern {
 public:
  explicit Pattern(std::string_view text) {
    REQUIRE(regcomp(&compiled_, std::string{text}.c_str(), REG_EXTENDED | REG_NOSUB) == 0);
  }

  ~Pattern() { regfree(&compiled_); }

  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  bool finds(const std::string& text) const { return regexec(&compiled_, text.c_str(), 0, nullptr, 0) == 0; }

 private:
  regex_t compiled_{};
};

template <class E>
std::set<std::string> enumerators() {
  std::set<std::string> out;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto item) { out.insert(item.name); });
  return out;
}

std::set<std::string> words_of(const Table& table, std::string_view key) {
  const auto words = find_key(table, key)->shape->words;
  return {words.begin(), words.end()};
}

const Table& table_named(std::string_view name) {
  for (const auto* table : all_tables()) {
    if (table->name == name) {
      return *table;
    }
  }
  throw std::logic_error("no such table");
}

}  // namespace

TEST_CASE("tables: every key takes its right kind") {
  for (const auto* table : all_tables()) {
    for (const auto& key : table->keys) {
      CAPTURE(table->name, key.name);
      CHECK(check(*table, with_key(*table, key, right(*key.shape))) == std::vector<std::string>{});
      if (key.shape->other != nullptr) {
        CHECK(check(*table, with_key(*table, key, right(*key.shape->other))) == std::vector<std::string>{});
      }
    }
  }
}

TEST_CASE("tables: every key refuses a wrong kind once, in its place, by its name") {
  for (const auto* table : all_tables()) {
    for (const auto& key : table->keys) {
      for (const auto& value : wrong(*key.shape)) {
        const auto text = with_key(*table, key, value);
        CAPTURE(table->name, text);
        const auto errors = check(*table, text);
        REQUIRE(errors.size() == 1);
        CHECK(errors[0].starts_with("f:2:" + std::to_string(key.name.size() + 3) + ": "));
        const bool free = key.shape->form == Form::free;
        CHECK((free || errors[0].find("\"" + std::string{key.name} + "\" ") != std::string::npos));
      }
    }
  }
}

TEST_CASE("tables: every required key is missed, at the mapping's place") {
  for (const auto* table : all_tables()) {
    for (const auto& key : table->keys) {
      if (!key.required) {
        continue;
      }
      CAPTURE(table->name, key.name);
      const auto errors = check(*table, right(*table, std::string{key.name}));
      REQUIRE(errors.size() == 1);
      CHECK(errors[0].starts_with("f:1:1: " + std::string{table->name} + " lacks the key \"" + std::string{key.name} +
                                  "\" ("));
    }
  }
}

TEST_CASE("tables: a slip in any key is told with the key that was meant") {
  for (const auto* table : all_tables()) {
    for (const auto& key : table->keys) {
      const auto slip = std::string{key.name} + key.name.back();
      CAPTURE(table->name, slip);
      const auto errors = check(*table, right(*table, {}, slip + ": 1"));
      REQUIRE(errors.size() == 1);
      CHECK(errors[0].find("unknown key \"" + slip + "\" in " + std::string{table->name}) != std::string::npos);
      CHECK(errors[0].find("did you mean \"" + std::string{key.name} + "\"?") != std::string::npos);
    }
  }
}

TEST_CASE("tables: every example is a right value") {
  for (const auto* table : all_tables()) {
    for (const auto& key : table->keys) {
      CAPTURE(table->name, key.name, key.example);
      REQUIRE(!key.example.empty());
      if (key.example.find("…") != std::string_view::npos) {
        continue;  // shows the form only
      }
      Faults faults("f");
      const auto node = read_yaml(key.example, faults);
      REQUIRE(node.has_value());
      check_shape(*node, *key.shape, key.name, faults);
      CHECK(lines(faults.errors()) == std::vector<std::string>{});
    }
  }
}

TEST_CASE("tables: no table says a key twice") {
  for (const auto* table : all_tables()) {
    std::set<std::string_view> names;
    for (const auto& key : table->keys) {
      CAPTURE(table->name, key.name);
      CHECK(names.insert(key.name).second);
      CHECK(!key.meaning.empty());
    }
  }
}

TEST_CASE("tables: words are those of the model") {
  const auto& requirement = table_named("a requirement");
  const auto& a_case = table_named("a case");
  CHECK(words_of(requirement, "strength") == enumerators<Strength>());
  CHECK(words_of(requirement, "modality") == enumerators<Modality>());
  CHECK(words_of(a_case, "type") == enumerators<CaseType>());
  CHECK(words_of(a_case, "quantifier") == enumerators<Quantifier>());
  CHECK(words_of(table_named("a unit"), "closes") == enumerators<Closes>());
  for (const auto& profile : words_of(table_named("the pace"), "profile")) {
    CHECK(pace_profile(profile).has_value());
  }
}

TEST_CASE("tables: patterns and matchers agree") {
  struct Row {
    const Syntax& syntax;
    std::vector<std::string> good;
    std::vector<std::string> bad;  // for both
  };

  const std::vector<Row> rows{
      {kName, {"a", "A-b_1"}, {"", "1a", "a b", "a.b", "é"}},
      {kIdentifier, {"A", "1", "unit-2.b"}, {"", ".a", "a/b"}},
      {kEdition, {"TS103701@1.1.1", "ASSAY@1"}, {"", "TS103701", "@1", "T@", "T@1.", "T@.1", "T@1..2", "T@a"}},
      {kQualifiedId, {"EN303645@2.1.1:5.1-1", "ASSAY@1:x"}, {"5.1-1", "EN303645:5.1-1", "E@1:", "E@1:-", "E@1:a b"}},
      {kShortProvision, {"5.1-2", "4-1", "5.3-6A"}, {"5.1", "-1", "5.-1", "a-1", "5.1-", "5.1-a"}},
      {kTableName, {"1-AuthMech", "15-Intf"}, {"AuthMech", "1-", "-a", "1-1"}},
      {kPlanId, {"cls-iot/1", "a/b.c"}, {"a", "a/", "/1", "1/a"}},
      {kFactKey, {"ports.open", "a.b.c"}, {"ports", ".a", "a.", "1.a"}},
      {kEndpointText, {"tcp/1", "udp/65535"}, {"tcp", "tcp/0", "sctp/1", "tcp/", "443"}},
      {kDuration, {"0ms", "30s", "2min"}, {"", "30", "s", "-1s", "1h", "1 s", "123456789s"}},
      {kObjectId,
       {"1.3.6.1.2.1.1.1.0", "2.999.4294967295", "0.39"},
       {"1", "3.1", "1.3.", ".1.3", "1..3", "1.03", "1.3.x", "-1.3"}},
      {kMac, {"02:00:00:00:00:0F"}, {"02:00:00:00:00", "02-00-00-00-00-00", "0g:00:00:00:00:00"}},
      {kAddress, {"10.0.0.1", "::1", "fd00::5"}, {"", "host", "10.0.0.1/24"}},
      {kNetwork, {"10.0.0.1", "10.0.0.0/24", "fd00::/64"}, {"host/24", "10.0.0.0/", "10.0.0.0/1234"}},
      {kNamespace, {"/a", "wan", "lab-1.wan"}, {"/", "", "a b", "../a", "a/b"}},
      {kInterface, {"eth0", "eth0.7", "wlp2s0"}, {"", "a b", "a/b", "a:1", "sixteen-letters-"}},
      {kDate, {"2024-02-29", "2025-12-31"}, {"", "2025", "2025-01", "2025-01-01T", "2025/01/01"}},
      {kPartialDate,
       {"2025", "2025-01", "2024-02-29", "2025-12-31"},
       {"", "25", "2025-1", "2025-13", "2025-01-01T", "2025/01/01", "undated"}},
      {kEndDate, {"2025", "2025-01-01", "undated"}, {"", "never", "2025-00"}},
  };
  for (const auto& row : rows) {
    const Pattern pattern(row.syntax.pattern);
    CHECK(row.syntax.matches(row.syntax.example));
    for (const auto& text : row.good) {
      CAPTURE(row.syntax.name, text);
      CHECK(row.syntax.matches(text));
      CHECK(pattern.finds(text));
    }
    for (const auto& text : row.bad) {
      CAPTURE(row.syntax.name, text);
      CHECK_FALSE(row.syntax.matches(text));
      CHECK_FALSE(pattern.finds(text));
    }
  }
  for (const auto* text : {"10.0.0.256", "10.0.0", "1::2::3", "fe80::1%eth0", "10.0.0.0/33", "::/129"}) {
    CAPTURE(text);
    CHECK_FALSE(kNetwork.matches(text));
  }
  CHECK_FALSE(kEndpointText.matches("tcp/65536"));
  CHECK_FALSE(kDuration.matches("99999999min"));
}

TEST_CASE("tables: a secret is never shown in an error") {
  const auto& account = table_named("an account");
  for (const std::string value : {"[hunter2]", "{hunter2: 1}"}) {
    const auto errors = check(account, "{role: a, username: b, secret: " + value + "}");
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].find("hunter2") == std::string::npos);
  }
}

TEST_CASE("tables: the many errors of a hostile file are cut") {
  std::string text = "{";
  for (int i = 0; i < 20000; ++i) {
    text += "k" + std::to_string(i) + ": 1,";
  }
  const auto errors = check(kDictionaryTable, text + "}");
  REQUIRE(errors.size() == Faults::kMaximumShown + 1);
  CHECK(errors.back().find("more errors in this file are not shown") != std::string::npos);
}

TEST_CASE("words: the nearest word is one that could be meant") {
  const std::vector<std::string> known{"vendor", "model", "hardware", "a"};
  CHECK(nearest("vendro", known) == "vendor");
  CHECK(nearest("Vendor", known) == "vendor");
  CHECK(nearest("modle", known) == "model");
  CHECK(nearest("x", known).empty());
  CHECK(nearest("firmware", known).empty());
  CHECK(nearest(std::string(1000, 'a'), known).empty());
}

TEST_CASE("words: what a person wrote is made safe to print") {
  CHECK(shown("a\x1b[31m\n") == "\"a\\x1b[31m\\x0a\"");
  CHECK(shown(std::string(100, 'a')) == "\"" + std::string(60, 'a') + "…\"");
}
