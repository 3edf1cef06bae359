#include <algorithm>

#include "probes/resistance/siege.hpp"

/// The course of a siege: attack, look around, begin anew.
namespace assay::probes::resistance {

namespace {

constexpr std::int64_t kAtSource = 3;
constexpr std::int64_t kForSource = 8;  // logins that have to be left for each other address
constexpr int kRightLogins = 3;

}  // namespace

Bound bound_of(Answer other_account, std::optional<Answer> elsewhere, bool silent) {
  if (other_account == Answer::unknown || elsewhere == Answer::unknown) {
    return Bound::unknown;
  }
  if (other_account == Answer::no) {
    return elsewhere == Answer::no ? Bound::account_and_source : Bound::account;
  }
  if (elsewhere) {
    return *elsewhere == Answer::no ? Bound::source : Bound::everything;
  }
  return silent ? Bound::unknown : Bound::source_or_all;
}

/// Which other addresses of ours the device answers as it does the usual one, before anything is held.
asio::awaitable<Result<>> Siege::find_sources() {
  const auto sources = context_.network.other_sources();
  const auto most = std::min(means_.sources, left() / kForSource);
  for (std::size_t i = 0; i < sources.size() && static_cast<std::int64_t>(i) < most; ++i) {
    AtSource at;
    at.address = sources[i];
    if (speak_from(at.address)) {
      const auto username = nobody();
      auto sign = co_await wrong(username);
      speak_as_usual();
      if (!sign) {
        co_return sign.error();
      }
      at.reached = *sign == Sign::usual;
    }
    seen_.sources.push_back(std::move(at));
  }
  speak_as_usual();
  co_return Result<>{};
}

asio::awaitable<Result<>> Siege::look_for_silent_lock() {
  if (!seen_.known || seen_.first->sign) {
    co_return Result<>{};
  }
  int refused = 0;
  for (int i = 0; i < kRightLogins && refused < 2; ++i) {
    const auto now = context_.network.elapsed();
    auto in = co_await right();
    if (!in) {
      co_return in.error();
    }
    if (*in == Answer::yes) {
      seen_.right_in_attack = true;
      co_return Result<>{};
    }
    if (*in == Answer::no) {
      held_since_ = now;
      ++refused;
    }
  }
  if (refused == 2) {
    seen_.right_in_attack = false;
    seen_.silent = true;
  }
  co_return Result<>{};
}

/// Whether the account that is attacked is held at another address too; nothing when there is none to ask from.
asio::awaitable<Result<std::optional<Answer>>> Siege::look_elsewhere() {
  std::optional<Answer> out;
  const auto at = std::find_if(seen_.sources.begin(), seen_.sources.end(), [](const auto& one) { return one.reached; });
  if (at == seen_.sources.end()) {
    co_return out;
  }
  out = Answer::unknown;
  if (speak_from(at->address)) {
    auto there = co_await held(target_, true);
    speak_as_usual();
    if (!there) {
      co_return there.error();
    }
    out = *there;
  }
  speak_as_usual();
  if (out != Answer::unknown) {
    at->held = out == Answer::yes;
    other_source_ = out == Answer::no ? at->address : std::string{};
  }
  co_return out;
}

/// What the reaction is bound to, and whether the right password still gets in.
asio::awaitable<Result<>> Siege::look_around() {
  start_afresh();
  auto other_account = Answer::yes;
  if (!seen_.silent) {
    const auto other = nobody();
    auto there = co_await held(other, false);
    if (!there) {
      co_return there.error();
    }
    other_account = *there;
  }
  auto elsewhere = co_await look_elsewhere();
  if (!elsewhere) {
    co_return elsewhere.error();
  }
  seen_.bound = bound_of(other_account, *elsewhere, seen_.silent);
  if (seen_.known && !seen_.silent) {
    auto in = co_await right();
    if (!in) {
      co_return in.error();
    }
    if (*in != Answer::unknown) {
      seen_.right_in_attack = *in == Answer::yes;
    }
    if (*in == Answer::yes) {
      auto still = co_await held(target_, false);
      if (!still) {
        co_return still.error();
      }
      if (*still != Answer::unknown) {
        seen_.right_lifts = *still == Answer::no;
      }
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
    auto still = co_await held(target_, false);
    if (!still) {
      co_return still.error();
    }
    if (*still == Answer::no) {
      seen_.most = asked - held_since_;
      co_return Result<>{};
    }
    if (*still == Answer::yes) {
      seen_.least = asked - held_since_;
    }
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
  const bool moves = seen_.afresh == "another address";
  const auto place = moves ? other_source_ : std::string{};
  if (!speak_from(place)) {
    speak_as_usual();
    co_return Result<>{};
  }
  auto again =
      co_await series(username, seen_.first->wrong + kControls + std::max<std::int64_t>(1, seen_.first->wrong / 5) + 1);
  if (again && seen_.silent) {
    auto in = co_await right();
    speak_as_usual();
    if (!in) {
      co_return in.error();
    }
    seen_.second = *again;
    seen_.repeated = *in == Answer::no;
    co_return Result<>{};
  }
  speak_as_usual();
  if (!again) {
    co_return again.error();
  }
  // The login that showed the fresh start counted already, and at another address the one before the attack too, unless
  // accounts are counted there one by one.
  const int before = moves && seen_.bound == Bound::source ? 2 : 1;
  again->wrong += seen_.afresh == "another account" || again->wrong == 0 ? 0 : before;
  seen_.second = *again;
  seen_.repeated = near(*again);
  if (moves) {
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
    if (!lifted || *lifted != Answer::yes) {
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
  if (!in || *in != Answer::yes) {
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
  for (auto& at : seen_.sources) {
    if (!at.reached || !speak_from(at.address)) {
      continue;
    }
    auto some = co_await series(target_, kAtSource);
    speak_as_usual();
    if (!some) {
      co_return some.error();
    }
    at.wrong = some->wrong;
    if (!some->sign || holds(*some->sign)) {
      at.held = some->sign.has_value();
    }
  }
  speak_as_usual();
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
  // What may be no refusal of a password says nothing of how many the device bears.
  seen_.why_stopped = dialect_.doubt();
  if (!seen_.why_stopped.empty()) {
    co_return Result<>{};
  }
  auto ended = co_await find_sources();
  if (ended) {
    ended = co_await attack();
  }
  speak_as_usual();
  co_return ended || spent(ended) ? Result<>{} : ended;
}

}  // namespace assay::probes::resistance
