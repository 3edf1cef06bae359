#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/evidence/bundle.hpp"
#include "harness/evidence/journal.hpp"

namespace assay::evidence {

inline constexpr std::size_t kMaximumFindings = 1000;

/// Findings of one verification, bounded: a hostile bundle must not fill the memory.
class Findings {
 public:
  void fault(std::string place, std::string what) { add(std::move(place), std::move(what), true); }

  void note(std::string place, std::string what) { add(std::move(place), std::move(what), false); }

  bool faultless() const { return faultless_; }

  std::vector<VerifyFinding> take() { return std::move(list_); }

 private:
  void add(std::string place, std::string what, bool error);

  std::vector<VerifyFinding> list_;
  bool faultless_ = true;
};

/// Reads a journal to its end whatever is wrong with it, reporting each fault with the event it is at.
class JournalCheck {
 public:
  explicit JournalCheck(Findings& findings) : findings_(findings) {}

  void run(const Fd& root);

  std::int64_t events = 0;
  std::string head = no_previous();               // sha256 of the last line
  bool sound = true;                              // nothing is wrong with it
  bool closed = false;                            // its last event is `closed`
  bool reopened = false;                          // it was closed before and has been amended since
  std::map<std::string, std::string> files;       // path -> digest, as `created` and `closed` say
  std::map<std::string, std::int64_t> artifacts;  // path -> first event that names it
  std::map<std::string, std::int64_t> rested_on;  // digest a fact rests on -> first such event

 private:
  void fault(std::string place, std::string what);
  void check_line(const std::string& line);
  void check_place(const Event& event, const std::string& before);
  void check_clocks(const Event& event);
  void keep(const Event& event);

  Findings& findings_;
  std::int64_t expected_ = 1;  // sequence of the next event
  std::string last_type_;
  std::string last_time_;
  std::int64_t last_monotonic_ = 0;
};

}  // namespace assay::evidence
