#include "harness/judge/answers.hpp"

#include <map>

#include "harness/judge/findings.hpp"

namespace assay {

namespace {

/// Where the machine left the unit to others, an answer closes it; anywhere else it is an override.
bool goes_against_machine(const UnitVerdict& unit) {
  return unit.verdict != Verdict::not_tested;
}

Standing standing_of(const Answer& answer, const Review* review, bool overrides) {
  if (overrides && !answer.overrides) {
    return Standing::unmarked;
  }
  if (review != nullptr && review->decision == Decision::disputed) {
    return Standing::disputed;
  }
  return overrides && review == nullptr ? Standing::awaits_review : Standing::counts;
}

/// The person's verdict takes the place of the machine's, which stays in `person`.
void replace(UnitVerdict& unit, const PersonsVerdict& person) {
  unit.verdict = person.verdict;
  unit.because = (person.overrides ? "overridden by " : "answered by ") + person.author + ": " + person.rationale;
  unit.pass_proposed = false;
  unit.open.clear();
  unit.inherited.clear();
  if (person.verdict == Verdict::pass) {
    return;
  }
  const bool fails = person.verdict == Verdict::fail;
  auto finding = fails ? plain_finding(person.rationale) : open_thing(ClosedBy::hand, person.rationale);
  finding.evidence = person.evidence;
  (fails ? unit.findings : unit.open).push_back(std::move(finding));
}

void apply(UnitVerdict& unit, const Answer& answer, const Review* review) {
  PersonsVerdict person;
  person.verdict = answer.verdict;
  person.rationale = answer.rationale;
  person.author = text_of(answer.author);
  person.time = answer.time;
  person.event = answer.sequence;
  for (const auto& artifact : answer.artifacts) {
    person.evidence.push_back(artifact.sha256);
  }
  person.overrides = goes_against_machine(unit);
  person.machine = unit.verdict;
  person.machine_because = unit.because;
  person.standing = standing_of(answer, review, person.overrides);
  if (review != nullptr) {
    person.reviewer = text_of(review->author);
    person.review_comment = review->comment;
  }
  if (person.standing == Standing::counts) {
    replace(unit, person);
  } else if (person.standing == Standing::disputed && !person.overrides) {
    unit.verdict = Verdict::inconclusive;
    unit.pass_proposed = false;
    unit.because = std::string{word_for(person.verdict)} + " by " + person.author + " is disputed by " +
                   person.reviewer + ": " + person.review_comment;
    unit.open.push_back(open_thing(ClosedBy::hand, unit.because));
  }
  unit.person = std::move(person);
}

}  // namespace

void apply_answers(std::vector<JudgedCase>& judged, const HumanRecord& record) {
  std::map<std::string_view, const Answer*> last;
  for (const auto& answer : record.answers) {
    last[answer.unit] = &answer;
  }
  for (auto& one : judged) {
    for (auto& unit : one.units) {
      for (auto& verdict : unit) {
        if (const auto found = last.find(verdict.id); found != last.end()) {
          apply(verdict, *found->second, review_of(record, found->second->sequence, found->second->author));
        }
      }
    }
  }
}

}  // namespace assay
