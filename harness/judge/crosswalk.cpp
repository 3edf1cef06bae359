#include "harness/judge/crosswalk.hpp"

#include <algorithm>

#include "harness/judge/judge.hpp"

namespace assay {

namespace {

bool is_open(Verdict verdict) {
  return verdict == Verdict::inconclusive || verdict == Verdict::not_tested || verdict == Verdict::error;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void add(std::vector<Closer>& list, Closer one) {
  const auto same = std::find_if(list.begin(), list.end(),
                                 [&](const Closer& known) { return known.by == one.by && known.what == one.what; });
  if (same == list.end()) {
    list.push_back(std::move(one));
    return;
  }
  for (auto& unit : one.units) {
    if (std::find(same->units.begin(), same->units.end(), unit) == same->units.end()) {
      same->units.push_back(std::move(unit));
    }
  }
}

/// Cases of two standards may find the same.
void add(std::vector<Finding>& list, const Finding& one) {
  const auto same = [&](const Finding& known) { return known.what == one.what && known.endpoint == one.endpoint; };
  if (std::none_of(list.begin(), list.end(), same)) {
    list.push_back(one);
  }
}

/// The same sentence about two endpoints is two things.
std::string sentence_of(const Finding& open) {
  return open.endpoint.empty() || contains(open.what, open.endpoint) ? open.what : open.endpoint + ": " + open.what;
}

void add_unit(std::vector<Closer>& out, const UnitVerdict& verdict) {
  if (!is_open(verdict.verdict)) {
    return;
  }
  for (const auto& open : verdict.open) {
    for (const auto by : open.closed_by) {
      add(out, {by, sentence_of(open), by == ClosedBy::hand ? open.observed : std::string{}, {verdict.id}});
    }
  }
}

bool is_not_applicable(const CaseVerdict& one) {
  return one.verdict == Verdict::not_applicable;
}

/// The maker says N/A of a provision that applies.
bool claim_is_refused(const RunPlan& plan, const RequirementVerdict& verdict) {
  const auto claim = plan.dut.ics.find(short_id(verdict.id));
  return claim != plan.dut.ics.end() && claim->second.support == Support::not_applicable &&
         !std::all_of(verdict.cases.begin(), verdict.cases.end(), is_not_applicable);
}

std::vector<Closer> closers_of(const RunPlan& plan, const Requirement& requirement, const RequirementVerdict& verdict) {
  std::vector<Closer> out;
  if (!is_open(verdict.verdict)) {
    return out;
  }
  for (std::size_t i = 0; i < verdict.cases.size(); ++i) {
    const auto& one = verdict.cases[i];
    if (is_not_applicable(one)) {
      continue;
    }
    for (const auto& unit : one.units) {
      add_unit(out, unit);
    }
    const auto planned = std::find_if(plan.cases.begin(), plan.cases.end(),
                                      [&](const PlannedCase& known) { return known.id == one.id; });
    if (planned != plan.cases.end() && planned->selection == Selection::open) {
      add(out, {ClosedBy::declaration, "whether it applies is open: " + planned->because, {}, {one.id}});
    }
  }
  if (claim_is_refused(plan, verdict)) {
    add(out, {ClosedBy::declaration, verdict.because, {}, {}});
  }
  if (std::all_of(verdict.cases.begin(), verdict.cases.end(), is_not_applicable)) {
    add(out, {ClosedBy::laboratory, verdict.because, {}, {}});
  }
  if (requirement.strength == Strength::unconfirmed) {
    add(out, {ClosedBy::scheme,
              "what the scheme asks here is not confirmed: look into " + plan.plan.scheme.document,
              {},
              {}});
  }
  std::stable_sort(out.begin(), out.end(), [](const Closer& one, const Closer& other) { return one.by < other.by; });
  return out;
}

CrosswalkRow row_of(const RunPlan& plan, const CrosswalkData& data, const Requirement& requirement,
                    const RequirementVerdict& verdict) {
  CrosswalkRow out;
  out.id = verdict.id;
  out.title = verdict.title;
  out.modality = verdict.modality;
  out.strength = requirement.strength;
  out.verdict = verdict.verdict;
  out.because = verdict.because;
  std::copy_if(data.rows.begin(), data.rows.end(), std::back_inserter(out.mapped),
               [&](const MappingRow& row) { return row.id == requirement.id; });
  for (const auto& one : verdict.cases) {
    for (const auto& unit : one.units) {
      std::for_each(unit.findings.begin(), unit.findings.end(),
                    [&](const Finding& found) { add(out.findings, found); });
      for (const auto& id : unit.observations) {
        if (std::find(out.observations.begin(), out.observations.end(), id) == out.observations.end()) {
          out.observations.push_back(id);
        }
      }
    }
  }
  out.closes = closers_of(plan, requirement, verdict);
  return out;
}

std::string statement_of(const LevelSummary& summary) {
  auto out = "evidence for " + std::to_string(summary.evidenced) + " of " + std::to_string(summary.requirements) +
             " requirements, " + std::to_string(summary.open) + " open";
  if (summary.failed > 0) {
    out += ", " + std::to_string(summary.failed) + " failed";
  }
  if (summary.errors > 0) {
    out += ", " + std::to_string(summary.errors) + " ended in an error of ours";
  }
  return out;
}

}  // namespace

CrosswalkPlan not_judged(const Plan& plan, std::string_view why) {
  CrosswalkPlan out;
  out.plan = plan.id;
  out.title = plan.title;
  out.scheme = plan.scheme;
  out.draft = !plan.approval;
  out.summary.plan = plan.id;
  out.summary.draft = out.draft;
  out.statement = "not judged: " + std::string{why};
  return out;
}

CrosswalkPlan not_judged(const Plan& plan, const ProductRule& rule, std::string_view product_class) {
  auto out = not_judged(plan, "the plan does not speak to product class " + std::string{product_class});
  out.suppressed = rule;
  return out;
}

CrosswalkPlan judge_elsewhere(const RunPlan& other, const CrosswalkData& data,
                              std::span<const Observation> observations, const RunFacts& facts,
                              const HumanRecord& record) {
  auto out = not_judged(other.plan, "");
  const auto verdicts = judge(other, observations, facts, record);
  out.summary = verdicts.summary;
  out.statement = statement_of(verdicts.summary);
  for (std::size_t i = 0; i < verdicts.requirements.size(); ++i) {
    out.rows.push_back(row_of(other, data, other.plan.requirements[i], verdicts.requirements[i]));
  }
  return out;
}

std::string crosswalk_sentence(std::string_view plan_id) {
  return "What was recorded in a run of " + std::string{plan_id} +
         ", judged by other plans with their own pass lines. It is evidence for requirements, no label and no "
         "statement that one will be given.";
}

}  // namespace assay
