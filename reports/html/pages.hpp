#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/evidence/bundle.hpp"
#include "reports/common/reading.hpp"
#include "reports/html/section.hpp"

/// The parts of the HTML report: each fills its template from the same reading of the bundle.
namespace assay::reports {

/// What all parts look at, read once.
struct Reading {
  Reading(const Bundle& source, std::string_view base);

  const Bundle& bundle;
  const RunPlan& plan;
  std::vector<Observation> observations;
  std::map<std::string, ArtifactRef, std::less<>> artifacts;
  std::map<std::string, std::string, std::less<>> frames;  // capture file -> "frames: 12"
  std::string head;                                        // digest of the journal
  RunDates dates;
  std::string base;  // from the report to the bundle

  /// Folder of an artifact, as a link names it.
  std::string folder_of(const ArtifactRef& artifact) const;
};

/// How the page names a verdict: class of its colour, mark and word.
struct VerdictLook {
  std::string css;
  std::string symbol;
  std::string word;
};

VerdictLook look_of(Verdict verdict, const std::vector<std::string>& inherited = {});

/// A requirement of the plan before there is a verdict.
VerdictLook look_without_verdict();

/// Fills {{CLASS}}, {{SYMBOL}} and {{WORD}}.
void put_look(Section section, const VerdictLook& look);

/// Fragment names made by us: they hold no text of the bundle.
std::string requirement_anchor(std::size_t index);

/// Empty when the bundle holds no such observation.
std::string observation_anchor(const Reading& reading, std::string_view observation_id);

/// A link to an artifact: {{FOLDER}}, {{SHA}}, {{SHORT}}, {{KIND}} in section `name`. False when the bundle has none of
/// that digest.
bool put_artifact(const Reading& reading, Section section, const char* name, std::string_view sha256);

/// The plan's own words on a requirement; `planned` is null when the plan of the bundle does not hold it.
void put_columns(const Requirement* planned, Section article);

/// The maker's ICS row for the requirement.
void put_declared(const Dut& dut, std::string_view id, Section article);

void fill_deck(const Reading& reading, Section page);
void fill_front(const Reading& reading, Section page);
void fill_result(const Reading& reading, Section result);
void fill_tested(const Reading& reading, Section tested);
void fill_requirements(const Reading& reading, Section page);
void fill_limits(const Reading& reading, Section page);
void fill_observations(const Reading& reading, Section page);
void fill_integrity(const Reading& reading, Section page);

}  // namespace assay::reports
