#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/json.hpp"

/// Verdicts and what they rest on. Only `harness/judge` makes them (docs/verdicts.md).
namespace assay {

/// PASS, FAIL and INCONCLUSIVE are the standard's words; the rest are ours. FAIL means the device, ERROR means us.
enum class Verdict : std::uint8_t { pass, fail, inconclusive, not_applicable, not_tested, not_claimed, error };
BOOST_DESCRIBE_ENUM(Verdict, pass, fail, inconclusive, not_applicable, not_tested, not_claimed, error)

/// "PASS", "NOT_TESTED" …: as printed everywhere.
std::string_view word_for(Verdict verdict);

/// The same for something that rests on inherited evidence: "PASS (inherited)".
std::string word_for(Verdict verdict, const std::vector<std::string>& inherited);

/// Who or what closes something that is open.
enum class ClosedBy : std::uint8_t {
  probe,        // one that was not run, or not with these parameters
  build,        // a probe that this build does not have
  declaration,  // a field of ICS or IXIT, or a document it names
  hand,         // a guided step or an assessor
  laboratory,   // a state, a vantage, a sample, an acceptance
  scheme,       // a look into the scheme's own document
  evidence,     // what the run saw leaves a doubt
  harness,      // our fault has to be mended
};
BOOST_DESCRIBE_ENUM(ClosedBy, probe, build, declaration, hand, laboratory, scheme, evidence, harness)

/// One shown fact against the device, or (with an INCONCLUSIVE unit) one thing that is missing.
struct Finding {
  std::string what;
  std::string endpoint;  // "tcp/23"; empty: the device
  std::string expected;
  std::string observed;
  std::vector<std::string> evidence;      // artifact digests, sha256 hex
  std::vector<std::string> observations;  // observation ids it was read from
  Later<ClosedBy> closed_by = {};         // of something missing; none: a finding against the device

  bool operator==(const Finding&) const = default;
};
BOOST_DESCRIBE_STRUCT(Finding, (), (what, endpoint, expected, observed, evidence, observations, closed_by))
ASSAY_JSON_DECLARE(Finding);

/// What has become of a person's answer.
enum class Standing : std::uint8_t {
  counts,         // it is the verdict
  awaits_review,  // an override that no second person has confirmed: the machine's verdict stands
  disputed,       // a second person disagrees: an answer leaves the unit open, an override leaves the machine's verdict
  unmarked,       // goes against the machine without saying so: the machine's verdict stands
};
BOOST_DESCRIBE_ENUM(Standing, counts, awaits_review, disputed, unmarked)

/// A person's verdict on a unit, with the machine's beside it.
struct PersonsVerdict {
  Verdict verdict = Verdict::inconclusive;
  std::string rationale;
  std::string author;                 // "Mei Tan, Example Laboratory"
  std::string time;                   // of the event, RFC 3339 UTC
  std::int64_t event = 0;             // sequence of the event
  std::vector<std::string> evidence;  // digests of what is attached, sha256 hex
  bool overrides = false;             // the machine had a verdict of its own
  Verdict machine = Verdict::not_tested;
  std::string machine_because;
  Standing standing = Standing::counts;
  std::string reviewer;  // empty: nobody yet
  std::string review_comment;

  bool operator==(const PersonsVerdict&) const = default;
};
BOOST_DESCRIBE_STRUCT(PersonsVerdict, (),
                      (verdict, rationale, author, time, event, evidence, overrides, machine, machine_because, standing,
                       reviewer, review_comment))

struct UnitVerdict {
  std::string id;  // "TS103701@1.1.1:5.1-1-2/a", with "/tcp/80" behind it for an expanded one
  std::string title;
  Verdict verdict = Verdict::not_tested;
  std::string because;            // one plain sentence
  std::vector<Finding> findings;  // FAIL: against the device
  std::vector<Finding> open;      // what is missing, and who or what would close it
  bool pass_proposed = false;     // clean, but an assessor has to close it
  bool machine = false;           // a machine can close it (counts for --gate automated)
  std::string remedy;
  std::vector<std::string> observations;  // ids of all observations it was judged on
  std::optional<PersonsVerdict> person;   // the last answer to it
  Later<std::string> inherited = {};      // the certificates that a PASS rests on instead of this run

  bool operator==(const UnitVerdict&) const = default;
};
BOOST_DESCRIBE_STRUCT(UnitVerdict, (),
                      (id, title, verdict, because, findings, open, pass_proposed, machine, remedy, observations,
                       person, inherited))

struct CaseVerdict {
  std::string id;
  std::string covers;
  std::string title;
  std::string type;  // conceptual, functional
  Verdict verdict = Verdict::not_tested;
  std::string because;
  std::vector<UnitVerdict> units;
  Later<std::string> inherited = {};  // of its units, when it passes

  bool operator==(const CaseVerdict&) const = default;
};
BOOST_DESCRIBE_STRUCT(CaseVerdict, (), (id, covers, title, type, verdict, because, units, inherited))

struct RequirementVerdict {
  std::string id;
  std::string title;
  std::string modality;
  std::string strength;
  Verdict verdict = Verdict::not_tested;
  std::string because;
  std::vector<CaseVerdict> cases;
  Later<std::string> inherited = {};  // of its cases, when it passes

  bool operator==(const RequirementVerdict&) const = default;
};
BOOST_DESCRIBE_STRUCT(RequirementVerdict, (), (id, title, modality, strength, verdict, because, cases, inherited))
ASSAY_JSON_DECLARE(RequirementVerdict);

/// Counts over the requirements of the level; the only "result" a run states.
struct LevelSummary {
  std::string plan;
  bool draft = true;
  std::int64_t requirements = 0;
  std::int64_t evidenced = 0;  // PASS
  std::int64_t failed = 0;
  std::int64_t open = 0;  // INCONCLUSIVE, NOT_TESTED, NOT_CLAIMED of a mandatory one
  std::int64_t errors = 0;
  std::int64_t not_applicable = 0;
  std::int64_t machine_units = 0;         // units a machine can close …
  std::int64_t machine_units_passed = 0;  // … and that passed
  std::int64_t answers = 0;               // units with an answer of a person …
  std::int64_t unreviewed = 0;            // … that no second person has seen
  std::int64_t overrides = 0;             // … that stands in place of a machine's verdict: a deviation
  std::string statement;                  // "3 of 13 requirements evidenced, 2 failed, 8 open"
  Later<std::string> inherited = {};      // requirements whose PASS rests on inherited evidence

  bool operator==(const LevelSummary&) const = default;
};
BOOST_DESCRIBE_STRUCT(LevelSummary, (),
                      (plan, draft, requirements, evidenced, failed, open, errors, not_applicable, machine_units,
                       machine_units_passed, answers, unreviewed, overrides, statement, inherited))

/// verdicts.json: derived from run plan and journal alone, the same bytes every time.
struct Verdicts {
  std::string format = "verdicts/1";
  LevelSummary summary;
  std::vector<RequirementVerdict> requirements;

  bool operator==(const Verdicts&) const = default;
};
BOOST_DESCRIBE_STRUCT(Verdicts, (), (format, summary, requirements))
ASSAY_JSON_DECLARE(Verdicts);

/// What happened to the device and to the run beside the observations: read from the journal, an input of the judge.
struct RunFacts {
  bool finished = false;                         // the run came to its own end
  bool device_lost = false;                      // liveness failed and did not come back
  std::string lost_at;                           // RFC 3339 UTC
  std::string lost_after;                        // id of the invocation that ended last before
  std::map<std::string, std::string> unreached;  // state of targets -> why the device could not be brought there

  bool operator==(const RunFacts&) const = default;
};
BOOST_DESCRIBE_STRUCT(RunFacts, (), (finished, device_lost, lost_at, lost_after, unreached))

}  // namespace assay
