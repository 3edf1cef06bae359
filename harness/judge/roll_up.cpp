#include "harness/judge/roll_up.hpp"

#include <algorithm>
#include <map>

#include "harness/expr/document.hpp"

namespace assay {

namespace {

constexpr std::string_view kAcceptance = "N/A needs a named laboratory acceptance";

/// FAIL is proven whatever else is open; then our own faults; then what is open; PASS only when all is.
int weight(Verdict verdict) {
  switch (verdict) {
    case Verdict::fail:
      return 6;
    case Verdict::error:
      return 5;
    case Verdict::inconclusive:
      return 4;
    case Verdict::not_tested:
      return 3;
    case Verdict::not_claimed:
      return 2;
    case Verdict::pass:
      return 1;
    case Verdict::not_applicable:
      return 0;
  }
  return 5;
}

Verdict worst(const std::vector<Verdict>& verdicts) {
  const auto heaviest =
      std::max_element(verdicts.begin(), verdicts.end(), [](Verdict a, Verdict b) { return weight(a) < weight(b); });
  return heaviest == verdicts.end() ? Verdict::not_tested : *heaviest;
}

bool passes(Verdict verdict) {
  return verdict == Verdict::pass;
}

/// One mechanism that holds is enough; all must be known to fail before it is a FAIL.
Verdict best(std::vector<Verdict> verdicts) {
  if (std::any_of(verdicts.begin(), verdicts.end(), passes)) {
    return Verdict::pass;
  }
  if (std::any_of(verdicts.begin(), verdicts.end(), [](Verdict verdict) { return verdict != Verdict::fail; })) {
    std::erase(verdicts, Verdict::fail);
  }
  return worst(verdicts);
}

std::string reason_of(const UnitVerdict& unit) {
  return unit.id + ": " + unit.because;
}

std::string reason_of(const CaseVerdict& one) {
  return one.because;  // begins with the unit's id, and so with the case's
}

/// The first part that has the verdict, and how many more have it.
template <class T>
std::string because_of(Verdict verdict, const std::vector<T>& parts, std::string_view kind) {
  const auto has_it = [&](const T& part) { return part.verdict == verdict; };
  const auto same = std::count_if(parts.begin(), parts.end(), has_it);
  if (same == 0) {
    return "nothing in this plan looks at it";
  }
  if (verdict == Verdict::pass) {
    const auto inherited = std::count_if(parts.begin(), parts.end(),
                                         [&](const T& part) { return has_it(part) && !part.inherited.empty(); });
    return std::to_string(same) + " of " + std::to_string(parts.size()) + " " + std::string{kind} + " pass" +
           (inherited == 0 ? "" : ", " + std::to_string(inherited) + " by inherited evidence");
  }
  return reason_of(*std::find_if(parts.begin(), parts.end(), has_it)) +
         (same > 1 ? " (and " + std::to_string(same - 1) + " more of its " + std::string{kind} + ")" : "");
}

/// The certificates that a PASS rests on, each once.
template <class T>
Later<std::string> inherited_of(Verdict verdict, const std::vector<T>& parts) {
  Later<std::string> out;
  for (const auto& part : parts) {
    for (const auto& basis : part.inherited) {
      if (verdict == Verdict::pass && std::find(out.begin(), out.end(), basis) == out.end()) {
        out.push_back(basis);
      }
    }
  }
  return out;
}

Verdict over_units(const JudgedCase& judged) {
  std::vector<Verdict> verdicts;
  const bool endpoints = judged.units.size() == 1 && !judged.test_case->units.front().expand.empty();
  for (const auto& unit : judged.units) {
    std::vector<Verdict> own;
    for (const auto& verdict : unit) {
      own.push_back(verdict.verdict);
    }
    if (endpoints && judged.test_case->quantifier == Quantifier::any) {
      return best(own);
    }
    verdicts.push_back(worst(own));
  }
  return judged.test_case->quantifier == Quantifier::any ? best(verdicts) : worst(verdicts);
}

/// A finding that a machine closes proves the defect itself; one that a person has to close only contradicts.
bool proven(const JudgedCase& judged) {
  for (std::size_t i = 0; i < judged.units.size(); ++i) {
    const auto& unit = judged.test_case->units[i];
    for (const auto& verdict : judged.units[i]) {
      if (verdict.verdict == Verdict::fail && unit.closes == Closes::machine) {
        return true;
      }
    }
  }
  return false;
}

void apply_selection(CaseVerdict& out, const JudgedCase& judged, const PlannedCase& planned) {
  if (planned.selection == Selection::in || out.verdict == Verdict::error) {
    return;
  }
  if (planned.selection == Selection::open) {
    if (out.verdict != Verdict::fail) {
      out.verdict = Verdict::inconclusive;
      out.because = "whether it applies is open: " + planned.because;
    }
    return;
  }
  if (out.verdict != Verdict::fail) {
    out.verdict = Verdict::not_applicable;
    out.because = planned.because;
  } else if (proven(judged)) {
    out.because = "contradicts the N/A (" + planned.because + "): " + out.because;
  } else {
    out.verdict = Verdict::inconclusive;
    out.because = "contradicts the N/A (" + planned.because + "): " + out.because;
  }
}

CaseVerdict judge_case(const JudgedCase& judged, const PlannedCase& planned) {
  const auto& test_case = *judged.test_case;
  CaseVerdict out;
  out.id = test_case.id;
  out.covers = test_case.covers;
  out.title = test_case.title;
  out.type = enum_name(test_case.type);
  for (const auto& unit : judged.units) {
    out.units.insert(out.units.end(), unit.begin(), unit.end());
  }
  out.verdict = over_units(judged);
  out.because = because_of(out.verdict, out.units, "units");
  apply_selection(out, judged, planned);
  out.inherited = inherited_of(out.verdict, out.units);
  return out;
}

const IcsEntry* ics_of(const RunPlan& plan, const Requirement& requirement) {
  const auto found = plan.dut.ics.find(short_id(requirement.id));
  return found == plan.dut.ics.end() ? nullptr : &found->second;
}

/// Whether the maker says it does not fulfil a provision that applies, and what that means.
bool judge_claim(RequirementVerdict& out, const RunPlan& plan, const Requirement& requirement, bool applies) {
  const auto* claim = ics_of(plan, requirement);
  if (claim == nullptr || claim->support != Support::no || !applies) {
    return false;
  }
  const auto said = "ICS " + short_id(requirement.id) + " = N" + (claim->because.empty() ? "" : ": " + claim->because);
  if (requirement.modality == Modality::shall) {
    out.verdict = Verdict::fail;
    out.because = said + "; the maker does not claim a mandatory provision";
    return true;
  }
  out.verdict = Verdict::not_claimed;
  out.because = said + (claim->because.empty() ? "; a justification is missing" : "");
  return true;
}

/// N/A on a provision that applies is refused: the cases are judged, and without findings it stays open until the
/// declaration is corrected.
void refuse_claim(RequirementVerdict& out, const RunPlan& plan, const Requirement& requirement, bool applies) {
  const auto* claim = ics_of(plan, requirement);
  if (claim == nullptr || claim->support != Support::not_applicable || !applies) {
    return;
  }
  out.because = "ICS " + short_id(requirement.id) + " = N/A is refused, the provision applies; " + out.because;
  if (out.verdict == Verdict::pass) {
    out.verdict = Verdict::inconclusive;
  }
}

/// Who accepted that it does not apply: an acceptance of a named laboratory that no second person disputes.
const Acceptance* acceptance_of(const HumanRecord& record, const std::string& id) {
  const Acceptance* found = nullptr;
  for (const auto& acceptance : record.acceptances) {
    const auto* review = review_of(record, acceptance.sequence, acceptance.author);
    const bool disputed = review != nullptr && review->decision == Decision::disputed;
    if (acceptance.id == id && !disputed && !acceptance.author.organisation.empty()) {
      found = &acceptance;
    }
  }
  return found;
}

/// No case applies: NOT_APPLICABLE once the requirement, or each of its cases, has been accepted.
void judge_none_applies(RequirementVerdict& out, const HumanRecord& record) {
  const auto* whole = acceptance_of(record, out.id);
  const bool accepted = whole != nullptr || std::ranges::all_of(out.cases, [&](const CaseVerdict& one) {
                          return acceptance_of(record, one.id) != nullptr;
                        });
  out.because = out.cases.front().because;
  if (accepted) {
    const auto* by = whole != nullptr ? whole : acceptance_of(record, out.cases.front().id);
    out.verdict = Verdict::not_applicable;
    out.because += "; accepted by " + text_of(by->author) + ": " + by->rationale;
  } else if (out.because.find("laboratory acceptance") == std::string::npos) {
    out.because += "; " + std::string{kAcceptance};
  }
}

void judge_cases(RequirementVerdict& out, const HumanRecord& record) {
  std::vector<Verdict> verdicts;
  for (const auto& one : out.cases) {
    if (one.verdict != Verdict::not_applicable) {
      verdicts.push_back(one.verdict);
    }
  }
  if (out.cases.empty()) {
    out.because = "no case of this plan covers it";
  } else if (verdicts.empty()) {
    judge_none_applies(out, record);
  } else {
    out.verdict = worst(verdicts);
    out.because = because_of(out.verdict, out.cases, "cases");
  }
}

RequirementVerdict judge_requirement(const RunPlan& plan, const Requirement& requirement,
                                     std::vector<CaseVerdict> cases, bool applies, const HumanRecord& record) {
  RequirementVerdict out;
  out.id = requirement.id;
  out.title = requirement.title;
  out.modality = enum_name(requirement.modality);
  out.strength = enum_name(requirement.strength);
  out.cases = std::move(cases);
  if (judge_claim(out, plan, requirement, applies)) {
    return out;
  }
  judge_cases(out, record);
  refuse_claim(out, plan, requirement, applies);
  if (out.verdict == Verdict::pass && requirement.strength == Strength::unconfirmed) {
    out.verdict = Verdict::not_tested;
    out.because += "; what the scheme asks here is not confirmed, so it stays open";
  }
  out.inherited = inherited_of(out.verdict, out.cases);
  return out;
}

void count(LevelSummary& out, const RequirementVerdict& requirement) {
  ++out.requirements;
  if (!requirement.inherited.empty()) {
    out.inherited.push_back(requirement.id);
  }
  switch (requirement.verdict) {
    case Verdict::pass:
      ++out.evidenced;
      break;
    case Verdict::fail:
      ++out.failed;
      break;
    case Verdict::error:
      ++out.errors;
      break;
    case Verdict::not_applicable:
      ++out.not_applicable;
      break;
    case Verdict::not_claimed:  // only recommendations come here: counted in the total alone
      break;
    case Verdict::inconclusive:
    case Verdict::not_tested:
      ++out.open;
      break;
  }
  for (const auto& one : requirement.cases) {
    for (const auto& unit : one.units) {
      out.machine_units += unit.machine ? 1 : 0;
      out.machine_units_passed += unit.machine && unit.verdict == Verdict::pass && unit.inherited.empty() ? 1 : 0;
      if (unit.person) {
        ++out.answers;
        out.unreviewed += unit.person->reviewer.empty() ? 1 : 0;
        out.overrides += unit.person->overrides && unit.person->standing == Standing::counts ? 1 : 0;
      }
    }
  }
}

/// "; 1 answer not reviewed", nothing for none.
std::string remark(std::int64_t count, std::string_view one, std::string_view what) {
  return count == 0
             ? ""
             : "; " + std::to_string(count) + " " + std::string{one} + (count == 1 ? " " : "s ") + std::string{what};
}

std::string statement(const LevelSummary& summary) {
  return std::to_string(summary.evidenced) + " of " + std::to_string(summary.requirements) + " requirements evidenced" +
         (summary.inherited.empty() ? ""
                                    : " (" + std::to_string(summary.inherited.size()) + " with inherited evidence)") +
         ", " + std::to_string(summary.failed) + " failed, " + std::to_string(summary.open) + " open" +
         (summary.not_applicable == 0 ? "" : ", " + std::to_string(summary.not_applicable) + " not applicable") +
         (summary.errors == 0 ? "" : ", " + std::to_string(summary.errors) + " ended in an error of ours") +
         remark(summary.unreviewed, "answer", "not reviewed") + remark(summary.overrides, "verdict", "overridden");
}

}  // namespace

Verdicts roll_up(const RunPlan& plan, std::vector<JudgedCase> judged, const HumanRecord& record) {
  std::map<std::string, PlannedCase> planned;
  for (const auto& one : plan.cases) {
    planned[one.id] = one;
  }
  Verdicts out;
  for (const auto& requirement : plan.plan.requirements) {
    std::vector<CaseVerdict> cases;
    bool applies = requirement.condition.empty();
    for (const auto& one : judged) {
      if (is_evidence_for(*one.test_case, requirement)) {
        const auto& selected = planned[one.test_case->id];
        applies = applies || selected.selection == Selection::in;
        cases.push_back(judge_case(one, selected));
      }
    }
    out.requirements.push_back(judge_requirement(plan, requirement, std::move(cases), applies, record));
  }
  out.summary.plan = plan.plan.id;
  out.summary.draft = !plan.plan.approval;
  for (const auto& requirement : out.requirements) {
    count(out.summary, requirement);
  }
  out.summary.statement = statement(out.summary);
  return out;
}

}  // namespace assay
