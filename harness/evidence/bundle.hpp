#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/model/observation.hpp"
#include "harness/model/record.hpp"
#include "harness/model/run_plan.hpp"
#include "harness/model/verdict.hpp"

/// The evidence bundle (docs/evidence-format.md): the journal is the truth, everything else is input or derived.
namespace assay {

std::string sha256_hex(std::string_view bytes);

/// RFC 3339 UTC with nanoseconds, "2026-11-23T18:00:00.000000000Z".
std::string utc_now();

/// One line of journal.jsonl, canonical JSON: {"sequence","time","monotonic_ns","previous","type","data"}.
struct Event {
  std::int64_t sequence = 0;
  std::string time;
  std::int64_t monotonic_ns = 0;
  std::string previous;  // sha256 of the line before, without its newline; 64 zeros for the first
  std::string type;      // docs/evidence-format.md lists them
  json::object data;

  bool operator==(const Event&) const = default;
};
BOOST_DESCRIBE_STRUCT(Event, (), (sequence, time, monotonic_ns, previous, type, data))

struct BundleInputs {
  std::map<std::string, std::string> files;  // path under inputs/ -> exact bytes
  json::object host;                         // host.json: tool, commit, libraries, OS, clock
};

/// Writes a bundle. One writer for a bundle at a time (a lock file says so). Every event a verdict can rest on is
/// fsync'd before `append` returns; an artifact is on disk before the event that names it.
class BundleWriter {
 public:
  /// Fails when the directory exists and is not empty.
  static Result<std::unique_ptr<BundleWriter>> create(const std::filesystem::path& directory, const RunPlan& plan,
                                                      const BundleInputs& inputs);

  /// Opens an interrupted bundle to go on: a torn last line is cut and becomes a `recovered` event, and `resumed` is
  /// appended. Refuses a closed one (after finishing a closing that was interrupted) and one that a living process
  /// writes (kind denied).
  static Result<std::unique_ptr<BundleWriter>> resume(const std::filesystem::path& directory);

  /// Opens a closed bundle so that people's statements can be added: `reopened` keeps the verdicts as they were, and
  /// `close` closes it again. Goes on with an amendment that was interrupted. Refuses a bundle whose run has not ended.
  static Result<std::unique_ptr<BundleWriter>> amend(const std::filesystem::path& directory);

  virtual ~BundleWriter() = default;
  virtual const std::filesystem::path& directory() const = 0;

  /// Text in `data` that is not UTF-8 is stored with U+FFFD in its place; exact bytes belong into artifacts. A failed
  /// append leaves the journal as it was.
  virtual Result<> append(std::string_view type, json::object data) = 0;
  virtual Result<ArtifactRef> artifact(std::string_view title, std::string_view media_type, std::string_view bytes) = 0;

  /// The same for bytes that only the laboratory can read, encrypted by the caller (see Recipients): under restricted/.
  virtual Result<ArtifactRef> restricted(std::string_view title, std::string_view media_type,
                                         std::string_view bytes) = 0;

  /// verdicts.json, manifest.json, SHA256SUMS; the journal gets its last event, `closed`. After a failure for want of
  /// space it can be called again.
  virtual Result<> close(const Verdicts& verdicts) = 0;
};

/// Finishes a closing that was interrupted after the event `closed`. False when there was nothing to finish.
Result<bool> finish_bundle(const std::filesystem::path& directory);

/// What is in a bundle, read and parsed; the input of reports, replay and resume.
class Bundle {
 public:
  /// Reads what is there. A torn last line is left out and reported by `torn()`. Fails on anything that is not a
  /// bundle, on a journal whose chain does not hold, and on files that are not those the journal names: what it
  /// returns is what was written. Artifacts are checked when they are read.
  static Result<Bundle> open(const std::filesystem::path& directory);

  const std::filesystem::path& directory() const { return directory_; }

  const RunPlan& run_plan() const { return run_plan_; }

  const json::object& host() const { return host_; }

  const std::vector<Event>& events() const { return events_; }

  const std::vector<Observation>& observations() const { return observations_; }

  /// From the events `run_finished`, `device_lost` and `device_back`; a later `liveness` at the lost address that is
  /// alive (of a resumed run) counts as back.
  RunFacts run_facts() const;

  /// Answers, acceptances, reviews and waivers, in the order of the journal.
  const HumanRecord& record() const { return record_; }

  bool torn() const { return torn_; }

  bool closed() const { return closed_; }

  /// verdicts.json as stored, none while the run is open.
  const std::optional<Verdicts>& verdicts() const { return verdicts_; }

  /// Bytes of an artifact by digest; an error when they are not those of the digest or more than 256 MiB.
  Result<std::string> artifact(std::string_view sha256) const;

  /// Index of the event that holds an observation: its sequence.
  std::optional<std::int64_t> sequence_of(std::string_view observation_id) const;

 private:
  std::filesystem::path directory_;
  RunPlan run_plan_;
  json::object host_;
  std::vector<Event> events_;
  std::vector<Observation> observations_;
  std::map<std::string, std::int64_t, std::less<>> sequences_;  // observation id -> sequence of its event
  HumanRecord record_;
  std::optional<Verdicts> verdicts_;
  bool torn_ = false;
  bool closed_ = false;
};

/// One thing `assay verify` found wrong: which event or file, and what.
struct VerifyFinding {
  std::string place;  // "journal.jsonl event 17", "artifacts/ab12…"
  std::string what;
  bool error = true;  // false: worth saying, not a fault (an open bundle's unnamed artifact)
};
BOOST_DESCRIBE_STRUCT(VerifyFinding, (), (place, what, error))

struct VerifyReport {
  bool valid = false;
  bool closed = false;
  std::int64_t events = 0;
  std::string chain_head;  // sha256 of the last line
  std::vector<VerifyFinding> findings;
};
BOOST_DESCRIBE_STRUCT(VerifyReport, (), (valid, closed, events, chain_head, findings))

/// Finds any changed, missing or added byte.
VerifyReport verify_bundle(const std::filesystem::path& directory);

}  // namespace assay
