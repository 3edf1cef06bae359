#include <utility>

#include "probes/credentials/logins.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

/// What a login that seems to be taken must show before it is told: it is taken once more, a pair that cannot exist is
/// refused, and a wrong password of the same account does not get what it gets. Devices that lock an account, or say
/// why a login failed, answer otherwise to names that they know than to random ones.
namespace assay::probes::credentials {

/// A wrong password of the same account, another where its answer says nothing. Unclear: no login is left for it, or
/// neither says anything.
asio::awaitable<Result<Outcome>> Logins::try_wrong(Candidate candidate) {
  Outcome seen = Outcome::unclear;
  for (int round = 0; round < 2 && seen == Outcome::unclear; ++round) {
    auto permitted = co_await context_.network.permit_login(door_.endpoint, candidate.username);
    if (!permitted && permitted.error().kind != ErrorKind::denied) {
      co_return permitted.error();
    }
    if (!permitted) {
      break;
    }
    ++tally_.controls;
    candidate.password = Secret{sessions::random_word(14), "random password"};
    dialect_.start_afresh();
    auto tried = co_await attempt(candidate);
    dialect_.start_afresh();
    if (!tried) {
      co_return tried.error();
    }
    seen = tried->outcome;
  }
  co_return seen;
}

/// A right password whose page is forbidden and a lockout look alike; a wrong password of the same account does not.
asio::awaitable<Result<>> Logins::doubt(Candidate candidate, Attempt attempted) {
  auto wrong = co_await try_wrong(candidate);
  if (!wrong) {
    co_return wrong.error();
  }
  if (*wrong != Outcome::rejected) {
    locked(wire::printable(attempted.says, 128), candidate.username);
    co_return Result<>{};
  }
  auto confirmed = co_await confirm(candidate, attempted.proof, true);
  co_return confirmed;
}

/// A pair that cannot exist, after one that was taken. Unclear: no login is left for it, or no answer says anything.
asio::awaitable<Result<Outcome>> Logins::control_after_hit() {
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
  co_return checked;
}

/// The answer is no sign of a right password: a lockout, a login that failed, or a device that lets anybody in.
void Logins::looks_alike(const std::string& username) {
  solved_.insert(username);
  ++tally_.unclear;
  const auto name = username.empty() ? std::string{} : " of " + wire::printable(username, 64);
  tally_.doubt = "a login" + name + " gets what one that was taken would, and it was not shown that a wrong password" +
                 name + " does not: the device may tell of a lockout or a failed login so, or let anybody in";
  door_.transcript.note(tally_.doubt);
}

/// `compared`: with a wrong password of the same account.
asio::awaitable<Result<>> Logins::confirm(Candidate candidate, std::string proof, bool compared) {
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
  auto checked = co_await control_after_hit();
  if (!checked) {
    co_return checked.error();
  }
  const bool for_people = dialect_.is_for_people();
  if (*checked == Outcome::accepted && for_people && !dialect_.names_accounts()) {
    looks_alike(candidate.username);  // of one account a random pair is a wrong password, too
    co_return Result<>{};
  }
  if (*checked == Outcome::accepted) {
    tally_.open = true;
    tally_.accepted.clear();
    tally_.why_stopped = "after a login that was taken, a login with a random name and password succeeds too";
    co_return Result<>{};
  }
  if (*checked != Outcome::rejected) {
    ++tally_.unclear;
    co_return Result<>{};
  }
  Outcome wrong = Outcome::rejected;
  if (dialect_.names_accounts() && !second->without_password && !compared && !dialect_.told_apart(candidate.username)) {
    auto tried = co_await try_wrong(candidate);
    if (!tried) {
      co_return tried.error();
    }
    wrong = *tried;
  }
  if (for_people && (wrong == Outcome::accepted || wrong == Outcome::unclear)) {
    looks_alike(candidate.username);
    co_return Result<>{};
  }
  tell_accepted(candidate, *second, std::move(proof), wrong == Outcome::accepted);
  co_return Result<>{};
}

/// `any`: a random password of the account was taken, too.
void Logins::tell_accepted(const Candidate& candidate, const Attempt& taken, std::string proof, bool any) {
  json::object entry;
  entry["dialect"] = dialect_.name();
  entry["username"] = wire::printable(candidate.username, 128);
  const bool secret = !any && !taken.without_password;
  entry["source"] = (secret                   ? ""
                     : taken.without_password ? "no password, the name alone; from "
                                              : "any password, a random one too; from ") +
                    candidate.source;
  entry["proof"] = std::move(proof);
  if (taken.must_change) {
    entry["must_change"] = true;
  }
  if (secret) {
    context_.record.identify(candidate.password, entry);
  }
  tally_.accepted.push_back(std::move(entry));
  // At once: what was found stays found when the time of the step runs out.
  context_.record.fact("credentials.accepted", tally_.accepted);
  solved_.insert(candidate.username);
  // A pair behind which a new password is demanded settles nothing: another may open the device as it is.
  if (options_.stop_at_first && !taken.must_change) {
    tally_.why_stopped = "a pair was accepted";
  }
}

}  // namespace assay::probes::credentials
