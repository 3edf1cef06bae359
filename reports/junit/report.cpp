#include "reports/junit/report.hpp"

#include <algorithm>
#include <ostream>

#include "harness/model/joined.hpp"
#include "reports/common/reading.hpp"
#include "reports/junit/xml.hpp"

namespace assay {

namespace {

using reports::XmlAttributes;
using reports::XmlWriter;

/// One testcase, whatever it was made from.
struct Row {
  std::string classname;
  std::string name;
  Verdict verdict = Verdict::not_tested;
  std::string element;  // failure, error, skipped; empty: passed
  std::string message;
  std::string detail;  // system-out
};

struct Suite {
  std::string name;
  XmlAttributes properties;
  std::vector<Row> rows;

  std::int64_t count(std::string_view element) const {
    return std::count_if(rows.begin(), rows.end(), [&](const Row& row) { return row.element == element; });
  }
};

std::string element_for(Verdict verdict, const JunitOptions& options) {
  switch (verdict) {
    case Verdict::pass:
      return {};
    case Verdict::fail:
      return "failure";
    case Verdict::inconclusive:
    case Verdict::not_tested:
      return enum_name(options.inconclusive);
    case Verdict::not_applicable:
    case Verdict::not_claimed:
      return "skipped";
    case Verdict::error:
      break;
  }
  return "error";
}

/// CI servers split class names at dots into packages: the requirement is the package, the case the class.
std::string classname(const std::string& requirement, const std::string& item) {
  const auto undotted = [](std::string text) {
    std::replace(text.begin(), text.end(), '.', '_');
    return text;
  };
  return undotted(requirement) + "." + undotted(item);
}

void add_line(std::string& out, const std::string& label, const std::string& text) {
  if (!text.empty()) {
    out += label + text + "\n";
  }
}

void add_findings(std::string& out, const std::string& label, const std::vector<Finding>& findings) {
  for (const auto& finding : findings) {
    add_line(out, label, finding.what);
    add_line(out, "  endpoint: ", finding.endpoint);
    add_line(out, "  expected: ", finding.expected);
    add_line(out, "  observed: ", finding.observed);
    for (const auto& digest : finding.evidence) {
      add_line(out, "  evidence: artifacts/", digest);
    }
    add_line(out, "  observations: ", joined(finding.observations));
  }
}

Row row_for(const RequirementVerdict& requirement, const CaseVerdict& item, const UnitVerdict& unit,
            const JunitOptions& options) {
  Row row{classname(requirement.id, item.id),
          reports::unit_label(item, unit) + ": " + unit.title,
          unit.verdict,
          element_for(unit.verdict, options),
          unit.because,
          {}};
  if (unit.findings.size() + unit.open.size() == 1) {
    row.message = (unit.findings.empty() ? unit.open : unit.findings).front().what;
  }
  add_line(row.detail, word_for(unit.verdict, unit.inherited) + ": ", unit.because);
  add_findings(row.detail, "finding: ", unit.findings);
  add_findings(row.detail, "open: ", unit.open);
  add_line(row.detail, "remedy: ", unit.remedy);
  add_line(row.detail, "judged on: ", joined(unit.observations));
  return row;
}

/// What has no parts is one row itself: nothing that was planned is left out.
Row row_for_whole(const std::string& of, const std::string& id, const std::string& title, Verdict verdict,
                  const std::string& because, const JunitOptions& options) {
  return {classname(of, id), title, verdict, element_for(verdict, options), because, {}};
}

Suite suite_for(const RequirementVerdict& requirement, const JunitOptions& options) {
  Suite suite;
  suite.name = requirement.id + " " + requirement.title;
  suite.properties = {{"verdict", word_for(requirement.verdict, requirement.inherited)},
                      {"because", requirement.because},
                      {"modality", requirement.modality},
                      {"strength", requirement.strength}};
  for (const auto& item : requirement.cases) {
    for (const auto& unit : item.units) {
      suite.rows.push_back(row_for(requirement, item, unit, options));
    }
    if (item.units.empty()) {
      suite.rows.push_back(row_for_whole(requirement.id, item.id, item.title, item.verdict, item.because, options));
    }
  }
  if (requirement.cases.empty()) {
    suite.rows.push_back(row_for_whole(requirement.id, requirement.id, requirement.title, requirement.verdict,
                                       requirement.because, options));
  }
  return suite;
}

/// An open run has no verdicts: one error, so that no server shows green.
std::vector<Suite> suites_of_open(const Bundle& bundle) {
  const auto& plan = bundle.run_plan().plan;
  Suite suite;
  suite.name = plan.id + " " + plan.title;
  suite.rows = {{"assay.run",
                 "the run is complete",
                 Verdict::error,
                 "error",
                 "the run was interrupted and has no verdicts yet; `assay resume` goes on with it",
                 {}}};
  for (const auto& item : plan.cases) {
    suite.rows.push_back(
        {classname(item.covers, item.id), item.title, Verdict::not_tested, "skipped", "the run is not complete", {}});
  }
  return {suite};
}

std::vector<Suite> suites_of(const Bundle& bundle, const JunitOptions& options) {
  if (!bundle.verdicts()) {
    return suites_of_open(bundle);
  }
  std::vector<Suite> out;
  for (const auto& requirement : bundle.verdicts()->requirements) {
    out.push_back(suite_for(requirement, options));
  }
  return out;
}

/// The same on every suite: CI servers show suites one by one.
XmlAttributes run_properties(const Bundle& bundle) {
  const auto& plan = bundle.run_plan();
  const auto& device = plan.dut.device;
  const auto secrets = reports::secrets_of_run(bundle);
  XmlAttributes out{{"plan", plan.plan.id},
                    {"plan_status", plan.plan.approval ? "approved" : "DRAFT PLAN, not for submission"},
                    {"vendor", device.vendor},
                    {"model", device.model},
                    {"hardware", device.hardware},
                    {"firmware", device.firmware},
                    {"result", bundle.verdicts() ? bundle.verdicts()->summary.statement : "the run is not complete"},
                    {"chain_head", reports::chain_head(bundle)}};
  if (secrets && secrets->revealed) {
    out.emplace_back("secrets", std::string{reports::kContainsSecrets});
  }
  return out;
}

void write_suite(const Suite& suite, const XmlAttributes& common, const std::string& began, XmlWriter& xml) {
  xml.open("testsuite", {{"name", suite.name},
                         {"tests", std::to_string(suite.rows.size())},
                         {"failures", std::to_string(suite.count("failure"))},
                         {"errors", std::to_string(suite.count("error"))},
                         {"skipped", std::to_string(suite.count("skipped"))},
                         {"timestamp", began.substr(0, std::string_view{"2026-11-23T18:00:00"}.size())}});
  xml.open("properties", {});
  for (const auto* properties : {&suite.properties, &common}) {
    for (const auto& [name, value] : *properties) {
      xml.leaf("property", {{"name", std::string{name}}, {"value", value}});
    }
  }
  xml.close();
  for (const auto& row : suite.rows) {
    xml.open("testcase", {{"classname", row.classname}, {"name", row.name}});
    if (!row.element.empty()) {
      xml.leaf(row.element, {{"type", std::string{word_for(row.verdict)}}, {"message", row.message}});
    }
    if (!row.detail.empty()) {
      xml.leaf("system-out", {}, row.detail);
    }
    xml.close();
  }
  xml.close();
}

}  // namespace

Result<> write_junit_report(const Bundle& bundle, const JunitOptions& options, std::ostream& out) {
  const auto suites = suites_of(bundle, options);
  const auto total = [&](auto count) {
    std::int64_t sum = 0;
    for (const auto& suite : suites) {
      sum += count(suite);
    }
    return std::to_string(sum);
  };
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  XmlWriter xml{out};
  xml.open("testsuites",
           {{"name", "assay " + bundle.run_plan().plan.id},
            {"tests", total([](const Suite& suite) { return static_cast<std::int64_t>(suite.rows.size()); })},
            {"failures", total([](const Suite& suite) { return suite.count("failure"); })},
            {"errors", total([](const Suite& suite) { return suite.count("error"); })}});
  const auto common = run_properties(bundle);
  const auto began = reports::run_dates(bundle).began;
  for (const auto& suite : suites) {
    write_suite(suite, common, began, xml);
  }
  xml.close();
  if (!out.flush()) {
    return Error{ErrorKind::io, "the JUnit report could not be written", {}};
  }
  return {};
}

}  // namespace assay
