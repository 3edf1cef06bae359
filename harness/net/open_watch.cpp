#include "harness/net/open_watch.hpp"

namespace assay {

bool OpenWatch::wants(std::int64_t unconfirmed, bool end_of_pass) const {
  const bool due = canary_lost_ || refusing_ > 0 || unconfirmed >= kConfirmEvery || (end_of_pass && unconfirmed > 0);
  return !asking_ && due;
}

OpenWatch::Finding OpenWatch::ended(Answer answer) {
  asking_ = false;
  if (answer == Answer::refused) {
    return ++refusing_ >= kTurnedAway ? Finding::turned_away : Finding::nothing;
  }
  if (answer == Answer::accepted || answer == Answer::accepted_then_cut || ++unanswered_ >= kMostUnanswered) {
    refusing_ = 0;
    unanswered_ = 0;
    return Finding::confirmed;
  }
  return Finding::nothing;
}

}  // namespace assay
