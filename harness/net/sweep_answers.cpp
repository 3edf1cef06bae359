#include <algorithm>

#include "harness/net/sweeper.hpp"

/// The second half of a port sweep: what the answers say of the ports and of the device.
namespace assay {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLeastRound{10};
constexpr int kLostInRow = 5;  // canaries; with kLostFor, the device is gone for now
constexpr milliseconds kLostFor{2000};

bool is_accepted(Answer answer) {
  return answer == Answer::accepted || answer == Answer::accepted_then_cut;
}

}  // namespace

/// Into the counts. True when it is an answer of the device's own network stack.
bool Sweeper::count(const PortAsker::Ended& ended, TimePoint now) {
  const auto answer = ended.answer;
  if (is_accepted(answer) || answer == Answer::refused) {
    ++counts_.answered;
    last_answer_ = now;
    measure(ended.took, now);
    governor_.noticed(ended.took, now);
    if (asker_->connects()) {
      governor_.connect_answered();
    }
    if (answer == Answer::refused) {
      refusals_.sample(ended.took);
    }
    return true;
  }
  if (answer == Answer::silence) {
    ++counts_.lost;
    control_.went_silent();
  } else if (answer == Answer::local_failure) {
    ++counts_.local_errors;
    if (++local_in_row_ >= kMostLocalFailures) {
      interruption_ = "this host could not ask";
      done_ = true;
    }
  } else {
    ++counts_.answered;  // ICMP: an answer of the path, not of the port
  }
  return false;
}

void Sweeper::finish(const PortAsker::Ended& ended, TimePoint now) {
  if (!ended.closing) {
    give_back();
  }
  const bool answered = count(ended, now);
  if (ended.attempt.purpose != Purpose::port) {
    if (outage_.on()) {
      finish_look(ended, answered, now);
    } else if (ended.attempt.purpose == Purpose::canary) {
      finish_canary(ended, answered, now);
    } else {
      finish_still_open(ended.answer, now);
    }
    return;
  }
  ledger_.note(ended.attempt.port, ended.answer, ended.attempt.epoch);
  control_.ended(ended.answer == Answer::silence, ended.attempt.epoch, now);
  if (answered) {
    control_.answered(ended.took, now);
  } else if (control_.lost_in_row() == 0) {
    control_.progressed();
  }
}

/// Thousands of samples a round trip would make the variation vanish (RFC 7323, appendix G), and the timers with it:
/// one sample, the slowest, for each round.
void Sweeper::measure(std::chrono::nanoseconds took, TimePoint now) {
  slowest_ = std::max(slowest_, took);
  auto& estimate = governor_.round_trip();
  if (!estimate.known() || now - round_start_ >= std::max<RoundTrip::Duration>(kLeastRound, estimate.smoothed())) {
    estimate.sample(slowest_);
    slowest_ = {};
    round_start_ = now;
  }
}

void Sweeper::finish_canary(const PortAsker::Ended& ended, bool answered, TimePoint now) {
  if (ended.answer == Answer::local_failure) {
    return;
  }
  canaries_.count(answered);
  if (!answered) {
    open_watch_.canary_lost();  // a device that limits its resets still answers there
  }
  if (control_.canary_ended(answered, ended.attempt.epoch, now) && asker_->connects()) {
    governor_.connect_timed_out(now);
  }
}

bool Sweeper::wants_confirmation(TimePoint now) const {
  const bool end_of_pass = !ledger_.has_next() && asker_->in_flight() == 0;
  return ledger_.has_open() && !outage_.on() && open_watch_.wants(ledger_.unconfirmed(), end_of_pass, now);
}

void Sweeper::finish_still_open(Answer answer, TimePoint now) {
  looks_.count(is_accepted(answer));
  switch (open_watch_.ended(answer)) {
    case OpenWatch::Finding::nothing:
      return;
    case OpenWatch::Finding::confirmed:
      ledger_.confirm();
      return;
    case OpenWatch::Finding::refusing:
      begin_outage(now);
  }
}

/// A device that is gone is not scanned on.
void Sweeper::watch_device(TimePoint now) {
  if (outage_.on()) {
    end_outage(outage_.at(now), now);
  } else if (!done_ && control_.lost_in_row() >= kLostInRow &&
             now - last_answer_ > std::max<RoundTrip::Duration>(kLostFor, patience())) {
    begin_outage(now);
  }
}

void Sweeper::begin_outage(TimePoint now) {
  outage_.begin(now);
  counts_.outages = outage_.count();
  governor_.device_gave_out();
}

void Sweeper::finish_look(const PortAsker::Ended& ended, bool answered, TimePoint now) {
  const bool of_open = ended.attempt.purpose == Purpose::still_open;
  const bool refused = ended.answer == Answer::refused;
  const bool as_before = of_open ? answered && !refused : answered;
  end_outage(outage_.ended(as_before, of_open && refused, now), now);
}

/// What refused since an open port was last seen open may have refused for want of services: it is asked again.
void Sweeper::end_outage(Outage::Finding finding, TimePoint now) {
  if (finding == Outage::Finding::waiting) {
    return;
  }
  ledger_.distrust();
  if (finding == Outage::Finding::back) {
    control_.begin_again(now);
    open_watch_ = OpenWatch{now};
    return;
  }
  counts_.turned_away = outage_.refusing();
  counts_.stopped_answering = !outage_.refusing();
  const auto again = outage_.count() > Outage::kMost ? " again and again" : "";
  interruption_ =
      (outage_.refusing() ? "open ports began to refuse: the device turns a scanner away, or its services are gone"
                          : "the device stopped answering") +
      std::string{again};
  done_ = true;
}

SweepReport Sweeper::report() {
  ledger_.fill(counts_, interruption_);
  counts_.took_ns = std::chrono::nanoseconds{std::chrono::steady_clock::now() - begin_}.count();
  counts_.rtt_ns = refusals_.smoothed().count();
  counts_.method = asker_->method();
  counts_.slow_downs = static_cast<std::int64_t>(control_.slow_downs());
  counts_.limit_a_second = static_cast<std::int64_t>(control_.limit());
  counts_.resets_limited = control_.slow_downs() > 0 && canaries_.lost >= Tally::kEnoughToTell && looks_.all_answered();
  counts_.late_answers = governor_.throttle().slow_downs() - slow_downs_before_;
  counts_.latest_ns = counts_.late_answers > 0 ? governor_.throttle().latest().count() : 0;
  counts_.slowest_a_second = static_cast<std::int64_t>(governor_.throttle().slowest());
  return std::move(counts_);
}

}  // namespace assay
