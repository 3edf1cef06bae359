#include "harness/net/open_watch.hpp"

namespace assay {

bool OpenWatch::wants(std::int64_t unconfirmed, bool end_of_pass, TimePoint now) const {
  const bool due = canary_lost_ || refusing_ > 0 ||
                   (unconfirmed > 0 && ((end_of_pass && !tired_) || now - last_look_ >= kLookEvery));
  return !asking_ && due;
}

OpenWatch::Finding OpenWatch::ended(Answer answer) {
  asking_ = false;
  tired_ = false;
  if (answer == Answer::refused) {
    return ++refusing_ >= kTurnedAway ? Finding::refusing : Finding::nothing;
  }
  if (answer == Answer::accepted || answer == Answer::accepted_then_cut) {
    refusing_ = 0;
    unanswered_ = 0;
    return Finding::confirmed;
  }
  if (++unanswered_ >= kMostUnanswered) {
    refusing_ = 0;
    unanswered_ = 0;
    tired_ = true;
  }
  return Finding::nothing;
}

}  // namespace assay
