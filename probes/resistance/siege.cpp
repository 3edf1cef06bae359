#include "probes/resistance/siege.hpp"

#include <algorithm>
#include <tuple>

#include "probes/wire/bytes.hpp"

namespace assay::probes::resistance {

namespace {

using credentials::Attempt;
using credentials::Outcome;

constexpr int kControlsAtMost = 4;
constexpr std::size_t kAccountsAtMost = 3;
constexpr std::int64_t kDelaysFollowed = 4;
constexpr int kLetInEnough = 2;
constexpr milliseconds kSustained{60'000};
constexpr std::int64_t kSustainedLogins = 20;
constexpr milliseconds kLongEnough{8000};  // a delay of so much is not followed further
constexpr milliseconds kBeforeReconnect{1000};

Secret random_secret() {
  return Secret{sessions::random_word(14), "random password"};
}

}  // namespace

std::string Siege::nobody() {
  return "assay" + sessions::random_word(9);
}

/// One login under the budget. `denied` when it is spent, whosever it is.
asio::awaitable<Siege::Tried> Siege::once(std::string username, Secret password, bool control) {
  if (left() <= 0) {
    co_return Error{ErrorKind::denied, "the attempts of this measure are spent", {}};
  }
  if (seen_.let_in.times >= kLetInEnough) {
    co_return Error{ErrorKind::denied, "wrong passwords get in", {}};
  }
  if (context_.network.elapsed() - waited_ > means_.time) {
    co_return Error{ErrorKind::denied, "the time of this measure is over", {}};
  }
  auto permitted = reserve_ ? context_.network.permit_guess(door_.endpoint) : reserve_;
  if (!permitted) {
    co_return permitted.error();
  }
  ++seen_.made;
  Attempt attempted;
  if (control) {
    attempted = co_await dialect_.attempt_control(username, password);
  } else {
    attempted = co_await dialect_.attempt(username, password);
  }
  for (int i = 1; i < attempted.sent; ++i) {
    // A kept connection had died, and the device may have counted the login twice: the reserve pays for that.
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
  if (on_connection_ > 1) {
    seen_.used_up.push_back(on_connection_ - 1);  // all but the one without an answer
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

Result<> Siege::speak_from(const std::string& source) {
  auto spoken = context_.network.speak_from(source);
  start_afresh();
  return spoken;
}

void Siege::speak_as_usual() {
  // The usual address is always there.
  std::ignore = speak_from({});
}

asio::awaitable<Result<Sign>> Siege::wrong(std::string username) {
  for (;;) {
    const auto made = seen_.made;
    const auto before = context_.network.elapsed();
    const auto password = random_secret();
    auto tried = co_await guess(username, password, false);
    if (!tried) {
      co_return tried.error();
    }
    took_ = context_.network.elapsed() - before;
    last_ = *tried;
    const auto sign = sign_of(last_, usual_);
    if (sign != Sign::let_in) {
      co_return sign;
    }
    // No reaction, whatever comes after it: another one shows whether it was one odd answer. The second ends all.
    seen_.let_in.after = seen_.let_in.times == 0 ? made : seen_.let_in.after;
    ++seen_.let_in.times;
    start_afresh();
  }
}

/// Whether the right password gets in, on a new connection. No answer, or one that means neither, shows nothing.
asio::awaitable<Result<Answer>> Siege::right() {
  auto in = co_await right_once();
  if (in && *in == Answer::unknown) {
    auto waited = co_await context_.network.wait(kBeforeReconnect);
    if (!waited) {
      co_return waited.error();
    }
    in = co_await right_once();
  }
  co_return in;
}

asio::awaitable<Result<Answer>> Siege::right_once() {
  start_afresh();
  const auto username = seen_.known->username;
  const auto secret = seen_.known->secret;
  auto tried = co_await once(username, secret, false);
  start_afresh();
  if (!tried) {
    co_return tried.error();
  }
  co_return answer_of_right(*tried);
}

Answer Siege::answer_of_right(const Attempt& tried) {
  if (tried.outcome == Outcome::lost || tried.outcome == Outcome::unclear) {
    seen_.right_unclear =
        tried.outcome == Outcome::lost ? std::string{"no connection"} : wire::printable(tried.says, 80);
    seen_.right_unclear = seen_.right_unclear.empty() ? "no answer" : seen_.right_unclear;
    return Answer::unknown;
  }
  if (sign_of(tried, usual_) == Sign::changed) {
    return Answer::no;
  }
  // Some pages are forbidden to a right password too; what that looks like was seen before anything was locked.
  if (right_looks_ == Outcome::rejected &&
      (tried.outcome == Outcome::accepted || tried.outcome == Outcome::forbidden)) {
    right_looks_ = tried.outcome;
  }
  const bool as_ever = right_looks_ != Outcome::rejected && tried.outcome == right_looks_;
  return as_ever || tried.outcome == Outcome::accepted ? Answer::yes : Answer::no;
}

/// How refusals look, from names that no device has.
asio::awaitable<Result<bool>> Siege::learn() {
  int refused = 0;
  int taken = 0;
  std::string held;
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
      held = tried->outcome == Outcome::locked ? wire::printable(tried->says, 128) : held;
      start_afresh();
    }
  }
  if (taken >= kControls) {
    seen_.why_stopped = "logins with random names and passwords succeed";
  } else if (refused < kControls) {
    seen_.why_stopped = held.empty() ? "logins with random names and passwords gave no clear refusal"
                                     : "the device held logins back before any was measured: " + held;
  }
  co_return seen_.why_stopped.empty();
}

/// One login of a known account, and a second when the first was lost. Each takes a permit of that account, for one
/// that does not get in costs it a login of its own.
asio::awaitable<Result<Answer>> Siege::get_in(std::string username) {
  const auto account = dialect_.names_accounts() ? username : std::string{};
  auto out = Answer::unknown;
  for (int i = 0; i < 2 && out == Answer::unknown; ++i) {
    auto permitted = co_await context_.network.permit_login(door_.endpoint, account);
    if (!permitted && permitted.error().kind == ErrorKind::denied) {
      co_return out;
    }
    if (!permitted) {
      co_return permitted.error();
    }
    auto in = co_await right_once();
    if (!in) {
      co_return in;
    }
    out = *in;
  }
  co_return out;
}

/// The first account that gets in here.
asio::awaitable<Result<>> Siege::find_known(std::vector<Known> accounts) {
  for (std::size_t i = 0; i < accounts.size() && i < kAccountsAtMost; ++i) {
    seen_.known = accounts[i];
    auto in = co_await get_in(accounts[i].username);
    if (in && *in == Answer::yes) {
      break;
    }
    seen_.known.reset();
    if (!in) {
      co_return in.error();
    }
  }
  target_ = seen_.known ? seen_.known->username : nobody();
  co_return Result<>{};
}

/// Ends with a reaction, with the number, or once enough were taken for long enough.
asio::awaitable<Result<Series>> Siege::series(std::string username, std::int64_t most) {
  Series out;
  const auto began = context_.network.elapsed();
  while (out.wrong < most && (out.wrong < kSustainedLogins || out.lasted < kSustained)) {
    const auto sent = context_.network.elapsed();
    if (context_.progress) {
      context_.progress(seen_.made, means_.attempts, "wrong logins");
    }
    auto sign = co_await wrong(username);
    if (!sign) {
      const bool some = out.wrong > 0 || seen_.let_in.times > 0;
      if (sign.error().kind == ErrorKind::denied && some) {
        seen_.why_stopped = sign.error().what;
        break;
      }
      co_return sign.error();
    }
    out.lasted = context_.network.elapsed() - began;
    if (*sign == Sign::usual) {
      ++out.wrong;
      out.each.push_back(took_);
      free_until_ = sent;
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
asio::awaitable<Result<Answer>> Siege::held(std::string username, bool elsewhere) {
  if (seen_.silent) {
    auto in = co_await right();
    if (!in || *in == Answer::unknown) {
      co_return in;
    }
    co_return *in == Answer::yes ? Answer::no : Answer::yes;
  }
  auto sign = co_await wrong(username);
  if (!sign) {
    co_return sign.error();
  }
  if (*sign == Sign::usual) {
    co_return Answer::no;
  }
  // Where silence was the reaction it still is, but not at an address that it may have a reason of its own at.
  const bool silence_holds = !elsewhere && !holds(*seen_.first->sign);
  co_return holds(*sign) || silence_holds ? Answer::yes : Answer::unknown;
}

}  // namespace assay::probes::resistance
