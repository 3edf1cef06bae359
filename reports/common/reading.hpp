#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/evidence/bundle.hpp"
#include "harness/model/waivers.hpp"

/// What several reporters read out of a bundle in the same way. Everything is a pure function of the bundle. Text comes
/// back as the bundle has it: `displayable()` and the escaping of the format are the reporter's.
namespace assay::reports {

/// A mark beside the word, never instead of it.
std::string_view symbol_for(Verdict verdict);

/// Whether the requirement or unit still waits for something: INCONCLUSIVE, NOT_TESTED or ERROR.
bool is_open(Verdict verdict);

/// "ended as planned", "no answer in time": how an invocation ended, for a reader who does not know our names.
std::string_view words_for(Completion completion);

const Requirement* find_requirement(const Plan& plan, std::string_view id);
const Case* find_case(const Plan& plan, std::string_view id);

/// The unit of a verdict; also for an expanded one ("…:5.1-1-2/a/tcp/80" is unit "a").
const Unit* find_unit(const Case& planned, std::string_view unit_verdict_id);

/// Letters of the unit and, when it was expanded, its endpoint: "a", "a, tcp/80".
std::string unit_label(const CaseVerdict& of, const UnitVerdict& unit);

/// What a unit waits for besides the assessor's question, which is shown as a guided step. `planned` may be null.
std::vector<Finding> open_findings(const Unit* planned, const UnitVerdict& unit);

/// Who or what an open item waits for.
enum class WaitsFor : std::uint8_t { answer, probe, other };

/// What waits in a requirement, and what would settle it.
struct OpenItem {
  WaitsFor waits_for = WaitsFor::other;
  std::string what;
  std::string closes;              // what would close it; empty when the words of `what` are all that is known
  std::vector<std::string> units;  // ids of the unit verdicts that wait for it
};

/// Items of equal words are one, in the order of the units.
std::vector<OpenItem> open_items(const Plan& plan, const RequirementVerdict& requirement);

/// The remedies of the units that failed, each once.
std::vector<std::string> remedies(const RequirementVerdict& requirement);

/// Something the run did otherwise than the plan says, or filled in, or lost.
struct Limit {
  std::string kind;  // "assumption", "left out", "not allowed", "not run", "not completed", "limited" …
  std::string subject;
  std::string what;
};

std::vector<Limit> limits(const Bundle& bundle, std::span<const Observation> observations);

/// First event and the first closing, or the last event of an open run; RFC 3339 UTC, empty without events.
struct RunDates {
  std::string began;
  std::string ended;
};

RunDates run_dates(const Bundle& bundle);

/// What the run did with secrets, as its events `secrets` say.
struct SecretsOfRun {
  std::string key;                         // id of the laboratory's key; empty: there was none
  std::string because;                     // why not
  bool revealed = false;                   // at any time: there are secrets in clear
  std::vector<std::string> restricted_to;  // subjects of the certificates that restricted files are encrypted to
};

/// None in a bundle that says nothing of it.
std::optional<SecretsOfRun> secrets_of_run(const Bundle& bundle);

/// What every report of such a run says first.
inline constexpr std::string_view kContainsSecrets = "CONTAINS SECRETS in clear: not to be handed on";

/// "2026-11-23 18:00:00 UTC" for an RFC 3339 UTC time; what is not one comes back unchanged.
std::string readable_time(std::string_view rfc3339);

/// sha256 of the last journal line: the digest that stands for the whole journal. Empty without events.
std::string chain_head(const Bundle& bundle);

/// The capture file of what belongs to no invocation; of the last session when the run was resumed.
std::optional<ArtifactRef> unowned_packets(const Bundle& bundle);

/// Every artifact that an observation or a person's statement names, by digest.
std::map<std::string, ArtifactRef, std::less<>> artifacts_by_digest(const Bundle& bundle);

/// Waivers as of the last event.
std::vector<WaiverStatus> waivers_of(const Bundle& bundle);

/// A fact in lines a person can read: a list of objects is a line for each, "endpoint tcp/80, reason syn-ack". At most
/// `limit` lines; what was left out is counted in a last one.
std::vector<std::string> lines_of(const json::value& value, std::size_t limit = 64);

}  // namespace assay::reports
