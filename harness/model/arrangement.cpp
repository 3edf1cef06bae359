#include "harness/model/arrangement.hpp"

#include <algorithm>

namespace assay {

namespace {

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

std::string scheme_of_plan(std::string_view plan_id) {
  return std::string{plan_id.substr(0, plan_id.find('/'))};
}

bool is_of(std::string_view plan_id, const std::vector<std::string>& schemes, const std::vector<std::string>& levels) {
  const auto slash = plan_id.find('/');
  return slash != std::string_view::npos && contains(schemes, plan_id.substr(0, slash)) &&
         (levels.empty() || contains(levels, plan_id.substr(slash + 1)));
}

bool ArrangementSide::names(std::string_view plan_id) const {
  return is_of(plan_id, schemes, levels);
}

}  // namespace assay
