#include "harness/evidence/journal_check.hpp"

#include <limits>

#include "harness/evidence/digest.hpp"
#include "harness/evidence/layout.hpp"

namespace assay::evidence {

void Findings::add(std::string place, std::string what, bool error) {
  faultless_ = faultless_ && !error;
  if (list_.size() < kMaximumFindings) {
    list_.push_back({std::move(place), std::move(what), error});
  } else if (list_.size() == kMaximumFindings) {
    list_.push_back({".", "more was found than is listed here", error});
  }
}

void JournalCheck::fault(std::string place, std::string what) {
  sound = false;
  findings_.fault(std::move(place), std::move(what));
}

void JournalCheck::run(const Fd& root) {
  auto file = open_beneath(root, kJournal);
  if (!file) {
    return fault(std::string{kJournal}, describe(file.error()));
  }
  LineReader lines{std::move(*file)};
  while (true) {
    auto line = lines.next();
    if (!line) {
      return fault(line.error().where, line.error().what);
    }
    if (!line->has_value()) {
      break;
    }
    check_line(**line);
  }
  closed = last_type_ == "closed";
  if (events == 0) {
    fault(std::string{kJournal}, "has no event");
  }
  const auto torn = lines.torn();
  const auto size = std::to_string(torn.size());
  if (!torn.empty() && closed) {
    fault(std::string{kJournal}, size + " bytes were added after its last event");
  } else if (!torn.empty()) {
    findings_.note(std::string{kJournal},
                   "ends in " + size + " bytes of an event that was being written; resuming cuts them");
  }
}

void JournalCheck::check_line(const std::string& line) {
  ++events;
  const std::string before = head;
  head = sha256_hex(line);
  auto event = parse_event(line, "");
  if (!event) {
    ++expected_;
    last_type_.clear();
    return fault(event_place(events), event.error().what);
  }
  check_place(*event, before);
  check_clocks(*event);
  expected_ = event->sequence < std::numeric_limits<std::int64_t>::max() ? event->sequence + 1 : expected_ + 1;
  last_type_ = event->type;
  keep(*event);
}

void JournalCheck::check_place(const Event& event, const std::string& before) {
  const auto place = event_place(events);
  if (event.sequence != expected_) {
    fault(place, "has the sequence " + std::to_string(event.sequence) + " where " + std::to_string(expected_) +
                     " is due: events were removed, added, swapped or changed");
  }
  if (event.previous != before && events == 1) {
    fault(place, "is not a first event: what was before it was removed");
  } else if (event.previous != before) {
    fault(event_place(events - 1), "was changed, or is not what was written before event " + std::to_string(events) +
                                       ": the chain breaks between them");
  }
  if ((events == 1) != (event.type == "created")) {
    fault(place, events == 1 ? "does not begin a bundle" : "begins a bundle a second time");
  }
  if (last_type_ == "closed" && event.type != "reopened") {
    fault(place, "was added after the event that closed the bundle");
  }
  if (event.type == "reopened" && last_type_ != "closed") {
    fault(place, "reopens a bundle that was not closed");
  }
}

void JournalCheck::check_clocks(const Event& event) {
  const bool new_session = event.type == "resumed" || event.type == "recovered" || event.type == "reopened";
  if (event.time < last_time_) {
    findings_.note(event_place(events), "is earlier than the event before it: the clock was set back");
  }
  if (event.monotonic_ns < last_monotonic_ && !new_session) {
    findings_.note(event_place(events), "is earlier than the event before it by the monotonic clock");
  }
  last_time_ = event.time;
  last_monotonic_ = event.monotonic_ns;
}

void JournalCheck::keep(const Event& event) {
  for (const auto& path : named_artifacts(event)) {
    artifacts.emplace(path, events);
  }
  for (const auto& digest : named_evidence(event)) {
    rested_on.emplace(digest, events);
  }
  if (event.type == "created" || event.type == "closed") {
    files.merge(vouched_files(event));
  } else if (event.type == "reopened") {
    files.erase(std::string{kVerdicts});  // the next closing writes them anew
    reopened = true;
  }
}

}  // namespace assay::evidence
