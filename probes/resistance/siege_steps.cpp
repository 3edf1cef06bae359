#include <algorithm>

#include "probes/resistance/siege.hpp"

/// The course of a siege: attack, look around, begin anew.
namespace assay::probes::resistance {

namespace {

constexpr std::int64_t kAtSource = 3;

}  // namespace

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
