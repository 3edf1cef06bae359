#include "harness/model/waivers.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace assay {

namespace {

constexpr std::size_t kDate = 10;  // "2027-01-31"

bool is_trouble(Verdict verdict) {
  return verdict == Verdict::fail || verdict == Verdict::inconclusive || verdict == Verdict::not_tested;
}

/// Verdicts of requirements and cases by id; of a case under several requirements the worst that counts.
std::map<std::string, Verdict> verdicts_by_id(const Verdicts& verdicts) {
  std::map<std::string, Verdict> out;
  for (const auto& requirement : verdicts.requirements) {
    out[requirement.id] = requirement.verdict;
    for (const auto& one : requirement.cases) {
      out[one.id] = one.verdict;
    }
  }
  return out;
}

WaiverStatus status_of(const Waiver& waiver, const std::map<std::string, Verdict>& verdicts, std::string_view date) {
  WaiverStatus out{waiver, WaiverState::holds, {}};
  const auto found = verdicts.find(waiver.id);
  const auto word = found == verdicts.end() ? std::string{} : std::string{word_for(found->second)};
  if (waiver.expires < date.substr(0, kDate)) {
    out.state = WaiverState::expired;
    out.says = "expired on " + waiver.expires + " and is ignored";
  } else if (found == verdicts.end()) {
    out.state = WaiverState::needless;
    out.says = "names nothing of this plan: remove it";
  } else if (!is_trouble(found->second)) {
    out.state = WaiverState::needless;
    out.says = "is not needed any more, the verdict is " + word + ": remove it";
  } else {
    out.says = "waives " + word + " until " + waiver.expires + "; the verdict stays";
  }
  return out;
}

/// The requirement itself, or every case that makes it fail or keeps it open.
bool is_waived(const RequirementVerdict& requirement, const std::set<std::string>& waived) {
  if (waived.contains(requirement.id)) {
    return true;
  }
  bool any = false;
  for (const auto& one : requirement.cases) {
    if (is_trouble(one.verdict) || one.verdict == Verdict::error) {
      any = true;
      if (!waived.contains(one.id)) {
        return false;
      }
    }
  }
  return any;
}

}  // namespace

std::vector<WaiverStatus> waiver_statuses(const Verdicts& verdicts, const HumanRecord& record, std::string_view date) {
  std::map<std::string, const Waiver*> last;
  for (const auto& waiver : record.waivers) {
    last[waiver.id] = &waiver;
  }
  const auto by_id = verdicts_by_id(verdicts);
  std::vector<WaiverStatus> out;
  for (const auto& [id, waiver] : last) {
    out.push_back(status_of(*waiver, by_id, date));
  }
  return out;
}

LevelSummary without_waived(const Verdicts& verdicts, const std::vector<WaiverStatus>& waivers) {
  std::set<std::string> waived;
  for (const auto& status : waivers) {
    if (status.state == WaiverState::holds) {
      waived.insert(status.waiver.id);
    }
  }
  auto out = verdicts.summary;
  for (const auto& requirement : verdicts.requirements) {
    if (!is_waived(requirement, waived)) {
      continue;
    }
    out.failed -= requirement.verdict == Verdict::fail ? 1 : 0;
    out.open -= requirement.verdict == Verdict::inconclusive || requirement.verdict == Verdict::not_tested ? 1 : 0;
    for (const auto& one : requirement.cases) {
      for (const auto& unit : one.units) {
        out.machine_units -= unit.machine && unit.verdict != Verdict::pass ? 1 : 0;
      }
    }
  }
  return out;
}

}  // namespace assay
