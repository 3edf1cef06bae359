#include <algorithm>
#include <deque>
#include <utility>

#include "probes/credentials/logins.hpp"
#include "probes/sessions/together.hpp"
#include "probes/wire/bytes.hpp"

/// Logins on several connections at once. Only where that was asked for, the pace has no interval between logins, and
/// wrong logins at once were each refused as alone. Each draws its permit; the first answer that is no plain refusal
/// halts all rows, and is settled alone. A row whose login the server had no room for gives it back to the others and
/// ends.
namespace assay::probes::credentials {

namespace {

constexpr std::size_t kControlsBeside = 3;
constexpr std::size_t kMostRows = 64;
constexpr std::size_t kBetweenReports = 64;  // logins of a row until the progress is told

}  // namespace

/// What the rows share while they run.
struct Logins::Beside {
  struct Answer {
    Candidate candidate;
    Attempt attempted;
    LockWatch::Sign sign = LockWatch::Sign::none;  // of a plain refusal
  };

  std::size_t last = 0;
  bool halt = false;
  std::size_t refused = 0;          // controls
  std::size_t ended = 0;            // rows that the server had no room for
  std::deque<Answer> given_back{};  // permitted, and not sent
  std::vector<Answer> odd{};        // answers that are no plain refusals
  std::optional<Error> error{};     // the first that ends the probe
};

/// Wrong logins at once, one on a connection: a server that refuses each is asked so from now on.
asio::awaitable<Result<>> Logins::prove_beside() {
  const auto most = std::min({options_.connections, context_.network.logins_at_once(), kMostRows});
  const bool pipelined = at_once_ > 1;
  if (most < 2 || pipelined || !options_.another_door || !dialect_.names_accounts() ||
      candidates_.size() < 2 * kControlsBeside) {
    co_return Result<>{};
  }
  if (!dialect_.beside(door_)) {
    co_return Result<>{};
  }
  while (beside_.size() < most) {
    beside_.push_back(dialect_.beside(options_.another_door()));
  }
  Beside shared;
  sessions::Jobs jobs;
  const auto controls = std::min(kControlsBeside, most);
  jobs.set_width(controls);
  for (std::size_t i = 0; i < controls; ++i) {
    jobs.add([this, i, &shared] { return control_beside(*beside_[i], shared); });
  }
  co_await jobs.run();
  if (shared.error) {
    co_return *shared.error;
  }
  if (shared.refused == controls) {
    rows_ = most;
    dialect_.start_afresh();  // what nobody uses is not left open: servers bear few connections without a login
    door_.transcript.note("logins go on over " + std::to_string(most) +
                          " connections, each with a transcript of its own");
  }
  co_return Result<>{};
}

asio::awaitable<void> Logins::control_beside(Dialect& dialect, Beside& shared) {
  auto attempted = co_await control_by(dialect);
  dialect.start_afresh();
  if (!attempted) {
    shared.error = shared.error ? shared.error : attempted.error();
  } else if (attempted->outcome == Outcome::accepted) {
    tally_.open = true;
    tally_.why_stopped = "one of several logins with random names and passwords at once succeeds";
  } else if (attempted->outcome == Outcome::locked || attempted->outcome == Outcome::forbidden) {
    locked(wire::printable(attempted->says, 128), "a random account");
  } else if (attempted->outcome == Outcome::rejected) {
    ++shared.refused;
    ++tally_.refusals;
    watch_.expect(attempted->took);
  }
}

/// The next candidates until something halts the rows or the progress is to be told.
asio::awaitable<Result<>> Logins::try_beside() {
  Beside shared;
  shared.last = std::min(candidates_.size(), next_ + rows_ * kBetweenReports);
  do {
    sessions::Jobs jobs;
    jobs.set_width(rows_);
    for (std::size_t i = 0; i < rows_; ++i) {
      jobs.add([this, i, &shared] { return row_beside(*beside_[i], shared); });
    }
    co_await jobs.run();
    rows_ -= std::min(rows_ - 1, std::exchange(shared.ended, 0));
  } while (rows_ > 1 && !shared.halt && !stopped() && !shared.given_back.empty());
  shared.odd.insert(shared.odd.end(), shared.given_back.begin(), shared.given_back.end());
  Result<> settled;
  if (!shared.error) {
    settled = co_await settle_beside(shared);
  } else {
    settled = *shared.error;
    tally_.unclear += std::ssize(shared.odd);
  }
  co_return settled;
}

/// The next candidate whose login is permitted. Nothing: there is none, or the rows are to halt.
asio::awaitable<std::optional<Candidate>> Logins::take_beside(Dialect& dialect, Beside& shared) {
  std::optional<Candidate> taken;
  if (!shared.given_back.empty()) {
    taken = std::move(shared.given_back.front().candidate);
    shared.given_back.pop_front();
    co_return taken;
  }
  while (next_ < shared.last && !shared.halt && !stopped()) {
    bring_forward(next_, shared.last, dialect);
    auto candidate = candidates_[next_++];
    if (solved_.contains(candidate.username)) {
      ++tally_.skipped_stopped;
      continue;
    }
    auto permitted = co_await permit(candidate.username);
    if (!permitted) {
      ++tally_.skipped_stopped;
      shared.error = shared.error ? shared.error : permitted.error();
      break;
    }
    if (!*permitted) {
      ++tally_.skipped_budget;
      continue;
    }
    tally_.accounts.insert(candidate.username);
    ++tally_.tried;
    taken = std::move(candidate);
    break;
  }
  co_return taken;
}

asio::awaitable<void> Logins::row_beside(Dialect& dialect, Beside& shared) {
  while (!shared.halt && !stopped()) {
    auto candidate = co_await take_beside(dialect, shared);
    if (!candidate) {
      break;
    }
    auto attempted = co_await dialect.attempt(candidate->username, candidate->password);
    if (attempted.ended) {
      ++tally_.unclear;
      shared.error = shared.error ? shared.error : attempted.ended;
      break;
    }
    auto sign = LockWatch::Sign::none;
    if (attempted.outcome == Outcome::rejected && !watch_.is_slow(attempted)) {
      sign = watch_.see(attempted, candidate->username, true);
      ++tally_.refusals;
      unclear_in_a_row_ = 0;
      if (sign == LockWatch::Sign::none) {
        continue;
      }
    }
    const bool unanswered = attempted.outcome == Outcome::lost || attempted.outcome == Outcome::unclear;
    if (unanswered && attempted.sent == 0) {
      // Not heard at all is how servers say that these are too many at once: the other rows go on.
      shared.given_back.push_back({*candidate, std::move(attempted)});
      ++shared.ended;
      break;
    }
    shared.odd.push_back({*candidate, std::move(attempted), sign});
    break;
  }
  dialect.start_afresh();
  shared.halt = shared.halt || shared.error || !shared.odd.empty();
}

asio::awaitable<Result<>> Logins::settle_beside(Beside& shared) {
  bool gave_way = false;
  for (auto& [candidate, attempted, sign] : shared.odd) {
    if (attempted.outcome == Outcome::rejected) {
      // Slow with so many at once: how slow says nothing of a lockout, the words may.
      Result<> heeded;
      if (sign == LockWatch::Sign::none) {
        heeded = co_await weigh(attempted, candidate.username, true);
        gave_way = true;
      } else {
        heeded = co_await heed(sign, candidate.username);
      }
      if (heeded && stopped()) {
        unjudged_.push_back(candidate);
      }
      if (!heeded) {
        co_return heeded;
      }
      continue;
    }
    const bool known = solved_.contains(candidate.username);
    if (stopped() || known) {
      // It went out before the reason to stop was known, and is not asked again for now.
      if (!known) {
        unjudged_.push_back(candidate);
      }
      continue;
    }
    // Connections that are cut are another way to say that these are too many at once: that login is made again alone,
    // and what it shows then counts.
    const bool alone = attempted.outcome == Outcome::lost || attempted.outcome == Outcome::unclear;
    gave_way = gave_way || alone;
    Result<bool> settled{false};
    if (!alone) {
      settled = co_await settle(candidate, std::move(attempted));
    }
    Result<> done;
    if (settled && !*settled) {
      done = co_await try_candidate(candidate, true);
    }
    if (!settled || !done) {
      co_return settled ? done.error() : settled.error();
    }
  }
  rows_ = gave_way ? rows_ / 2 : rows_;
  co_return Result<>{};
}

}  // namespace assay::probes::credentials
