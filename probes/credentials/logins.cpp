#include "probes/credentials/logins.hpp"

#include <algorithm>
#include <utility>

#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

constexpr std::string_view kLockedOut = "the device shows a lockout";
constexpr int kControlsWanted = 2;
constexpr int kControlsAtMost = 4;
constexpr int kUnclearAtMost = 3;
constexpr milliseconds kBeforeReconnect{1000};
constexpr std::int64_t kMostResumes = 20;

}  // namespace

void Tally::absorb(const Tally& other) {
  for (const auto& entry : other.accepted) {
    accepted.push_back(entry);
  }
  // One open door is enough; that all are shut has to be known of each.
  const bool one_open = (open && *open) || (other.open && *other.open);
  open = one_open ? std::optional{true} : open && other.open ? std::optional{false} : std::nullopt;
  tried += other.tried;
  skipped_budget += other.skipped_budget;
  skipped_stopped += other.skipped_stopped;
  controls += other.controls;
  unclear += other.unclear;
  refusals += other.refusals;
  accounts.insert(other.accounts.begin(), other.accounts.end());
  if (lock_sign.empty()) {
    lock_sign = other.lock_sign;
    lock_account = other.lock_account;
  }
  if (why_stopped.empty()) {
    why_stopped = other.why_stopped;
  }
  if (doubt.empty()) {
    doubt = other.doubt;
  }
  resumed += other.resumed;
}

asio::awaitable<Result<>> Logins::run() {
  auto ended = co_await run_through();
  tally_.skipped_stopped += std::ssize(candidates_) - static_cast<std::int64_t>(next_);
  tally_.unclear += std::ssize(unjudged_);
  doubt_suspects();
  co_return ended;
}

/// What an account that may have been locked was refused says little, unless a pair was taken all the same.
void Logins::doubt_suspects() {
  for (const auto& [account, refusals] : watch_.suspects()) {
    if (tally_.accepted.empty()) {
      tally_.unclear += refusals;
      tally_.doubt = "the refusals of " + wire::printable(account, 64) +
                     " speak of a lockout from the first one on, and those of random names do not: it may have been "
                     "locked before, or be warned";
    }
  }
}

asio::awaitable<Result<>> Logins::run_through() {
  auto calibrated = co_await calibrate_with_known();
  if (!calibrated || stopped() || !tally_.open || *tally_.open) {
    co_return calibrated;
  }
  auto shown = co_await show_known();
  if (shown) {
    shown = co_await find_known();
  }
  if (!shown || stopped()) {
    co_return shown;
  }
  auto reserved = co_await reserve_check();
  if (!reserved || !*reserved) {
    if (reserved) {
      tally_.skipped_budget = std::ssize(candidates_);
      next_ = candidates_.size();
      co_return Result<>{};
    }
    co_return reserved.error();
  }
  auto proved = co_await prove_order();
  if (proved) {
    proved = co_await prove_beside();
  }
  if (!proved) {
    co_return proved;
  }
  auto tried = co_await try_between_locks();
  if (!tried || stopped()) {
    co_return tried;
  }
  // Late answers may come after the last candidate, and those that they speak of are asked once more.
  auto settled = co_await dialect_.settle();
  if (settled) {
    reopen();
    answered_late_ = true;
    settled = co_await try_all();
  }
  if (settled && !stopped()) {
    settled = co_await check_known();
  }
  co_return settled;
}

void Logins::reopen() {
  const auto count = candidates_.size();
  for (const auto& late : dialect_.late()) {
    for (std::size_t i = 0; i < count; ++i) {
      if (candidates_[i].password.reveal() == late) {
        const auto again = candidates_[i];
        candidates_.push_back(again);
        --tally_.tried;  // counted when it is tried again, or skipped
        break;
      }
    }
  }
}

/// Where the open connection takes only one name, the next candidate of that name goes first; not before those of
/// names that were not tried yet, for the list begins with the likeliest.
void Logins::bring_forward(std::size_t at, std::size_t last, const Dialect& dialect) {
  const auto name = dialect.goes_on_with();
  if (!name || solved_.contains(*name) || spent_.contains(*name)) {
    return;
  }
  const auto begin = candidates_.begin() + static_cast<std::ptrdiff_t>(at);
  const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(last);
  const auto found = std::find_if(
      begin, end, [&](const auto& one) { return one.username == *name || !tally_.accounts.contains(one.username); });
  if (found != end && found->username == *name) {
    std::rotate(begin, found, found + 1);
  }
}

/// Where that is allowed, logins go on when a lockout has had its time: with those first that were not judged for it.
asio::awaitable<Result<>> Logins::try_between_locks() {
  auto tried = co_await try_all();
  while (tried && tally_.why_stopped == kLockedOut && options_.resume_after > milliseconds{0} &&
         tally_.resumed < kMostResumes && (next_ < candidates_.size() || !unjudged_.empty())) {
    auto waited = co_await context_.network.wait(options_.resume_after);
    if (!waited) {
      co_return waited;
    }
    take_up_again();
    tried = co_await try_all();
  }
  co_return tried;
}

void Logins::take_up_again() {
  ++tally_.resumed;
  tally_.why_stopped.clear();
  tally_.tried -= std::ssize(unjudged_);  // counted when they are tried again, or skipped
  candidates_.insert(candidates_.begin() + static_cast<std::ptrdiff_t>(next_), unjudged_.begin(), unjudged_.end());
  unjudged_.clear();
  dialect_.start_afresh();
}

/// From `next_` on.
asio::awaitable<Result<>> Logins::try_all() {
  while (next_ < candidates_.size() && !stopped()) {
    if (context_.progress) {
      context_.progress(static_cast<std::int64_t>(next_), std::ssize(candidates_), "logins tried");
    }
    Result<> done;
    if (at_once() > 1) {
      done = co_await try_several();
    } else if (rows_ > 1) {
      done = co_await try_beside();
    } else {
      bring_forward(next_, candidates_.size(), dialect_);
      const auto candidate = candidates_[next_++];
      if (solved_.contains(candidate.username)) {
        ++tally_.skipped_stopped;
        continue;
      }
      done = co_await try_candidate(candidate);
    }
    if (!done) {
      co_return done;
    }
  }
  co_return Result<>{};
}

asio::awaitable<Result<Attempt>> Logins::control() {
  auto attempted = co_await control_by(dialect_);
  co_return attempted;
}

asio::awaitable<Result<Attempt>> Logins::control_by(Dialect& dialect) {
  // Names and lengths that no device has, each used once: no real account spends its attempts on a control.
  const auto length = 8 + static_cast<std::size_t>(tally_.controls % 4) * 3;
  const auto username = "assay" + sessions::random_word(length);
  const Secret password{sessions::random_word(length + 4), "random password"};
  if (!std::exchange(reserved_, false)) {
    const auto account = dialect_.names_accounts() ? username : std::string{};
    auto permitted = co_await context_.network.permit_login(door_.endpoint, account);
    if (!permitted) {
      co_return permitted.error();
    }
  }
  ++tally_.controls;
  auto attempted = co_await dialect.attempt_control(username, password);
  if (attempted.ended) {
    co_return *attempted.ended;
  }
  co_return attempted;
}

/// Where there is one secret, controls spend its attempts: the one that must follow a hit is put aside before the first
/// candidate. False when too few are left for anything.
asio::awaitable<Result<bool>> Logins::reserve_check() {
  if (dialect_.names_accounts()) {
    co_return true;
  }
  auto permitted = co_await context_.network.permit_login(door_.endpoint, std::string());
  if (!permitted && permitted.error().kind != ErrorKind::denied) {
    co_return permitted.error();
  }
  reserved_ = static_cast<bool>(permitted);
  co_return reserved_;
}

asio::awaitable<Result<>> Logins::calibrate() {
  int refused = 0;
  int accepted = 0;
  int asked_anew = 0;
  for (int i = 0; i < kControlsAtMost && refused < kControlsWanted && accepted < kControlsWanted; ++i) {
    auto attempted = co_await control();
    if (!attempted && !dialect_.names_accounts() && attempted.error().kind == ErrorKind::denied) {
      break;
    }
    if (!attempted) {
      co_return attempted.error();
    }
    asked_anew += attempted->must_change ? 1 : 0;
    if (attempted->outcome == Outcome::accepted) {
      ++accepted;
      dialect_.start_afresh();
    } else if (attempted->outcome == Outcome::rejected) {
      ++refused;
      ++tally_.refusals;
      watch_.learn(*attempted);
    } else if (attempted->outcome == Outcome::locked || attempted->outcome == Outcome::forbidden) {
      locked(wire::printable(attempted->says, 128), "a random account");
      co_return Result<>{};
    } else {
      dialect_.start_afresh();
    }
  }
  if (accepted >= kControlsWanted) {
    tally_.open = true;
    tally_.why_stopped = "logins with random names and passwords succeed";
  } else if (refused >= kControlsWanted && accepted == 0) {
    tally_.open = false;
  } else {
    tally_.why_stopped =
        "logins with random names and passwords " + std::string{accepted > 0     ? "gave different answers"
                                                                : asked_anew > 0 ? "are asked for a new password too"
                                                                                 : "gave no clear refusal"};
  }
  co_return Result<>{};
}

asio::awaitable<Result<Attempt>> Logins::attempt(Candidate candidate) {
  auto attempted = co_await dialect_.attempt(candidate.username, candidate.password);
  if (attempted.outcome == Outcome::lost && !attempted.ended) {
    // One refused connection may be a daemon that starts anew; two in a row after wrong logins are a sign.
    auto waited = co_await context_.network.wait(kBeforeReconnect);
    if (!waited) {
      co_return waited.error();
    }
    dialect_.start_afresh();
    attempted = co_await dialect_.attempt(candidate.username, candidate.password);
  }
  if (attempted.ended) {
    co_return *attempted.ended;
  }
  co_return attempted;
}

/// One wrong login of an account. False: its budget is spent.
asio::awaitable<Result<bool>> Logins::permit(std::string account) {
  if (answered_late_) {
    co_return true;  // it was answered and has proved right, so a spent budget must not hide it
  }
  if (spent_.contains(account)) {
    co_return false;
  }
  auto permitted = co_await context_.network.permit_login(door_.endpoint, account);
  if (!permitted && permitted.error().kind != ErrorKind::denied) {
    co_return permitted.error();
  }
  if (!permitted) {
    spent_.insert(account);
  }
  co_return static_cast<bool>(permitted);
}

/// `again`: it was sent before and got no answer that says anything.
asio::awaitable<Result<>> Logins::try_candidate(Candidate candidate, bool again) {
  for (int round = again ? 1 : 0; round < 2; ++round) {
    auto permitted = co_await permit(candidate.username);
    if (!permitted) {
      tally_.skipped_stopped += round == 0 ? 1 : 0;
      tally_.unclear += round == 0 ? 0 : 1;
      co_return permitted.error();
    }
    if (!*permitted) {
      tally_.skipped_budget += round == 0 ? 1 : 0;
      tally_.unclear += round == 0 ? 0 : 1;
      co_return Result<>{};
    }
    tally_.accounts.insert(candidate.username);
    tally_.tried += round == 0 ? 1 : 0;
    auto attempted = co_await attempt(candidate);
    if (!attempted) {
      co_return attempted.error();
    }
    auto settled = co_await settle(candidate, std::move(*attempted));
    if (!settled) {
      co_return settled.error();
    }
    if (*settled) {
      co_return Result<>{};
    }
    dialect_.start_afresh();
  }
  ++tally_.unclear;
  if (++unclear_in_a_row_ >= kUnclearAtMost) {
    tally_.why_stopped = "the device gave no clear answers any more";
  }
  co_return Result<>{};
}

/// What an answer shows. False: nothing, the login is to be asked once more.
asio::awaitable<Result<bool>> Logins::settle(Candidate candidate, Attempt attempted) {
  Result<> done;
  const auto outcome = attempted.outcome;
  if (outcome == Outcome::lost) {
    locked("no new connections are accepted", candidate.username);
  } else if (outcome == Outcome::rejected || outcome == Outcome::locked) {
    done = co_await weigh(attempted, candidate.username, false);
  } else if (outcome == Outcome::accepted) {
    done = co_await confirm(candidate, attempted.proof);
  } else if (outcome == Outcome::forbidden) {
    done = co_await doubt(candidate, std::move(attempted));
  }
  if (!done) {
    co_return done.error();
  }
  if (tally_.why_stopped == kLockedOut) {
    unjudged_.push_back(candidate);
  }
  co_return outcome != Outcome::unclear || stopped();
}

void Logins::locked(std::string sign, const std::string& account) {
  tally_.lock_sign = std::move(sign);
  tally_.lock_account = account;
  tally_.why_stopped = kLockedOut;
}

/// What a refusal says of a lockout. `beside`: others were on their way.
asio::awaitable<Result<>> Logins::weigh(const Attempt& refusal, std::string account, bool beside) {
  const auto sign = watch_.see(refusal, account, beside);
  if (refusal.outcome == Outcome::rejected) {
    ++tally_.refusals;
    unclear_in_a_row_ = 0;
  }
  auto heeded = co_await heed(sign, std::move(account));
  co_return heeded;
}

/// Where an account's first refusal speaks of a lockout, a random name shows whether all are meant: if not, the device
/// may warn of what it does later, so the account is gone on with, and only a hit settles it.
asio::awaitable<Result<>> Logins::heed(LockWatch::Sign sign, std::string account) {
  if (sign == LockWatch::Sign::none) {
    co_return Result<>{};
  }
  const auto why = watch_.why();
  if (sign == LockWatch::Sign::doubtful && dialect_.names_accounts()) {
    dialect_.start_afresh();
    auto checked = co_await control();
    if (!checked) {
      co_return checked.error();
    }
    if (!watch_.speaks_alike(*checked)) {
      co_return Result<>{};
    }
  }
  locked(why, account);
  co_return Result<>{};
}

}  // namespace assay::probes::credentials
