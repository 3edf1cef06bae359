#include "harness/model/verdict.hpp"

namespace assay {

std::string_view word_for(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "PASS";
    case Verdict::fail:
      return "FAIL";
    case Verdict::inconclusive:
      return "INCONCLUSIVE";
    case Verdict::not_applicable:
      return "NOT_APPLICABLE";
    case Verdict::not_tested:
      return "NOT_TESTED";
    case Verdict::not_claimed:
      return "NOT_CLAIMED";
    case Verdict::error:
      return "ERROR";
  }
  return "ERROR";
}

std::string word_for(Verdict verdict, const std::vector<std::string>& inherited) {
  return std::string{word_for(verdict)} + (verdict == Verdict::pass && !inherited.empty() ? " (inherited)" : "");
}

}  // namespace assay
