#include "probes/first_use/changing.hpp"

#include <algorithm>

namespace assay::probes::password_change {

using first_use::Filling;
using first_use::Said;

namespace {

constexpr int kMostDetours = 12;  // passwords that a device may remember

/// Which of two passwords opens the account, the likelier first: a wrong one costs a permit.
asio::awaitable<Result<bool>> is_now(Work& work, Secret wanted, Secret before, bool likely) {
  const auto likelier = likely ? wanted : before;
  const auto other = likely ? before : wanted;
  auto first = co_await work.place.enters(work.known.username, likelier);
  if (!first) {
    co_return first.error();
  }
  // Where old passwords live on, that one of them opens shows nothing of the other.
  if (*first && (likely || work.old_dies)) {
    co_return likely;
  }
  auto second = co_await try_login(work, other);
  if (!second) {
    co_return second.error();
  }
  if (*second) {
    co_return !likely;
  }
  if (*first) {
    co_return likely;
  }
  co_return Error{ErrorKind::protocol, "neither the old nor the new password opens the account", {}};
}

}  // namespace

Secret next_password(Work& work, Strength strength) {
  auto name = "password " + std::to_string(++work.drawn) + " of the probe password_change";
  return first_use::fresh_password(work.context, work.transcript, strength, std::move(name));
}

asio::awaitable<Result<bool>> try_login(Work& work, Secret password) {
  auto permitted = co_await work.context.network.permit_login(work.endpoint, work.known.username);
  if (!permitted) {
    co_return permitted.error();
  }
  auto entered = co_await work.place.enters(work.known.username, std::move(password));
  co_return entered;
}

asio::awaitable<Result<Said>> ask(Work& work, Secret claimed, Secret wanted, bool watched) {
  // The same value again leaves the account with what it has.
  if (wanted.reveal() != work.now.reveal()) {
    auto kept = work.context.record.entrust(work.known.username, work.known.password, wanted);
    if (!kept) {
      co_return kept.error();
    }
    work.kept_in = std::move(*kept);
    work.asked = wanted;
  }
  Filling filling;
  filling.username = work.known.username;
  filling.password = std::move(wanted);
  filling.old = std::move(claimed);
  auto answer = co_await work.place.change(work.now, std::move(filling), watched);
  if (!answer) {
    co_return answer.error();
  }
  if (!*answer) {
    co_return Error{ErrorKind::protocol, "the account was not let in any more", {}};
  }
  co_return **answer;
}

Result<> settle(Work& work, Secret holds) {
  work.now = std::move(holds);
  work.asked.reset();
  return work.context.record.settle(work.known.username, work.now);
}

asio::awaitable<Result<bool>> change(Work& work, Secret claimed, Secret wanted) {
  auto answer = co_await ask(work, std::move(claimed), wanted, false);
  if (!answer) {
    co_return answer.error();
  }
  const bool likely = !work.usual.empty() && answer->taken && credentials::are_alike(answer->words, work.usual);
  const auto before = work.now;
  auto taken = co_await is_now(work, wanted, before, likely);
  if (!taken) {
    co_return taken;
  }
  if (*taken) {
    work.usual = answer->words;
  }
  const auto settled = settle(work, *taken ? wanted : before);
  co_return settled ? taken : Result<bool>{settled.error()};
}

asio::awaitable<Result<bool>> restore(Work& work) {
  for (int detour = 0; work.now.reveal() != work.known.password.reveal(); ++detour) {
    if (detour > kMostDetours) {
      work.stranded = "after " + std::to_string(kMostDetours) +
                      " other passwords the device still does not take that of the DUT file again";
      co_return false;
    }
    if (detour > 0) {
      const auto other = next_password(work, work.strength);
      auto moved = co_await change(work, work.now, other);
      if (!moved) {
        co_return moved.error();
      }
      if (!*moved) {
        work.refuses_all = true;
        work.stranded =
            "the device takes neither the password of the DUT file nor another strong one now: it may want "
            "time to pass between two changes";
        co_return false;
      }
    }
    auto back = co_await change(work, work.now, work.known.password);
    if (!back) {
      co_return back.error();
    }
  }
  co_return true;
}

asio::awaitable<Result<>> recover(Work& work) {
  if (work.now.reveal() == work.known.password.reveal()) {
    co_return Result<>{};
  }
  // Once: past all that a device remembers it would cost more logins than there may be.
  if (work.stranded.empty()) {
    auto back = co_await change(work, work.now, work.known.password);
    if (!back || *back) {
      co_return back ? Result<>{} : Result<>{back.error()};
    }
  }
  const auto other = next_password(work, work.strength);
  auto moved = co_await change(work, work.now, other);
  co_return moved ? Result<>{} : Result<>{moved.error()};
}

asio::awaitable<Result<>> make_sure(Work& work) {
  if (!work.asked) {
    co_return Result<>{};
  }
  auto before = co_await work.place.enters(work.known.username, work.now);
  if (!before) {
    co_return before.error();
  }
  const auto same = work.now;
  if (*before && work.old_dies) {
    co_return settle(work, same);
  }
  // Where old passwords live on, that this one opens does not show that the other was not taken.
  const auto wanted = *work.asked;
  auto after = co_await try_login(work, wanted);
  if (!after) {
    co_return after.error();
  }
  if (!*after && *before) {
    co_return settle(work, same);
  }
  if (!*after) {
    co_return Error{ErrorKind::protocol, "neither the old nor the new password opens the account", {}};
  }
  co_return settle(work, wanted);
}

}  // namespace assay::probes::password_change
