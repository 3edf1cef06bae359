#include "harness/model/policy.hpp"

namespace assay {

std::string policy_in_words(const Policy& policy) {
  return policy.title + " " + policy.version + (policy.date == "undated" ? ", undated" : " of " + policy.date);
}

}  // namespace assay
