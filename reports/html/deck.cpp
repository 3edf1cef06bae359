#include <algorithm>
#include <set>

#include "reports/html/pages.hpp"

namespace assay::reports {

namespace {

constexpr std::size_t kMostFiles = 12;  // of one requirement; the report of the run lists them all
constexpr std::size_t kMostFindings = 12;

/// Files that the requirement's verdicts rest on: those of its findings first, then those of its observations.
std::vector<std::string> files_of(const Reading& reading, const RequirementVerdict& requirement) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  const auto take = [&](const std::string& digest) {
    if (reading.artifacts.contains(digest) && seen.insert(digest).second) {
      out.push_back(digest);
    }
  };
  std::set<std::string> observations;
  for (const auto& one : requirement.cases) {
    for (const auto& unit : one.units) {
      for (const auto& finding : unit.findings) {
        std::for_each(finding.evidence.begin(), finding.evidence.end(), take);
      }
      observations.insert(unit.observations.begin(), unit.observations.end());
    }
  }
  for (const auto& observation : reading.observations) {
    if (observations.contains(observation.id)) {
      for (const auto& artifact : observation.artifacts) {
        take(artifact.sha256);
      }
    }
  }
  return out;
}

/// What the guided steps of open units ask to be attached, each kind once.
std::vector<std::string> wanted_of(const Reading& reading, const RequirementVerdict& requirement) {
  std::vector<std::string> out;
  for (const auto& one : requirement.cases) {
    const auto* planned = find_case(reading.plan.plan, one.id);
    for (const auto& unit : one.units) {
      const auto* step = planned == nullptr ? nullptr : find_unit(*planned, unit.id);
      if (step == nullptr || !step->manual || !is_open(unit.verdict)) {
        continue;
      }
      for (const auto& attachment : step->manual->attachments) {
        if (std::find(out.begin(), out.end(), attachment) == out.end()) {
          out.push_back(attachment);
        }
      }
    }
  }
  return out;
}

std::vector<std::string> findings_of(const RequirementVerdict& requirement) {
  std::vector<std::string> out;
  for (const auto& one : requirement.cases) {
    for (const auto& unit : one.units) {
      for (const auto& finding : unit.findings) {
        if (std::find(out.begin(), out.end(), finding.what) == out.end()) {
          out.push_back(finding.what);
        }
      }
    }
  }
  if (out.size() > kMostFindings) {
    const auto more = out.size() - kMostFindings;
    out.resize(kMostFindings);
    out.push_back("and " + std::to_string(more) + " more, in the report of the run");
  }
  return out;
}

void put_list(Section slide, const char* box, const char* item, const std::vector<std::string>& texts) {
  if (!texts.empty()) {
    slide.add(box).each(item, texts);
  }
}

void put_evidence(const Reading& reading, const RequirementVerdict& requirement, Section slide) {
  const auto files = files_of(reading, requirement);
  if (!files.empty()) {
    auto box = slide.add("HAS_FILES");
    for (std::size_t i = 0; i < std::min(files.size(), kMostFiles); ++i) {
      put_artifact(reading, box, "FILE", files[i]);
    }
  }
  if (files.size() > kMostFiles) {
    slide.maybe("MORE_FILES", "In all " + std::to_string(files.size()) + ": the report of the run lists them.");
  }
  put_list(slide, "HAS_WANTED", "WANTED", wanted_of(reading, requirement));
}

void put_assessment(const Reading& reading, const RequirementVerdict& requirement, Section slide) {
  slide.prose("BECAUSE", requirement.because);
  put_list(slide, "HAS_FINDINGS", "FINDING", findings_of(requirement));
  std::vector<std::string> open;
  for (const auto& item : open_items(reading.plan.plan, requirement)) {
    open.push_back(item.what);
  }
  put_list(slide, "HAS_OPEN", "OPEN", open);
}

}  // namespace

void fill_deck(const Reading& reading, Section page) {
  const auto& plan = reading.plan.plan;
  const auto& verdicts = reading.bundle.verdicts();
  page.text("STATEMENT", verdicts ? verdicts->summary.statement : "The run is still open: there are no verdicts yet.");
  for (std::size_t i = 0; i < plan.requirements.size(); ++i) {
    const auto& requirement = plan.requirements[i];
    auto slide = page.add("SLIDE");
    slide.text("ANCHOR", requirement_anchor(i));
    slide.text("ID", requirement.id);
    slide.prose("NAME", requirement.title);
    put_columns(&requirement, slide);
    put_declared(reading.plan.dut, requirement.id, slide);
    if (verdicts && i < verdicts->requirements.size()) {
      put_look(slide, look_of(verdicts->requirements[i].verdict, verdicts->requirements[i].inherited));
      put_evidence(reading, verdicts->requirements[i], slide);
      put_assessment(reading, verdicts->requirements[i], slide);
    } else {
      put_look(slide, look_without_verdict());
    }
  }
}

}  // namespace assay::reports
