#include <algorithm>

#include "probes/resistance/siege.hpp"

/// The course of a siege: attack, look around, begin anew.
namespace assay::probes::resistance {

namespace {

constexpr std::int64_t kAtSource = 3;
constexpr std::int64_t kForSource = 8;  // logins that have to be left for each other address
constexpr int kRightLogins = 3;
constexpr std::int64_t kInARow = 100;  // wrong logins without a reaction that say that there is none
constexpr std::int64_t kManyLogins = 60;
constexpr milliseconds kSlowStep{5000};
constexpr milliseconds kSmallStep{1000};
constexpr milliseconds kAtLeastLater{500};

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

/// Waits in growing steps until wrong logins are taken as at first, or for as long as `recover` says. With many logins
/// left the steps are small enough to tell a block from one that is half as long again.
asio::awaitable<Result<>> Siege::wait_for_end(milliseconds step) {
  milliseconds waited{0};
  const bool slow = seen_.first->sign == Sign::slow;
  const bool many = left() > kManyLogins;
  seen_.blocks.emplace_back();
  auto& block = seen_.blocks.back();
  block.least = context_.network.elapsed() - held_since_;
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
      block.most = context_.network.elapsed() - free_until_;
      free_until_ = asked;
      co_return Result<>{};
    }
    if (*still == Answer::yes) {
      block.least = asked - held_since_;
    }
    step = std::min(slow ? kSlowStep : many ? step * 7 / 5 : step * 2, milliseconds{30'000});
  }
  co_return Result<>{};
}

bool Siege::near(const Series& again) const {
  const auto slack = std::max<std::int64_t>(1, seen_.first->wrong / 5);
  // The first may have come earlier for the logins before it.
  return again.sign == seen_.first->sign && again.wrong >= seen_.first->wrong - slack &&
         again.wrong <= seen_.first->wrong + kControls + slack;
}

/// Where the device says that it holds who asks, it may do so again earlier: what it takes fills up little by little.
bool Siege::sooner(const Series& again) const {
  return seen_.afresh == "waiting" && again.sign == seen_.first->sign && holds(*again.sign) &&
         again.sign != Sign::slow && again.wrong < seen_.first->wrong;
}

milliseconds Siege::first_step() const {
  return left() > kManyLogins && seen_.first->sign != Sign::slow ? kSmallStep : kSlowStep;
}

std::int64_t Siege::again_at_most() const {
  return seen_.first->wrong + kControls + std::max<std::int64_t>(1, seen_.first->wrong / 5) + 1;
}

/// The same again from a fresh start: what does not come twice at about the same place is no threshold.
asio::awaitable<Result<>> Siege::repeat() {
  auto username = target_;
  if (seen_.right_lifts.value_or(false)) {
    seen_.afresh = "a right login";
  } else if (!other_source_.empty()) {
    seen_.afresh = "another address";
  } else {
    auto waited = co_await wait_for_end(first_step());
    if (!waited) {
      co_return waited;
    }
    const bool account = seen_.bound == Bound::account || seen_.bound == Bound::account_and_source;
    if (ended()) {
      seen_.afresh = "waiting";
    } else if (account && !seen_.silent) {
      username = nobody();
      seen_.afresh = "another account";
    } else {
      co_return Result<>{};
    }
  }
  const auto since = held_since_;
  const auto until = free_until_;
  const bool moves = seen_.afresh == "another address";
  const auto place = moves ? other_source_ : std::string{};
  if (!speak_from(place)) {
    speak_as_usual();
    co_return Result<>{};
  }
  auto again = co_await series(username, again_at_most());
  if (again && seen_.silent) {
    held_since_ = context_.network.elapsed();
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
  seen_.sooner = !near(*again) && sooner(*again);
  seen_.repeated = near(*again) || seen_.sooner;
  if (moves) {
    const auto at =
        std::find_if(seen_.sources.begin(), seen_.sources.end(), [&](const auto& one) { return one.address == place; });
    at->wrong = again->wrong;
    at->each = again->each;
    at->reacted = again->sign.has_value();
    held_since_ = since;
    free_until_ = until;
    auto waited = co_await wait_for_end(first_step());
    co_return waited;
  }
  co_return Result<>{};
}

/// Does a right login wipe off the wrong ones before it?
asio::awaitable<Result<>> Siege::try_reset() {
  const auto some = seen_.second ? seen_.second->wrong - 1 : 0;
  const bool fresh = seen_.right_lifts.value_or(false) || ended();
  if (!seen_.known || !seen_.repeated || seen_.silent || !fresh || some < 1 || left() < 2 * some + 4) {
    co_return Result<>{};
  }
  if (seen_.right_lifts.value_or(false)) {
    auto lifted = co_await right();
    if (!lifted || *lifted != Answer::yes) {
      co_return lifted ? Result<>{} : Result<>{lifted.error()};
    }
  } else if (seen_.blocks.size() < 2) {
    const auto most = *seen_.blocks.back().most;
    auto paused = co_await context_.network.wait(most);
    waited_ += most;
    if (!paused) {
      co_return paused;
    }
  }
  // The login that showed the end of a second block counted.
  const int counted = seen_.blocks.size() < 2 ? 0 : 1;
  auto before = co_await series(target_, some - counted);
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

/// The next block at the same place: is it as long as the first?
asio::awaitable<Result<>> Siege::time_again() {
  if (!seen_.repeated || !ended() || seen_.first->sign == Sign::slow) {
    co_return Result<>{};
  }
  if (seen_.afresh != "waiting") {
    // It came again elsewhere.
    if (seen_.silent || left() < again_at_most() + 2) {
      co_return Result<>{};
    }
    auto again = co_await series(target_, again_at_most());
    if (!again || !again->sign) {
      co_return again ? Result<>{} : Result<>{again.error()};
    }
  }
  // As late as is later than the first by more than the steps that it was timed in.
  const auto most = *seen_.blocks.back().most;
  const auto later = most * 6 / 5 + kAtLeastLater;
  auto timed = co_await wait_for_end(later);
  co_return timed;
}

/// A few from each other address, on the account that has had all the rest.
asio::awaitable<Result<>> Siege::try_sources() {
  for (auto& at : seen_.sources) {
    if (!at.reached || at.wrong > 0 || !speak_from(at.address)) {
      continue;
    }
    // Where addresses are held one by one each has its own threshold, which shows in it.
    const bool own = seen_.first->sign.has_value();
    auto some = co_await series(target_, own ? again_at_most() : kAtSource);
    speak_as_usual();
    if (!some) {
      co_return some.error();
    }
    at.wrong = some->wrong;
    at.each = some->each;
    at.reacted = some->sign.has_value();
    if (own) {
      at.held = at.wrong == 0 && at.reacted;
      continue;
    }
    if (!some->sign || holds(*some->sign)) {
      at.held = some->sign.has_value();
    }
  }
  speak_as_usual();
  co_return Result<>{};
}

/// Small delays that grow: whether they begin anew, and grow again.
asio::awaitable<Result<>> Siege::repeat_growth() {
  const auto& first = *seen_.first;
  const auto username = seen_.known ? target_ : nobody();
  seen_.afresh = seen_.known ? "a right login" : "another account";
  const auto most = std::min(left(), first.wrong + std::ssize(first.slow));
  if (most < 1) {
    co_return Result<>{};
  }
  auto again = co_await series(username, most);
  if (!again) {
    co_return again.error();
  }
  const bool small = !again->each.empty() && 2 * again->each.front() < first.slow.back();
  auto times = again->each;
  times.insert(times.end(), again->slow.begin(), again->slow.end());
  again->wrong = before_doubled(times);
  again->sign = growth_of(times) == Growth::none ? again->sign : Sign::slow;
  seen_.second = *again;
  seen_.repeated = small && again->sign == Sign::slow;
  if (seen_.known) {
    seen_.right_lifts = small;
  }
  co_return Result<>{};
}

/// Less than half, so that what is seen can be seen again; but as many as it takes to say that nothing comes, if that
/// leaves a few to look for what the wrong ones do not show.
std::int64_t Siege::first_at_most() const {
  const auto half = std::max<std::int64_t>(1, means_.attempts * 9 / 20);
  const auto reached =
      std::count_if(seen_.sources.begin(), seen_.sources.end(), [](const auto& at) { return at.reached; });
  const auto rest = left() - kRightLogins - kAtSource * reached;
  return std::max(half, std::min(kInARow, rest));
}

/// Delays that grow from login to login are a reaction, though each for itself is none.
void Siege::tell_growth() {
  auto& first = *seen_.first;
  seen_.growth = first.sign ? Growth::none : growth_of(first.each);
  if (seen_.growth == Growth::none) {
    return;
  }
  first.sign = Sign::slow;
  first.wrong = std::min(before_doubled(first.each), std::ssize(first.each) - 1);
  first.slow.assign(first.each.begin() + first.wrong, first.each.end());
  first.each.resize(static_cast<std::size_t>(first.wrong));
}

asio::awaitable<Result<>> Siege::attack() {
  auto first = co_await series(target_, first_at_most());
  if (!first) {
    co_return first.error();
  }
  seen_.first = *first;
  auto looked = co_await look_for_silent_lock();
  if (!looked) {
    co_return looked;
  }
  if (!seen_.silent) {
    tell_growth();
  }
  if (seen_.growth != Growth::none) {
    auto grown = co_await repeat_growth();
    co_return grown;
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
  if (repeated) {
    repeated = co_await time_again();
  }
  if (repeated) {
    repeated = co_await try_reset();
  }
  if (repeated && seen_.repeated && seen_.bound == Bound::source) {
    repeated = co_await try_sources();
  }
  co_return repeated;
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
