#include <algorithm>
#include <map>

#include "harness/model/joined.hpp"
#include "reports/html/pages.hpp"

/// Each requirement with its cases, units and findings.
namespace assay::reports {

namespace {

void put_evidence(const Reading& reading, const Finding& finding, Section row) {
  for (const auto& digest : finding.evidence) {
    if (!put_artifact(reading, row, "FILE", digest)) {
      row.maybe("MISSING_FILE", digest);
    }
  }
  for (const auto& id : finding.observations) {
    const auto anchor = observation_anchor(reading, id);
    if (anchor.empty()) {
      row.maybe("UNSEEN", id);
      continue;
    }
    auto seen = row.add("SEEN");
    seen.text("ANCHOR", anchor);
    seen.text("ID", id);
  }
  if (finding.evidence.empty() && finding.observations.empty()) {
    row.maybe("NO_EVIDENCE", "–");
  }
}

void put_findings(const Reading& reading, const std::vector<Finding>& findings, std::string_view caption,
                  Section unit) {
  if (findings.empty()) {
    return;
  }
  auto table = unit.add("FINDINGS");
  table.text("CAPTION", caption);
  // What is missing seldom has an expected and an observed value: no empty columns then.
  const bool values = std::ranges::any_of(
      findings, [](const Finding& finding) { return !finding.expected.empty() || !finding.observed.empty(); });
  table.text("SHAPE", values ? "findings" : "findings wide");
  if (values) {
    table.add("VALUES");
  }
  for (const auto& finding : findings) {
    auto row = table.add("FINDING");
    row.text("WHAT", finding.what);
    row.text("ENDPOINT", finding.endpoint.empty() ? "device" : finding.endpoint);
    if (values) {
      auto pair = row.add("VALUES");
      pair.text("EXPECTED", finding.expected);
      pair.text("OBSERVED", finding.observed);
    }
    put_evidence(reading, finding, row);
  }
}

void put_manual(const ManualStep& step, Section unit) {
  auto manual = unit.add("MANUAL");
  manual.prose("QUESTION", step.question);
  manual.maybe("LOOK_AT", step.look_at);
  manual.maybe("PASS", step.pass);
  manual.maybe("FAIL", step.fail);
  manual.maybe("INCONCLUSIVE", step.inconclusive);
  manual.maybe("ATTACH", joined(step.attachments));
}

void put_judged_on(const Reading& reading, const UnitVerdict& verdict, Section unit) {
  if (verdict.observations.empty()) {
    return;
  }
  auto judged = unit.add("JUDGED_ON");
  for (const auto& id : verdict.observations) {
    auto link = judged.add("LINK");
    const auto anchor = observation_anchor(reading, id);
    link.text("ANCHOR", anchor.empty() ? "observations" : anchor);
    link.text("ID", id);
  }
}

/// What a person said, beside what the machine said.
void put_person(const Reading& reading, const PersonsVerdict& person, Section unit) {
  static const std::map<Standing, std::string_view> kStanding = {
      {Standing::counts, ""},
      {Standing::awaits_review, "Does not count before a second person has confirmed it."},
      {Standing::disputed, "Disputed."},
      {Standing::unmarked, "Does not count: it goes against the machine without saying so."}};
  auto section = unit.add("PERSON");
  section.text("WORD", word_for(person.verdict));
  section.text("AUTHOR", person.author);
  section.text("TIME", readable_time(person.time));
  section.text("EVENT", std::to_string(person.event));
  section.prose("RATIONALE", person.rationale);
  section.maybe("STANDING", kStanding.at(person.standing));
  section.text("MACHINE", word_for(person.machine));
  section.prose("MACHINE_BECAUSE", person.machine_because);
  section.text("REVIEWER", person.reviewer.empty() ? "nobody yet" : person.reviewer);
  section.maybe("COMMENT", person.review_comment);
  for (const auto& digest : person.evidence) {
    put_artifact(reading, section, "FILE", digest);
  }
}

/// Words that the case or the requirement above has said already are not said again.
void put_unit(const Reading& reading, const CaseVerdict& of, const UnitVerdict& verdict, Section unit) {
  const auto* planned_case = find_case(reading.plan.plan, of.id);
  const auto* planned = planned_case == nullptr ? nullptr : find_unit(*planned_case, verdict.id);
  put_look(unit, look_of(verdict.verdict, verdict.inherited));
  unit.text("LABEL", unit_label(of, verdict));
  unit.prose("NAME", verdict.title);
  const bool persons = verdict.person && verdict.person->standing == Standing::counts;
  if (verdict.because != of.because && !persons) {
    unit.maybe("BECAUSE", verdict.because);
  }
  if (persons && verdict.person->overrides) {
    unit.add("OVERRIDDEN");
  }
  if (verdict.pass_proposed) {
    unit.add("PROPOSED");
  }
  if (verdict.person) {
    put_person(reading, *verdict.person, unit);
  }
  put_findings(reading, verdict.findings, "Findings", unit);
  put_findings(reading, open_findings(planned, verdict), "What is missing", unit);
  if (verdict.verdict == Verdict::fail) {
    unit.maybe("REMEDY", verdict.remedy);
  }
  if (planned != nullptr && planned->manual && is_open(verdict.verdict)) {
    put_manual(*planned->manual, unit);
  }
  put_judged_on(reading, verdict, unit);
}

void put_case(const Reading& reading, const RequirementVerdict& parent, const CaseVerdict& verdict, Section section) {
  put_look(section, look_of(verdict.verdict, verdict.inherited));
  section.text("ID", verdict.id);
  section.prose("NAME", verdict.title);
  section.text("TYPE", verdict.type == "functional" ? "Functional case" : "Conceptual case");
  if (verdict.because != parent.because) {
    section.maybe("BECAUSE", verdict.because);
  }
  for (const auto& unit : verdict.units) {
    put_unit(reading, verdict, unit, section.include("UNIT", "unit.tpl"));
  }
}

std::string or_not_stated(std::string_view text) {
  return std::string{text.empty() ? "Not stated in the plan." : text};
}

}  // namespace

void put_columns(const Requirement* planned, Section article) {
  article.prose("MINIMUM", or_not_stated(planned == nullptr ? "" : planned->minimum));
  article.prose("EVIDENCE", or_not_stated(planned == nullptr ? "" : planned->evidence));
  article.prose("ASSESSMENT", or_not_stated(planned == nullptr ? "" : planned->assessment));
  std::string provenance;
  if (planned != nullptr) {
    provenance = (planned->modality == Modality::shall ? "Mandatory" : "Recommended");
    provenance += planned->condition_words.empty() ? "." : ", when " + planned->condition_words + ".";
    provenance += " How sure the plan is of its words: " + enum_name(planned->strength);
    provenance += planned->source.empty() ? "." : ", from " + planned->source + ".";
  }
  article.text("PROVENANCE", provenance);
}

void put_declared(const Dut& dut, std::string_view id, Section article) {
  const auto row = dut.ics.find(short_id(id));
  if (row == dut.ics.end()) {
    return;
  }
  const auto support = row->second.support == Support::yes ? "Y" : row->second.support == Support::no ? "N" : "N/A";
  article.maybe("DECLARED",
                support + (row->second.because.empty() ? std::string{} : ", because: " + row->second.because));
}

void fill_requirements(const Reading& reading, Section page) {
  const auto& plan = reading.plan.plan;
  if (const auto& verdicts = reading.bundle.verdicts()) {
    for (std::size_t i = 0; i < verdicts->requirements.size(); ++i) {
      const auto& requirement = verdicts->requirements[i];
      auto article = page.include("REQUIREMENT", "requirement.tpl");
      article.text("ANCHOR", requirement_anchor(i));
      put_look(article, look_of(requirement.verdict, requirement.inherited));
      article.text("ID", requirement.id);
      article.prose("NAME", requirement.title);
      article.maybe("BECAUSE", requirement.because);
      put_columns(find_requirement(plan, requirement.id), article);
      put_declared(reading.plan.dut, requirement.id, article);
      for (const auto& verdict : requirement.cases) {
        put_case(reading, requirement, verdict, article.add("CASE"));
      }
    }
    return;
  }
  page.maybe("NO_VERDICTS", "The run is still open. These are the requirements it will be judged against.");
  for (std::size_t i = 0; i < plan.requirements.size(); ++i) {
    auto article = page.include("REQUIREMENT", "requirement.tpl");
    article.text("ANCHOR", requirement_anchor(i));
    put_look(article, look_without_verdict());
    article.text("ID", plan.requirements[i].id);
    article.prose("NAME", plan.requirements[i].title);
    put_columns(&plan.requirements[i], article);
    put_declared(reading.plan.dut, plan.requirements[i].id, article);
  }
}

}  // namespace assay::reports
