#pragma once

#include <cstdint>

#include "harness/net/budget.hpp"
#include "harness/net/sweep_ledger.hpp"

namespace assay {

/// Refusals are worth what an open port says beside them: a device that bans a scanner may refuse everything from then
/// on, and one whose services crashed refuses on their ports. Every few seconds, at the end of each pass, and beside
/// each lost canary, a port known to be open is asked again. Pure: it is told the time.
class OpenWatch {
 public:
  /// Shorter than services take to start again, so that a crash is seen; a sweep that is over sooner needs one look.
  static constexpr std::chrono::milliseconds kLookEvery{2000};
  static constexpr int kTurnedAway = 3;  // refusals of open ports in a row
  static constexpr int kMostUnanswered = 3;

  enum class Finding : std::uint8_t {
    nothing,    // ask again
    confirmed,  // what refused until now is closed
    refusing,   // what refused since the last confirmation says nothing
  };

  explicit OpenWatch(TimePoint now) : last_look_(now) {}

  /// True when an open port should be asked: `unconfirmed` ports refused since the last confirmation.
  bool wants(std::int64_t unconfirmed, bool end_of_pass, TimePoint now) const;

  /// A look is under way; or it could not be taken.
  void asking(TimePoint now) {
    asking_ = true;
    canary_lost_ = false;
    last_look_ = now;
  }

  void not_asked() { asking_ = false; }

  /// A closed port that is known to answer did not: does an open one?
  void canary_lost() { canary_lost_ = true; }

  /// How a look ended. Silence is the canaries' matter: after a few it is not asked about again for a while.
  Finding ended(Answer answer);

 private:
  bool asking_ = false;
  bool canary_lost_ = false;
  int refusing_ = 0;
  int unanswered_ = 0;
  bool tired_ = false;
  TimePoint last_look_;
};

/// How the looks at ports of one sort ended.
struct Tally {
  static constexpr int kEnoughToTell = 5;

  int answered = 0;
  int lost = 0;

  void count(bool was_answered) { ++(was_answered ? answered : lost); }

  bool all_answered() const { return answered >= kEnoughToTell && lost == 0; }
};

}  // namespace assay
