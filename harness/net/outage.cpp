#include "harness/net/outage.hpp"

namespace assay {

void Outage::begin(TimePoint now) {
  on_ = true;
  refusing_ = false;
  ++count_;
  good_in_row_ = 0;
  since_ = now;
  next_look_ = now;
}

Outage::Finding Outage::ended(bool as_before, bool refused, TimePoint now) {
  refusing_ = refused;
  good_in_row_ = as_before ? good_in_row_ + 1 : 0;
  if (good_in_row_ < kGoodInRow) {
    return at(now);
  }
  on_ = count_ > kMost;
  return on_ ? Finding::gave_up : Finding::back;
}

Outage::Finding Outage::at(TimePoint now) {
  return now - since_ > kLongest ? Finding::gave_up : Finding::waiting;
}

}  // namespace assay
