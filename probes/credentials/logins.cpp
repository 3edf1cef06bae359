#include "probes/credentials/logins.hpp"

#include <algorithm>
#include <utility>

#include "probes/credentials/lock_words.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

constexpr int kControlsWanted = 2;
constexpr int kControlsAtMost = 4;
constexpr int kUnclearAtMost = 3;
constexpr int kSlowAtMost = 2;
constexpr milliseconds kSlower{2000};
constexpr milliseconds kBeforeReconnect{1000};

std::set<std::string> lock_words(std::string_view text) {
  std::set<std::string> found;
  for (const auto word : kLockWords) {
    if (wire::contains_ignoring_case(text, word)) {
      found.emplace(word);
    }
  }
  return found;
}

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
}

asio::awaitable<Result<>> Logins::run() {
  auto calibrated = co_await calibrate_with_known();
  if (!calibrated || stopped() || !tally_.open || *tally_.open) {
    tally_.skipped_stopped = std::ssize(candidates_);
    co_return calibrated;
  }
  auto shown = co_await show_known();
  if (!shown) {
    tally_.skipped_stopped = std::ssize(candidates_);
    co_return shown;
  }
  auto reserved = co_await reserve_check();
  if (!reserved || !*reserved) {
    tally_.skipped_budget = reserved ? std::ssize(candidates_) : 0;
    tally_.skipped_stopped = reserved ? 0 : std::ssize(candidates_);
    Result<> ended;
    if (!reserved) {
      ended = reserved.error();
    }
    co_return ended;
  }
  auto proved = co_await prove_order();
  if (proved) {
    proved = co_await prove_beside();
  }
  if (!proved) {
    tally_.skipped_stopped = std::ssize(candidates_);
    co_return proved;
  }
  auto tried = co_await try_all(0);
  if (!tried || stopped()) {
    co_return tried;
  }
  // Late answers may come after the last candidate, and those that they speak of are asked once more.
  const auto first_again = candidates_.size();
  auto settled = co_await dialect_.settle();
  if (settled) {
    reopen();
    answered_late_ = true;
    settled = co_await try_all(first_again);
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

asio::awaitable<Result<>> Logins::try_all(std::size_t first) {
  for (std::size_t i = first; i < candidates_.size();) {
    if (stopped()) {
      tally_.skipped_stopped += std::ssize(candidates_) - static_cast<std::int64_t>(i);
      break;
    }
    if (context_.progress) {
      context_.progress(static_cast<std::int64_t>(i), std::ssize(candidates_), "logins tried");
    }
    if (at_once() > 1) {
      auto next = co_await try_several(i);
      if (!next) {
        co_return next.error();
      }
      i = *next;
      continue;
    }
    if (rows_ > 1) {
      auto next = co_await try_beside(i);
      if (!next) {
        co_return next.error();
      }
      i = *next;
      continue;
    }
    bring_forward(i, candidates_.size(), dialect_);
    const auto candidate = candidates_[i++];
    if (solved_.contains(candidate.username)) {
      ++tally_.skipped_stopped;
      continue;
    }
    auto done = co_await try_candidate(candidate);
    if (!done) {
      tally_.skipped_stopped += std::ssize(candidates_) - static_cast<std::int64_t>(i);
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

/// Where refusals may be none, the tester's own accounts show what a login looks like that is taken. A wrong one costs
/// a permit as any other.
asio::awaitable<Result<>> Logins::show_known() {
  for (const auto& account : context_.dut.accounts) {
    if (dialect_.doubt().empty() || !dialect_.names_accounts() || account.username.empty() || stopped()) {
      break;
    }
    auto permitted = co_await context_.network.permit_login(door_.endpoint, account.username);
    if (!permitted && permitted.error().kind != ErrorKind::denied) {
      co_return permitted.error();
    }
    if (!permitted) {
      continue;
    }
    context_.record.conceal(account.secret);
    door_.transcript.conceal(account.secret.reveal(), account.secret.name());
    const Candidate known{account.username, account.secret, "accounts"};
    auto attempted = co_await attempt(known);
    if (!attempted) {
      co_return attempted.error();
    }
    watch_for_lock(*attempted, account.username);
    dialect_.start_afresh();
  }
  co_return Result<>{};
}

/// Controls that got no clear refusal are asked anew where an account of the tester has shown meanwhile what a login
/// looks like that is taken: a dialect may understand the refusals then.
asio::awaitable<Result<>> Logins::calibrate_with_known() {
  auto calibrated = co_await calibrate();
  if (!calibrated || tally_.open || !tally_.lock_sign.empty() || dialect_.doubt().empty()) {
    co_return calibrated;
  }
  const auto why = std::exchange(tally_.why_stopped, {});
  auto shown = co_await show_known();
  if (!shown || stopped()) {
    co_return shown;
  }
  if (!dialect_.doubt().empty()) {
    tally_.why_stopped = why;
    co_return Result<>{};
  }
  calibrated = co_await calibrate();
  co_return calibrated;
}

asio::awaitable<Result<>> Logins::calibrate() {
  int refused = 0;
  int accepted = 0;
  for (int i = 0; i < kControlsAtMost && refused < kControlsWanted && accepted < kControlsWanted; ++i) {
    auto attempted = co_await control();
    if (!attempted && !dialect_.names_accounts() && attempted.error().kind == ErrorKind::denied) {
      break;
    }
    if (!attempted) {
      co_return attempted.error();
    }
    if (attempted->outcome == Outcome::accepted) {
      ++accepted;
      dialect_.start_afresh();
    } else if (attempted->outcome == Outcome::rejected) {
      ++refused;
      ++tally_.refusals;
      usual_delay_ = std::max(usual_delay_, attempted->took);
      usual_words_.merge(lock_words(attempted->says));
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
    tally_.why_stopped = accepted > 0 ? "logins with random names and passwords gave different answers"
                                      : "logins with random names and passwords gave no clear refusal";
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
  watch_for_lock(attempted, candidate.username);
  Result<> done;
  const auto outcome = attempted.outcome;
  if (outcome == Outcome::accepted) {
    done = co_await confirm(candidate, attempted.proof);
  } else if (outcome == Outcome::forbidden) {
    done = co_await doubt(candidate, std::move(attempted));
  }
  if (!done) {
    co_return done.error();
  }
  co_return outcome != Outcome::unclear || stopped();
}

/// A right password whose page is forbidden and a lockout look alike; a wrong password of the same account does not.
asio::awaitable<Result<>> Logins::doubt(Candidate candidate, Attempt attempted) {
  auto permitted = co_await context_.network.permit_login(door_.endpoint, candidate.username);
  if (!permitted && permitted.error().kind != ErrorKind::denied) {
    co_return permitted.error();
  }
  Outcome wrong = Outcome::unclear;
  if (permitted) {
    Candidate other = candidate;
    other.password = Secret{sessions::random_word(14), "random password"};
    dialect_.start_afresh();
    auto tried = co_await attempt(other);
    if (!tried) {
      co_return tried.error();
    }
    wrong = tried->outcome;
  }
  if (wrong != Outcome::rejected) {
    locked(wire::printable(attempted.says, 128), candidate.username);
    co_return Result<>{};
  }
  auto confirmed = co_await confirm(candidate, attempted.proof);
  co_return confirmed;
}

/// Much slower than what random logins got at first.
bool Logins::is_slow(const Attempt& attempted) const {
  return attempted.took > 3 * usual_delay_ + kSlower;
}

void Logins::locked(std::string sign, const std::string& account) {
  tally_.lock_sign = std::move(sign);
  tally_.lock_account = account;
  tally_.why_stopped = "the device shows a lockout";
}

void Logins::watch_for_lock(const Attempt& attempted, const std::string& account) {
  if (attempted.outcome == Outcome::locked) {
    locked(wire::printable(attempted.says, 128), account);
  } else if (attempted.outcome == Outcome::lost) {
    locked("no new connections are accepted", account);
  } else if (attempted.outcome == Outcome::rejected) {
    ++tally_.refusals;
    unclear_in_a_row_ = 0;
    for (const auto& word : attempted.says == usual_refusal_ ? std::set<std::string>{} : lock_words(attempted.says)) {
      if (!usual_words_.contains(word)) {
        locked("the refusal says \"" + word + "\"", account);
      }
    }
    usual_refusal_ = attempted.says;
    slow_in_a_row_ = is_slow(attempted) ? slow_in_a_row_ + 1 : 0;
    if (slow_in_a_row_ >= kSlowAtMost) {
      locked("refusals got slower: " + std::to_string(attempted.took.count()) + " ms after " +
                 std::to_string(usual_delay_.count()) + " ms at first",
             account);
    }
  }
}

asio::awaitable<Result<>> Logins::confirm(Candidate candidate, std::string proof) {
  // No permit is drawn for the second login: the pair has just proved right, and a spent budget must not hide it.
  dialect_.start_afresh();
  auto second = co_await attempt(candidate);
  if (!second) {
    co_return second.error();
  }
  dialect_.start_afresh();
  if (second->outcome != Outcome::accepted && second->outcome != Outcome::forbidden) {
    ++tally_.unclear;
    co_return Result<>{};
  }
  // The first may have been one of several that were sent in one go, and the second says more.
  proof = second->proof.empty() ? std::move(proof) : second->proof;
  Outcome checked = Outcome::unclear;
  for (int round = 0; round < 2 && checked != Outcome::rejected && checked != Outcome::accepted; ++round) {
    auto attempted = co_await control();
    if (!attempted && !dialect_.names_accounts() && attempted.error().kind == ErrorKind::denied) {
      break;
    }
    if (!attempted) {
      co_return attempted.error();
    }
    checked = attempted->outcome;
  }
  if (checked == Outcome::accepted) {
    tally_.open = true;
    tally_.accepted.clear();
    tally_.why_stopped = "after a login that was taken, a login with a random name and password succeeds too";
    co_return Result<>{};
  }
  if (checked != Outcome::rejected) {
    ++tally_.unclear;
    co_return Result<>{};
  }
  json::object entry;
  entry["dialect"] = dialect_.name();
  entry["username"] = wire::printable(candidate.username, 128);
  entry["source"] = candidate.source;
  entry["proof"] = proof;
  context_.record.identify(candidate.password, entry);
  tally_.accepted.push_back(std::move(entry));
  // At once: what was found stays found when the time of the step runs out.
  context_.record.fact("credentials.accepted", tally_.accepted);
  solved_.insert(candidate.username);
  if (options_.stop_at_first) {
    tally_.why_stopped = "a pair was accepted";
  }
  co_return Result<>{};
}

}  // namespace assay::probes::credentials
