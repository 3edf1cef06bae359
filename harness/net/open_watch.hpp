#pragma once

#include <cstdint>

#include "harness/net/sweep_ledger.hpp"

namespace assay {

/// Refusals are worth what an open port says beside them: a device that bans a scanner may refuse everything from then on.
/// Now and then, at the end of each pass, and beside each lost canary, a port known to be open is asked again. Pure.
class OpenWatch {
 public:
  static constexpr std::int64_t kConfirmEvery = 16384;  // refusals that one look stands for
  static constexpr int kTurnedAway = 3;                 // refusals of open ports in a row
  static constexpr int kMostUnanswered = 3;

  enum class Finding : std::uint8_t {
    nothing,      // ask again
    confirmed,    // what refused until now is closed
    turned_away,  // what refused since the last confirmation says nothing
  };

  /// True when an open port should be asked: `unconfirmed` ports refused since the last confirmation.
  bool wants(std::int64_t unconfirmed, bool end_of_pass) const;

  /// A look is under way; or it could not be taken.
  void asking() {
    asking_ = true;
    canary_lost_ = false;
  }
  void not_asked() { asking_ = false; }

  /// A closed port that is known to answer did not: does an open one?
  void canary_lost() { canary_lost_ = true; }

  /// How a look ended. Silence is the canaries' matter: after a few it counts as confirmed.
  Finding ended(Answer answer);

 private:
  bool asking_ = false;
  bool canary_lost_ = false;
  int refusing_ = 0;
  int unanswered_ = 0;
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
