#include "probes/resistance/siege.hpp"

#include <algorithm>
#include <tuple>

#include "probes/wire/bytes.hpp"

namespace assay::probes::resistance {

namespace {

using credentials::Attempt;
using credentials::Outcome;

constexpr int kControls = 2;
constexpr int kControlsAtMost = 4;
constexpr std::size_t kAccountsAtMost = 3;
constexpr std::int64_t kDelaysFollowed = 4;
constexpr milliseconds kLongEnough{8000};  // a delay of so much is not followed further
constexpr milliseconds kBeforeReconnect{1000};
constexpr std::int64_t kAtSource = 3;

std::string nobody() {
  return "assay" + sessions::random_word(9);
}

Secret random_secret() {
  return Secret{sessions::random_word(14), "random password"};
}

}  // namespace

/// One login under the budget. `denied` when it is spent, whosever it is.
asio::awaitable<Siege::Tried> Siege::once(std::string username, Secret password, bool control) {
  if (left() <= 0) {
    co_return Error{ErrorKind::denied, "the attempts of this measure are spent", {}};
  }
  if (context_.network.elapsed() - waited_ > means_.time) {
    co_return Error{ErrorKind::denied, "the time of this measure is over", {}};
  }
  auto permitted = reserve_ ? context_.network.permit_guess(door_.endpoint) : reserve_;
  if (!permitted) {
    co_return permitted.error();
  }
  ++seen_.made;
  const bool kept = on_connection_ > 0;
  const auto before = context_.network.connections_opened();
  Attempt attempted;
  if (control) {
    attempted = co_await dialect_.attempt_control(username, password);
  } else {
    attempted = co_await dialect_.attempt(username, password);
  }
  const bool same = context_.network.connections_opened() == before;
  keeps_ = keeps_ || (kept && same);
  if (kept && keeps_ && !same) {
    // A kept connection had died, and the dialect may have sent the login twice: the reserve pays for that.
    ++seen_.made;
    reserve_ = context_.network.permit_guess(door_.endpoint);
  }
  count_connection();
  if (attempted.ended) {
    co_return *attempted.ended;
  }
  co_return attempted;
}

/// A login whose answer is not lost to a connection that ended for another reason: that is tried a second time, with a
/// permit of its own, for the device may have counted it.
asio::awaitable<Siege::Tried> Siege::guess(std::string username, Secret password, bool control) {
  auto tried = co_await once(username, password, control);
  if (!tried || (tried->outcome != Outcome::lost && tried->outcome != Outcome::unclear)) {
    co_return tried;
  }
  if (tried->outcome == Outcome::lost) {
    auto waited = co_await context_.network.wait(kBeforeReconnect);
    if (!waited) {
      co_return waited.error();
    }
  }
  if (on_connection_ > 0) {
    seen_.used_up.push_back(on_connection_);
  }
  start_afresh();
  auto again = co_await once(username, password, control);
  co_return again;
}

/// Connections that the device ended show how many logins one takes; those that we gave up do not.
void Siege::count_connection() {
  const auto opened = context_.network.connections_opened();
  if (opened != connections_ && on_connection_ > 0) {
    seen_.used_up.push_back(on_connection_);
    on_connection_ = 0;
  }
  connections_ = opened;
  ++on_connection_;
}

void Siege::start_afresh() {
  dialect_.start_afresh();
  on_connection_ = 0;
}

void Siege::speak_from(const std::string& source) {
  // An address that is gone by now leaves the usual one, and the logins of the usual one are no harm.
  std::ignore = context_.network.speak_from(source);
  start_afresh();
}

asio::awaitable<Result<Sign>> Siege::wrong(std::string username) {
  const auto before = context_.network.elapsed();
  const auto password = random_secret();
  auto tried = co_await guess(username, password, false);
  if (!tried) {
    co_return tried.error();
  }
  took_ = context_.network.elapsed() - before;
  last_ = *tried;
  co_return sign_of(last_, usual_);
}

/// The right password, on a new connection.
asio::awaitable<Result<bool>> Siege::right() {
  start_afresh();
  const auto username = seen_.known->username;
  const auto secret = seen_.known->secret;
  auto tried = co_await guess(username, secret, false);
  start_afresh();
  if (!tried) {
    co_return tried.error();
  }
  if (sign_of(*tried, usual_) == Sign::changed) {
    co_return false;
  }
  // Some pages are forbidden to a right password too; what that looks like was seen before anything was locked.
  if (right_looks_ == Outcome::rejected &&
      (tried->outcome == Outcome::accepted || tried->outcome == Outcome::forbidden)) {
    right_looks_ = tried->outcome;
  }
  co_return right_looks_ != Outcome::rejected && tried->outcome == right_looks_;
}

/// How refusals look, from names that no device has.
asio::awaitable<Result<bool>> Siege::learn() {
  int refused = 0;
  int taken = 0;
  for (int i = 0; i < kControlsAtMost && refused < kControls && taken < kControls; ++i) {
    const auto username = nobody();
    const auto password = random_secret();
    auto tried = co_await guess(username, password, true);
    if (!tried) {
      co_return tried.error();
    }
    if (tried->outcome == Outcome::accepted) {
      ++taken;
      start_afresh();
    } else if (tried->outcome == Outcome::rejected) {
      ++refused;
      usual_.learn(*tried);
    } else {
      start_afresh();
    }
  }
  seen_.open = taken >= kControls;
  if (seen_.open) {
    seen_.why_stopped = "logins with random names and passwords succeed";
  } else if (refused < kControls) {
    seen_.why_stopped = "logins with random names and passwords gave no clear refusal";
  }
  co_return seen_.why_stopped.empty();
}

/// The first account that gets in here. An attempt that does not costs the account one of its own logins.
asio::awaitable<Result<>> Siege::find_known(std::vector<Known> accounts) {
  for (std::size_t i = 0; i < accounts.size() && i < kAccountsAtMost; ++i) {
    const auto account = accounts[i];
    auto permitted = co_await context_.network.permit_login(door_.endpoint, account.username);
    if (!permitted && permitted.error().kind == ErrorKind::denied) {
      continue;
    }
    if (!permitted) {
      co_return permitted;
    }
    seen_.known = account;
    auto in = co_await right();
    if (!in || !*in) {
      seen_.known.reset();
    }
    if (!in) {
      co_return in.error();
    }
    if (*in) {
      break;
    }
  }
  target_ = seen_.known ? seen_.known->username : nobody();
  co_return Result<>{};
}

asio::awaitable<Result<Series>> Siege::series(std::string username, std::int64_t most) {
  Series out;
  while (out.wrong < most) {
    if (context_.progress) {
      context_.progress(seen_.made, means_.attempts, "wrong logins");
    }
    auto sign = co_await wrong(username);
    if (!sign) {
      if (sign.error().kind == ErrorKind::denied && out.wrong > 0) {
        seen_.why_stopped = sign.error().what;
        break;
      }
      co_return sign.error();
    }
    if (*sign == Sign::usual) {
      ++out.wrong;
      out.each.push_back(took_);
      continue;
    }
    // One odd answer is none: it has to come again, and on a new connection.
    const auto says = last_.says;
    const auto took = took_;
    held_since_ = context_.network.elapsed();
    start_afresh();
    auto again = co_await wrong(username);
    if (!again) {
      co_return again.error();
    }
    if (*again == Sign::usual) {
      out.wrong += 2;
      out.each.push_back(took_);
      continue;
    }
    out.sign = *again == Sign::slow && *sign != Sign::slow ? *sign : *again;
    out.says = says.empty() ? last_.says : says;
    if (*sign == Sign::slow) {
      out.slow = {took, took_};
      auto followed = co_await follow_delay(out, username);
      if (!followed) {
        co_return followed.error();
      }
    }
    break;
  }
  co_return out;
}

/// Does the delay grow?
asio::awaitable<Result<>> Siege::follow_delay(Series& out, std::string username) {
  for (std::int64_t i = 0; i < kDelaysFollowed && out.slow.back() < kLongEnough; ++i) {
    auto sign = co_await wrong(username);
    if (!sign) {
      co_return spent(sign.error()) ? Result<>{} : Result<>{sign.error()};
    }
    if (*sign != Sign::slow) {
      break;
    }
    out.slow.push_back(took_);
  }
  co_return Result<>{};
}

/// Ends a step, and leaves what was seen: no more logins may be made.
bool Siege::spent(const Result<>& result) {
  if (!result && result.error().kind == ErrorKind::denied) {
    seen_.why_stopped = result.error().what;
    return true;
  }
  return false;
}

/// Whether a wrong login is still taken otherwise than at first.
asio::awaitable<Result<bool>> Siege::held(std::string username) {
  if (seen_.silent) {
    auto in = co_await right();
    if (!in) {
      co_return in.error();
    }
    co_return !*in;
  }
  auto sign = co_await wrong(username);
  if (!sign) {
    co_return sign.error();
  }
  co_return *sign != Sign::usual;
}

asio::awaitable<Result<>> Siege::look_for_silent_lock() {
  if (!seen_.known || seen_.first->sign) {
    co_return Result<>{};
  }
  for (int round = 0; round < 2; ++round) {
    held_since_ = context_.network.elapsed();
    auto in = co_await right();
    if (!in) {
      co_return in.error();
    }
    seen_.right_in_attack = *in;
    if (*in) {
      co_return Result<>{};
    }
  }
  seen_.silent = true;
  co_return Result<>{};
}

/// What the reaction is bound to, and whether the right password still gets in.
asio::awaitable<Result<>> Siege::look_around() {
  start_afresh();
  bool other_account_held = true;
  if (!seen_.silent) {
    const auto other = nobody();
    auto there = co_await held(other);
    if (!there) {
      co_return there.error();
    }
    other_account_held = *there;
  }
  const auto sources = context_.network.other_sources();
  bool other_source_held = true;
  if (!sources.empty() && means_.sources > 0) {
    speak_from(sources.front());
    auto there = co_await held(target_);
    speak_from({});
    if (!there) {
      co_return there.error();
    }
    other_source_held = *there;
    other_source_ = other_source_held ? std::string{} : sources.front();
  }
  const bool asked_elsewhere = !sources.empty() && means_.sources > 0;
  if (!other_account_held) {
    seen_.bound = other_source_held ? Bound::account : Bound::account_and_source;
  } else if (asked_elsewhere) {
    seen_.bound = other_source_held ? Bound::everything : Bound::source;
  } else {
    seen_.bound = seen_.silent ? Bound::unknown : Bound::source_or_all;
  }
  if (seen_.known && !seen_.silent) {
    auto in = co_await right();
    if (!in) {
      co_return in.error();
    }
    seen_.right_in_attack = *in;
    if (*in) {
      auto still = co_await held(target_);
      if (!still) {
        co_return still.error();
      }
      seen_.right_lifts = !*still;
    }
  }
  co_return Result<>{};
}

/// Waits in growing steps until wrong logins are taken as at first, or for as long as `recover` says.
asio::awaitable<Result<>> Siege::wait_for_end() {
  milliseconds step{5000};
  milliseconds waited{0};
  const bool slow = seen_.first->sign == Sign::slow;
  seen_.least = context_.network.elapsed() - held_since_;
  // The last logins have to be left over for the second series.
  while (waited + step <= means_.recover && left() > seen_.first->wrong + 2) {
    auto paused = co_await context_.network.wait(step);
    if (!paused) {
      co_return paused;
    }
    waited += step;
    waited_ += step;
    const auto asked = context_.network.elapsed();
    start_afresh();
    auto still = co_await held(target_);
    if (!still) {
      co_return still.error();
    }
    if (!*still) {
      seen_.most = asked - held_since_;
      co_return Result<>{};
    }
    seen_.least = asked - held_since_;
    step = std::min(slow ? step : step * 2, milliseconds{30'000});
  }
  co_return Result<>{};
}

bool Siege::near(const Series& again) const {
  const auto slack = std::max<std::int64_t>(1, seen_.first->wrong / 5);
  // The first may have come earlier for the logins before it.
  return again.sign == seen_.first->sign && again.wrong >= seen_.first->wrong - slack &&
         again.wrong <= seen_.first->wrong + kControls + slack;
}

/// The same again from a fresh start: what does not come twice at about the same place is no threshold.
asio::awaitable<Result<>> Siege::repeat() {
  auto username = target_;
  if (seen_.right_lifts.value_or(false)) {
    seen_.afresh = "a right login";
  } else if (!other_source_.empty()) {
    seen_.afresh = "another address";
  } else {
    auto waited = co_await wait_for_end();
    if (!waited) {
      co_return waited;
    }
    const bool account = seen_.bound == Bound::account || seen_.bound == Bound::account_and_source;
    if (seen_.most) {
      seen_.afresh = "waiting";
    } else if (account && !seen_.silent) {
      username = nobody();
      seen_.afresh = "another account";
    } else {
      co_return Result<>{};
    }
  }
  const auto since = held_since_;
  speak_from(other_source_.empty() || seen_.afresh != "another address" ? std::string{} : other_source_);
  auto again =
      co_await series(username, seen_.first->wrong + kControls + std::max<std::int64_t>(1, seen_.first->wrong / 5) + 1);
  if (again && seen_.silent) {
    auto in = co_await right();
    speak_from({});
    if (!in) {
      co_return in.error();
    }
    seen_.second = *again;
    seen_.repeated = !*in;
    co_return Result<>{};
  }
  speak_from({});
  if (!again) {
    co_return again.error();
  }
  // The login that showed the fresh start counted already.
  again->wrong += seen_.afresh == "another account" || again->wrong == 0 ? 0 : 1;
  seen_.second = *again;
  seen_.repeated = near(*again);
  if (seen_.afresh == "another address") {
    held_since_ = since;
    auto waited = co_await wait_for_end();
    co_return waited;
  }
  co_return Result<>{};
}

/// Does a right login wipe off the wrong ones before it?
asio::awaitable<Result<>> Siege::try_reset() {
  const auto some = seen_.second ? seen_.second->wrong - 1 : 0;
  const bool fresh = seen_.right_lifts.value_or(false) || seen_.most;
  if (!seen_.known || !seen_.repeated || seen_.silent || !fresh || some < 1 || left() < 2 * some + 4) {
    co_return Result<>{};
  }
  if (seen_.right_lifts.value_or(false)) {
    auto lifted = co_await right();
    if (!lifted || !*lifted) {
      co_return lifted ? Result<>{} : Result<>{lifted.error()};
    }
  } else {
    auto paused = co_await context_.network.wait(*seen_.most);
    waited_ += *seen_.most;
    if (!paused) {
      co_return paused;
    }
  }
  auto before = co_await series(target_, some);
  if (!before || before->sign) {
    co_return before ? Result<>{} : Result<>{before.error()};
  }
  auto in = co_await right();
  if (!in || !*in) {
    co_return in ? Result<>{} : Result<>{in.error()};
  }
  auto after = co_await series(target_, some);
  if (!after) {
    co_return after.error();
  }
  seen_.resets = !after->sign;
  co_return Result<>{};
}

/// A few from each other address, on the account that has had all the rest.
asio::awaitable<Result<>> Siege::try_sources() {
  const auto sources = context_.network.other_sources();
  for (std::size_t i = 0; i < sources.size() && static_cast<std::int64_t>(i) < means_.sources; ++i) {
    speak_from(sources[i]);
    auto some = co_await series(target_, kAtSource);
    speak_from({});
    if (!some) {
      co_return some.error();
    }
    AtSource at{sources[i], some->wrong, some->sign.has_value()};
    seen_.sources.push_back(std::move(at));
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> Siege::attack() {
  // Less than half, so that what is seen can be seen again.
  const auto most = std::max<std::int64_t>(1, means_.attempts * 9 / 20);
  auto first = co_await series(target_, most);
  if (!first) {
    co_return first.error();
  }
  seen_.first = *first;
  auto looked = co_await look_for_silent_lock();
  if (!looked) {
    co_return looked;
  }
  if (!seen_.first->sign && !seen_.silent) {
    auto done = co_await try_sources();
    co_return done;
  }
  looked = co_await look_around();
  if (!looked) {
    co_return looked;
  }
  auto repeated = co_await repeat();
  if (!repeated) {
    co_return repeated;
  }
  auto reset = co_await try_reset();
  co_return reset;
}

asio::awaitable<Result<>> Siege::run(std::vector<Known> accounts) {
  connections_ = context_.network.connections_opened();
  reserve_ = context_.network.permit_guess(door_.endpoint);
  auto ready = co_await learn();
  if (!ready || !*ready) {
    co_return ready || spent(ready.error()) ? Result<>{} : Result<>{ready.error()};
  }
  auto found = co_await find_known(std::move(accounts));
  if (!found) {
    co_return spent(found) ? Result<>{} : found;
  }
  auto ended = co_await attack();
  speak_from({});
  co_return ended || spent(ended) ? Result<>{} : ended;
}

}  // namespace assay::probes::resistance
