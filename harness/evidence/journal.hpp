#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/evidence/bundle.hpp"
#include "harness/evidence/files.hpp"

/// Lines of journal.jsonl (docs/evidence-format.md, "Journal").
namespace assay::evidence {

inline constexpr std::string_view kJournal = "journal.jsonl";
inline constexpr std::size_t kMaximumLine = std::size_t{16} * 1024 * 1024;
inline constexpr std::uint64_t kMaximumJournal = std::uint64_t{256} * 1024 * 1024;

/// `previous` of the first event.
std::string no_previous();

/// The line without its newline.
std::string encode_event(const Event& event);

/// Strict: canonical form, the six members, a real time, a real digest. `where` names the line in the error.
Result<Event> parse_event(std::string_view line, std::string_view where);

/// "journal.jsonl event 17"; an event's sequence is its line number.
std::string event_place(std::int64_t sequence);

/// A copy in which text that is not UTF-8 has U+FFFD in its place, so that the line stays readable by everyone.
/// The exact bytes belong into artifacts.
json::value readable(const json::value& value);

/// Whether a number in it is no integer. Such a one may be read back differing in its last digit.
bool has_fraction(const json::value& value);

/// Paths of the artifacts an event names: `data.observation.artifacts` and `data.artifacts`.
std::vector<std::string> named_artifacts(const Event& event);

/// Digests that facts of an observation rest on: `data.observation.evidence`.
std::vector<std::string> named_evidence(const Event& event);

/// `data.files` of `created` and `closed`: path -> sha256.
std::map<std::string, std::string> vouched_files(const Event& event);

/// Splits an open journal into lines, each at most kMaximumLine long.
class LineReader {
 public:
  explicit LineReader(Fd file) : file_(std::move(file)) {}

  /// The next line without its newline; none at the end. An error when a line or the journal is too long.
  Result<std::optional<std::string>> next();

  /// After the end: bytes behind the last newline, what an interrupted write left.
  std::string torn() const { return buffer_.substr(start_); }

  /// Bytes of whole lines so far.
  std::uint64_t whole() const { return whole_; }

 private:
  Result<> read_more();

  Fd file_;
  std::string buffer_;
  std::size_t start_ = 0;     // of the line at hand in buffer_
  std::size_t searched_ = 0;  // no newline before here
  std::uint64_t whole_ = 0;
  std::int64_t lines_ = 0;
  bool ended_ = false;
};

/// A journal that has been read and whose chain holds.
struct Chain {
  std::vector<Event> events;
  std::string head;  // sha256 of the last line
  std::uint64_t whole = 0;
  std::string torn;

  bool closed() const { return !events.empty() && events.back().type == "closed"; }

  /// Was closed once and is open again for an amendment.
  bool reopened() const;
};

/// Reads a journal to its end; the first fault is an error with its place.
Result<Chain> read_chain(Fd journal);

}  // namespace assay::evidence
