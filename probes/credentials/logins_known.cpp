#include <algorithm>
#include <utility>

#include "probes/credentials/logins.hpp"

/// Logins with the accounts that the DUT file gives the tester. They show what a login looks like that is taken, and
/// whether the device still judges logins when all others were made.
namespace assay::probes::credentials {

/// One login of the tester's. Nothing: its budget is spent, or it has a name where the login has none, or the other
/// way.
asio::awaitable<Result<std::optional<Attempt>>> Logins::try_own(Candidate own) {
  std::optional<Attempt> out;
  if (dialect_.names_accounts() == own.username.empty()) {
    co_return out;
  }
  auto permitted = co_await permit(own.username);
  if (!permitted) {
    co_return permitted.error();
  }
  if (!*permitted) {
    co_return out;
  }
  auto attempted = co_await make_own(own);
  if (!attempted) {
    co_return attempted.error();
  }
  out = std::move(*attempted);
  if (out->outcome == Outcome::accepted) {
    context_.network.return_permit(door_.endpoint, own.username);
  }
  const bool refused = out->outcome == Outcome::rejected || out->outcome == Outcome::unclear;
  if (!refused || turned_ || !dialect_.turns() || !tried_turned_.insert(own.username).second) {
    co_return out;
  }
  auto turned = co_await try_turned(std::move(own));
  if (!turned) {
    co_return turned.error();
  }
  const bool says_more = *turned && (*turned)->outcome != Outcome::rejected && (*turned)->outcome != Outcome::unclear;
  if (says_more) {
    out = std::move(*turned);
  }
  co_return out;
}

/// The same login in the other way that the dialect has. If it is taken all logins go on so.
asio::awaitable<Result<std::optional<Attempt>>> Logins::try_turned(Candidate own) {
  std::optional<Attempt> out;
  auto permitted = co_await permit(own.username);
  if (!permitted) {
    co_return permitted.error();
  }
  if (!*permitted) {
    co_return out;
  }
  const auto account = own.username;
  dialect_.turn(true);
  auto attempted = co_await make_own(std::move(own));
  turned_ = attempted && attempted->outcome == Outcome::accepted;
  dialect_.turn(turned_);
  if (!attempted) {
    co_return attempted.error();
  }
  if (turned_) {
    context_.network.return_permit(door_.endpoint, account);
  }
  out = std::move(*attempted);
  co_return out;
}

/// The same where it is permitted already.
asio::awaitable<Result<Attempt>> Logins::make_own(Candidate own) {
  context_.record.conceal(own.password);
  door_.transcript.conceal(own.password);
  dialect_.start_afresh();
  auto attempted = co_await attempt(own);
  dialect_.start_afresh();
  co_return attempted;
}

/// Where refusals may be none, the accounts show what a login looks like that is taken. A wrong one costs a permit as
/// any other.
asio::awaitable<Result<>> Logins::show_known() {
  for (const auto& account : context_.dut.accounts) {
    if (dialect_.doubt().empty() || stopped()) {
      break;
    }
    const Candidate own{account.username, account.secret, "accounts"};
    auto attempted = co_await try_own(own);
    if (!attempted) {
      co_return attempted.error();
    }
    if (*attempted && (*attempted)->outcome == Outcome::lost) {
      locked("no new connections are accepted", account.username);
    } else if (*attempted && (*attempted)->outcome != Outcome::accepted) {
      auto weighed = co_await weigh(**attempted, account.username, false);
      if (!weighed) {
        co_return weighed;
      }
    }
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

/// Looks before the candidates whether the first account gets in here, and keeps a permit to look once more after them;
/// where logins can be made in two ways, the first of all accounts that does. Not where a login has no name, for that
/// would leave the candidates next to nothing of the one budget.
asio::awaitable<Result<>> Logins::find_known() {
  if (candidates_.empty() || !dialect_.names_accounts()) {
    co_return Result<>{};
  }
  for (const auto& account : context_.dut.accounts) {
    if (account.username.empty()) {
      continue;
    }
    const Candidate own{account.username, account.secret, "accounts"};
    auto attempted = co_await try_own(own);
    if (!attempted) {
      co_return attempted.error();
    }
    const bool taken = *attempted && (*attempted)->outcome == Outcome::accepted;
    if (taken) {
      auto kept = co_await keep_known(own);
      co_return kept;
    }
    if (!dialect_.turns()) {
      break;
    }
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> Logins::keep_known(Candidate own) {
  auto permitted = co_await permit(own.username);
  if (!permitted) {
    co_return permitted.error();
  }
  if (*permitted) {
    known_ = std::move(own);
  }
  co_return Result<>{};
}

/// Devices that hold back an account or an address often refuse in the same words as ever. An account that got in
/// before shows it.
asio::awaitable<Result<>> Logins::check_known() {
  if (!known_ || !tally_.accepted.empty()) {
    co_return Result<>{};
  }
  auto attempted = co_await make_own(*known_);
  if (!attempted) {
    co_return attempted.error();
  }
  if (attempted->outcome == Outcome::accepted) {
    co_return Result<>{};
  }
  if (attempted->outcome == Outcome::unclear) {
    tally_.doubt = "the account of the tester that got in before the logins got no clear answer after them";
  } else {
    locked("an account that got in before these logins is refused after them", known_->username);
    tally_.doubt = "the device took no more logins at some time, and did not say when";
  }
  tally_.unclear = tally_.tried;
  co_return Result<>{};
}

}  // namespace assay::probes::credentials
