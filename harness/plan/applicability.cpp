#include "harness/plan/applicability.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "harness/expr/document.hpp"
#include "harness/expr/expr.hpp"
#include "harness/model/joined.hpp"

namespace assay {

namespace {

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

/// Truth of a condition: yes, no, or unknown with the reason.
struct Truth {
  std::optional<bool> value;
  std::string doubt;
};

Truth truth_of(const Evaluated& evaluated) {
  if (!evaluated.error.empty()) {
    return {std::nullopt, "its condition could not be evaluated: " + evaluated.error};
  }
  const bool one = evaluated.items.size() == 1 && evaluated.items.front().is_bool();
  if (one && (evaluated.items.front().get_bool() || evaluated.missing.empty())) {
    return {evaluated.items.front().get_bool(), {}};
  }
  if (!evaluated.missing.empty()) {
    return {std::nullopt, "not known for want of " + joined(evaluated.missing)};
  }
  return {std::nullopt, "its condition did not yield exactly one true or false"};
}

/// Evaluates every distinct condition once.
class Conditions {
 public:
  Conditions(const Plan& plan, const Dut& dut, const std::string& date)
      : document_(declaration_document(plan, dut, date)) {
    for (const auto& requirement : plan.requirements) {
      add(requirement.condition, requirement.where);
    }
    for (const auto& test_case : plan.cases) {
      add(test_case.applies, test_case.where_applies);
    }
    const auto results = evaluate(evaluations_);
    for (std::size_t i = 0; i < results.size(); ++i) {
      truths_[evaluations_[i].program] = truth_of(results[i]);
    }
  }

  const Truth& operator[](const std::string& program) const { return truths_.at(program); }

 private:
  void add(const std::string& program, const std::string& where) {
    if (!program.empty() && truths_.try_emplace(program).second) {
      evaluations_.push_back({program, where, json::object{}, &document_});
    }
  }

  json::object document_;
  std::vector<Evaluation> evaluations_;
  std::map<std::string, Truth> truths_;
};

/// "ICS 5.1-2 = N/A: no pre-installed passwords", or nothing when N/A is not claimed.
std::string claim_of(const Dut& dut, const std::string& id) {
  const auto found = dut.ics.find(id);
  if (found == dut.ics.end() || found->second.support != Support::not_applicable) {
    return {};
  }
  return "ICS " + id + " = N/A" + (found->second.because.empty() ? "" : ": " + found->second.because);
}

struct Choice {
  Selection selection = Selection::in;
  std::string because;
  std::string condition;
};

Choice unconditional(const Requirement& requirement, const std::string& claim) {
  if (claim.empty()) {
    return {Selection::in, "its provision has no condition", {}};
  }
  return {Selection::in,
          claim + ": refused, " + (requirement.modality == Modality::shall ? "a mandatory" : "this") +
              " provision without a condition always applies",
          {}};
}

Choice conditional(const Requirement& requirement, const Truth& truth, const std::string& claim) {
  const auto words = quoted(requirement.condition_words.empty() ? requirement.condition : requirement.condition_words);
  const auto prefix = claim.empty() ? std::string{} : claim + "; ";
  if (!truth.value) {
    return {Selection::open, prefix + "whether " + words + " holds is open: " + truth.doubt, requirement.condition};
  }
  if (!*truth.value) {
    return {Selection::not_applicable,
            prefix + words + " does not hold by the declaration; needs a named laboratory acceptance",
            requirement.condition};
  }
  return {Selection::in, claim.empty() ? words + " holds" : claim + ": refused, " + words + " holds",
          requirement.condition};
}

Choice choose(const Requirement& requirement, const Dut& dut, const Conditions& conditions) {
  const auto claim = claim_of(dut, short_id(requirement.id));
  return requirement.condition.empty() ? unconditional(requirement, claim)
                                       : conditional(requirement, conditions[requirement.condition], claim);
}

/// A case that is evidence for several requirements is in as soon as one of them applies.
Choice choose(const Plan& plan, const Case& test_case, const Dut& dut, const Conditions& conditions) {
  std::optional<Choice> best;
  for (const auto& requirement : plan.requirements) {
    if (!is_evidence_for(test_case, requirement)) {
      continue;
    }
    auto choice = choose(requirement, dut, conditions);
    const bool better = !best || (best->selection != Selection::in && choice.selection != Selection::not_applicable);
    if (better) {
      best = std::move(choice);
    }
  }
  return best.value_or(Choice{Selection::in, "no requirement of the plan limits it", {}});
}

/// The case's own `applies` can only take it further out.
Choice narrow(Choice choice, const Case& test_case, const Conditions& conditions) {
  if (test_case.applies.empty() || choice.selection == Selection::not_applicable) {
    return choice;
  }
  const auto& truth = conditions[test_case.applies];
  if (truth.value && *truth.value) {
    return choice;
  }
  if (truth.value) {
    return {Selection::not_applicable, "the case's own condition is false: " + test_case.applies, test_case.applies};
  }
  return {Selection::open, "whether the case applies is open: " + truth.doubt, test_case.applies};
}

}  // namespace

std::vector<PlannedCase> select_cases(const Plan& plan, const Dut& dut, const std::string& date) {
  const Conditions conditions{plan, dut, date};
  std::vector<PlannedCase> out;
  for (const auto& test_case : plan.cases) {
    auto choice = narrow(choose(plan, test_case, dut, conditions), test_case, conditions);
    out.push_back({test_case.id, choice.selection, choice.because, choice.condition});
  }
  return out;
}

}  // namespace assay
