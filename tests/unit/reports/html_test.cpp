#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "reports/html/report.hpp"
#include "reports/html/templates.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_bundle.hpp"

using assay::Bundle;
using assay::TempFolder;

namespace {

std::string html_of(const Bundle& bundle) {
  std::ostringstream out;
  const auto written = assay::write_html_report(bundle, out);
  REQUIRE(written);
  return out.str();
}

std::string deck_of(const Bundle& bundle) {
  std::ostringstream out;
  const auto written = assay::write_evidence_deck(bundle, out);
  REQUIRE(written);
  return out.str();
}

std::string golden_html(const TempFolder& folder) {
  assay::golden::write(folder.path() / "bundle");
  return html_of(assay::golden::open(folder.path() / "bundle"));
}

struct Tag {
  std::string name;
  std::map<std::string, std::string> attributes;
};

/// Attributes of the form name="value" only: that is all our templates write.
std::map<std::string, std::string> attributes_of(std::string_view text) {
  std::map<std::string, std::string> out;
  while (true) {
    const auto begin = text.find_first_not_of(" \n/");
    if (begin == std::string_view::npos) {
      return out;
    }
    const auto end = text.find_first_of(" =\n", begin);
    const auto name = std::string{text.substr(begin, end == std::string_view::npos ? end : end - begin)};
    if (end == std::string_view::npos || text[end] != '=') {
      out[name] = "";
      text.remove_prefix(end == std::string_view::npos ? text.size() : end);
      continue;
    }
    REQUIRE(text.substr(end).starts_with("=\""));
    const auto close = text.find('"', end + 2);
    REQUIRE(close != std::string_view::npos);
    out[name] = std::string{text.substr(end + 2, close - end - 2)};
    text.remove_prefix(close + 1);
  }
}

/// Every tag a browser would see; a '>' inside a quoted value does not end one.
std::vector<Tag> tags_of(std::string_view html) {
  std::vector<Tag> out;
  for (auto at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
    auto end = at + 1;
    for (bool quoted = false; end < html.size() && (quoted || html[end] != '>'); ++end) {
      quoted = quoted != (html[end] == '"');
    }
    REQUIRE(end < html.size());
    const auto inside = html.substr(at + 1, end - at - 1);
    const auto name_end = inside.find_first_of(" \n");
    Tag tag{std::string{inside.substr(0, name_end)}, {}};
    if (name_end != std::string_view::npos && !inside.starts_with('!')) {
      tag.attributes = attributes_of(inside.substr(name_end));
    }
    out.push_back(std::move(tag));
    at = end;
  }
  return out;
}

const std::set<std::string> kElements = {
    "!DOCTYPE", "html", "head",    "meta",    "title", "style", "body",   "a",       "header",  "p",
    "span",     "h1",   "h2",      "h3",      "h4",    "h5",    "strong", "dl",      "dt",      "dd",
    "div",      "main", "section", "ul",      "ol",    "li",    "table",  "caption", "thead",   "tbody",
    "tr",       "th",   "td",      "article", "em",    "code",  "pre",    "details", "summary", "footer",
};
const std::set<std::string> kAttributes = {
    "lang", "charset",         "http-equiv",  "content", "name",  "class", "href",
    "id",   "aria-labelledby", "aria-hidden", "role",    "scope", "title", "style",
};

void check_only_known_markup(const std::string& html) {
  for (const auto& tag : tags_of(html)) {
    const auto name = tag.name.starts_with('/') ? tag.name.substr(1) : tag.name;
    INFO("<" << tag.name << ">");
    CHECK(kElements.contains(name));
    for (const auto& [attribute, value] : tag.attributes) {
      INFO(attribute << "=" << value);
      CHECK(kAttributes.contains(attribute));
      if (attribute == "href") {
        CHECK((value.starts_with("#") || value.starts_with("artifacts/") || value.starts_with("restricted/")));
      }
    }
  }
}

constexpr std::string_view kAttack =
    "\"><img src=x onerror=alert(1)> ' onmouseover='alert(2) </style></title></pre><script>alert(3)</script> --> "
    "javascript:alert(4) {{%AUTOESCAPE context=\"CSS\"}}{{>STYLE}} url(http://192.0.2.1/x) \xE2\x80\xAE\x1b[2J";

/// The golden plan and one observation with the attack in every text that comes from a device, a file or an expression.
Bundle attacked(const std::filesystem::path& directory) {
  const std::string attack{kAttack};
  auto plan = assay::golden::run_plan();
  plan.plan.id = plan.plan.standard = plan.plan.method = attack;
  plan.plan.scheme = {attack, attack, attack, true};
  plan.plan.inputs = {{attack, attack}};
  plan.dut.device = {attack, attack, attack, attack, attack, attack};
  plan.dut.samples[0] = {attack, attack, attack, {}, false};
  plan.targets = {{attack, attack, attack, attack}};
  plan.probes[0].id = plan.probes[0].summary = attack;
  plan.steps[0].id = plan.steps[0].probe = plan.allow = plan.dut.pace.profile = attack;
  plan.cases[1].id = plan.cases[1].because = attack;
  for (auto& requirement : plan.plan.requirements) {
    requirement.title = requirement.source = requirement.condition_words = attack;
    requirement.minimum = requirement.evidence = requirement.assessment = attack;
  }
  plan.plan.cases[2].units[0].manual = assay::ManualStep{attack, attack, attack, attack, attack, {attack}};

  auto made = assay::evidence::create_bundle(directory, plan, {{}, {{attack, attack}, {"tool", attack}}},
                                             assay::golden::clock());
  REQUIRE(made);
  const auto text = (*made)->artifact(attack, "text/plain; charset=" + attack, attack + "\xFF");
  REQUIRE(text);
  assay::Observation seen;
  seen.id = seen.error = seen.began = attack;
  seen.invocation = {attack, attack, plan.targets[0], assay::Endpoint::parse("tcp/80"), {{attack, attack}}};
  seen.completion = assay::Completion::reset;
  seen.facts = {{attack, attack}, {"list", assay::json::array{assay::json::object{{attack, attack}}}}};
  seen.absent = {attack};
  seen.unobserved = {{attack + "2", attack}};
  seen.coverage = {{attack, assay::json::object{{attack, attack}}}};
  seen.artifacts = {*text};
  seen.evidence = {{attack, {text->sha256, attack}}};
  REQUIRE((*made)->append("observation", {{"observation", assay::to_json(seen)}}));
  REQUIRE((*made)->append("note", {{attack, attack}}));

  auto verdicts = assay::golden::verdicts();
  verdicts.summary.statement = attack;
  for (auto& requirement : verdicts.requirements) {
    requirement.title = requirement.modality = requirement.strength = requirement.because = attack;
    for (auto& item : requirement.cases) {
      item.title = item.type = item.because = attack;
      for (auto& unit : item.units) {
        unit.title = unit.because = unit.remedy = attack;
        unit.observations = {attack, "o99"};
        unit.findings = {{attack, attack, attack, attack, {attack, text->sha256}, {attack, "o99"}}};
        unit.open = unit.findings;
      }
    }
  }
  REQUIRE((*made)->close(verdicts));
  return assay::golden::open(directory);
}

}  // namespace

TEST_CASE("Every HTML template begins with the pragma that escapes by context") {
  CHECK(assay::reports::html_templates().size() >= 9);
  for (const auto& file : assay::reports::html_templates()) {
    INFO(file.name);
    CHECK(file.text.starts_with("{{%AUTOESCAPE context=\"HTML\"}}"));
    CHECK(file.text.find(":none") == std::string_view::npos);  // the modifier that switches escaping off
  }
}

TEST_CASE("The HTML report of the golden bundle is the golden one") {
  const TempFolder folder;
  CHECK(assay::golden::difference("report.html", golden_html(folder)).empty());
}

TEST_CASE("The HTML report of an open run says so and names no verdict") {
  const TempFolder folder;
  assay::golden::write_open(folder.path() / "bundle");
  const auto html = html_of(assay::golden::open(folder.path() / "bundle"));
  CHECK(assay::golden::difference("report-open.html", html).empty());
  CHECK(html.find("The run is still open") != std::string::npos);
  CHECK(html.find("No verdict yet on 7 requirements") != std::string::npos);
  CHECK(html.find("id=\"observation-1\"") != std::string::npos);
  CHECK(html.find("chip v-pass") == std::string::npos);
  CHECK(html.find("chip v-fail") == std::string::npos);
}

TEST_CASE("A draft plan is named a draft before its result and nothing is claimed") {
  const TempFolder folder;
  const auto html = golden_html(folder);
  const auto draft = html.find("DRAFT PLAN, not for submission");
  REQUIRE(draft != std::string::npos);
  CHECK(draft < html.find("1 of 7 requirements evidenced, 1 failed, 2 open"));
  for (const auto* word : {"certified", "recognised", "label obtained", "Level PASS", "level PASS"}) {
    INFO(word);
    CHECK(html.find(word) == std::string::npos);
  }
  CHECK(html.find("relate only to the items tested") != std::string::npos);
}

TEST_CASE("An approved plan carries no draft banner") {
  const TempFolder folder;
  auto plan = assay::golden::run_plan();
  plan.plan.approval = assay::Approval{"p/1", "", "D 1", "A. Person", "Lab", "2026-11-24T09:00:00Z", ""};
  auto made = assay::evidence::create_bundle(folder.path() / "bundle", plan, {}, assay::golden::clock());
  REQUIRE(made);
  auto verdicts = assay::golden::verdicts();
  verdicts.summary.draft = false;
  REQUIRE((*made)->close(verdicts));
  const auto html = html_of(assay::golden::open(folder.path() / "bundle"));
  CHECK(html.find("DRAFT") == std::string::npos);
  CHECK(html.find("checked against D 1 by A. Person, Lab, 2026-11-24 09:00:00 UTC") != std::string::npos);
}

TEST_CASE("Hostile text becomes neither an element nor an attribute nor an address") {
  const TempFolder folder;
  check_only_known_markup(golden_html(folder));
  const auto html = html_of(attacked(folder.path() / "attacked"));
  CHECK(html.find("&lt;script&gt;alert(3)") != std::string::npos);
  check_only_known_markup(html);
}

TEST_CASE("The evidence deck lays out every requirement in three columns and escapes as the report does") {
  const TempFolder folder;
  assay::golden::write(folder.path() / "bundle");
  const auto bundle = assay::golden::open(folder.path() / "bundle");
  const auto html = deck_of(bundle);
  check_only_known_markup(html);
  CHECK(html == deck_of(bundle));
  for (const auto& requirement : bundle.run_plan().plan.requirements) {
    CHECK(html.find(requirement.id) != std::string::npos);
  }
  for (const auto* heading : {"Minimum requirement", "Supporting evidence", "Assessment", "DRAFT PLAN"}) {
    CHECK(html.find(heading) != std::string::npos);
  }
  CHECK(html.find("href=\"artifacts/") != std::string::npos);
  const auto attack = deck_of(attacked(folder.path() / "attacked"));
  CHECK(attack.find("<script>") == std::string::npos);
  check_only_known_markup(attack);
}

TEST_CASE("The page asks for nothing outside itself") {
  const TempFolder folder;
  const auto golden = golden_html(folder);
  const auto attack = html_of(attacked(folder.path() / "attacked"));
  CHECK(golden.find("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"") != std::string::npos);
  for (const auto& html : {golden, attack}) {
    const auto style = html.substr(html.find("<style>"), html.find("</style>") - html.find("<style>"));
    CHECK(style.find("url(") == std::string::npos);
    CHECK(style.find("@import") == std::string::npos);
    for (const auto& tag : tags_of(html)) {
      CHECK(!tag.attributes.contains("src"));
      for (const auto& [name, value] : tag.attributes) {
        INFO(tag.name << " " << name << "=" << value);
        // The attack may stand in a title, where it is only text.
        CHECK((name == "title" || value.find("://") == std::string::npos));
      }
    }
  }
}

TEST_CASE("No control character and no mark that hides or reorders text reaches the page") {
  const TempFolder folder;
  for (const auto& html : {golden_html(folder), html_of(attacked(folder.path() / "attacked"))}) {
    CHECK(std::ranges::none_of(html, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F || byte == 0xFF;
    }));
    CHECK(html.find("\xE2\x80\xAE") == std::string::npos);
    CHECK(html.find("⟨U+202E⟩") != std::string::npos);
    CHECK(html.find("⟨ESC⟩[") != std::string::npos);
  }
}

TEST_CASE("Every link leads to evidence that is in the bundle or to a place in the page") {
  const TempFolder folder;
  for (const auto* name : {"bundle", "attacked"}) {
    const auto html =
        name == std::string_view{"bundle"} ? golden_html(folder) : html_of(attacked(folder.path() / name));
    std::set<std::string> ids;
    std::set<std::string> links;
    for (const auto& tag : tags_of(html)) {
      if (const auto id = tag.attributes.find("id"); id != tag.attributes.end()) {
        INFO("two places named " << id->second);
        CHECK(ids.insert(id->second).second);
      }
      if (const auto href = tag.attributes.find("href"); href != tag.attributes.end()) {
        links.insert(href->second);
      }
    }
    CHECK(std::ranges::any_of(links, [](const auto& link) { return link.starts_with("artifacts/"); }));
    for (const auto& link : links) {
      INFO(link);
      CHECK((link.starts_with('#') ? ids.contains(link.substr(1))
                                   : std::filesystem::exists(folder.path() / name / link)));
    }
  }
}

TEST_CASE("Evidence and observations that the bundle does not hold are said to be missing") {
  const TempFolder folder;
  const auto html = html_of(attacked(folder.path() / "attacked"));
  CHECK(html.find("observation o99: not in this bundle") != std::string::npos);
  CHECK(html.find(": not in this bundle") != std::string::npos);
}

TEST_CASE("Texts up to 16 KiB are shown in the page, larger ones are only linked") {
  const TempFolder folder;
  auto made =
      assay::evidence::create_bundle(folder.path() / "b", assay::golden::run_plan(), {}, assay::golden::clock());
  REQUIRE(made);
  const auto small = (*made)->artifact("small", "text/plain", std::string(16 * 1024, 's'));
  const auto large = (*made)->artifact("large", "text/plain", std::string(16 * 1024 + 1, 'l'));
  REQUIRE(small);
  REQUIRE(large);
  assay::Observation seen;
  seen.id = "o1";
  seen.artifacts = {*small, *large};
  REQUIRE((*made)->append("observation", {{"observation", assay::to_json(seen)}}));
  const auto html = html_of(assay::golden::open(folder.path() / "b"));
  CHECK(html.find(std::string(16 * 1024, 's')) != std::string::npos);
  CHECK(html.find("llll") == std::string::npos);
  CHECK(html.find("artifacts/" + large->sha256) != std::string::npos);
}

TEST_CASE("Evidence links begin with the path from the report to its bundle") {
  const TempFolder folder;
  assay::golden::write(folder.path() / "bundle");
  std::ostringstream out;
  REQUIRE(assay::write_html_report(assay::golden::open(folder.path() / "bundle"), out, "bundle/"));
  CHECK(out.str().find("href=\"bundle/artifacts/") != std::string::npos);
  CHECK(out.str().find("href=\"artifacts/") == std::string::npos);
}

TEST_CASE("A report that cannot be written is an error") {
  const TempFolder folder;
  assay::golden::write(folder.path() / "bundle");
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  const auto written = assay::write_html_report(assay::golden::open(folder.path() / "bundle"), out);
  REQUIRE(!written);
  CHECK(written.error().kind == assay::ErrorKind::io);
}
