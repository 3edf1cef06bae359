#include <set>

#include "harness/probe/probe.hpp"
#include "probes/first_use/place.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::password_change {

namespace {

using namespace first_use;

constexpr ParameterSpec kParameters[] = {
    {"rules", ValueKind::text, "\"baseline-passwords\"", "password rules by id: weak passwords that are tried"},
    {"account", ValueKind::text, "\"\"",
     "role or user name of the DUT file's account whose password is changed; empty: the first that gets in"},
};

constexpr FactSpec kFacts[] = {
    {"password.login", ValueKind::text,
     "how one logs in: a web login, or of messages coap, coaps-psk, mqtt, mqtt-psk; absent: no web login that can be "
     "used"},
    {"password.account", ValueKind::text, "role of the account whose password was changed"},
    {"password.change", ValueKind::object,
     "a change to a strong password: taken (a login with it succeeds), old_refused (one with the old password does "
     "not)"},
    {"password.sessions", ValueKind::object,
     "sessions that were open before the change, after it: own (the one that changed it), other; alive or not; null: "
     "there was none, or its answer meant neither"},
    {"password.old_asked", ValueKind::object,
     "changes with a wrong old password and with none: wrong_taken, empty_taken; absent: the DUT file's request has no "
     "{old}"},
    {"password.weak", ValueKind::list,
     "changes to weak passwords: kind, source, confidence, length, taken (null: not known)"},
    {"password.again", ValueKind::boolean, "a strong password was still taken after all the others"},
    {"password.restored", ValueKind::boolean, "the password of the DUT file is the account's again"},
};

struct Known {
  std::string role;
  std::string username;
  Secret password;
};

struct Work {
  ProbeContext& context;
  Endpoint endpoint;
  Place& place;
  sessions::FactSheet& sheet;
  Known known{};
  Secret now{};                   // the password that the account has, as far as is known
  bool old_dies = false;          // a change makes the password before it useless
  std::set<std::string> usual{};  // words of the answer to a change that was taken
};

/// A login that may be wrong costs a permit.
asio::awaitable<Result<bool>> try_login(Work& work, Secret password) {
  auto permitted = co_await work.context.network.permit_login(work.endpoint, work.known.username);
  if (!permitted) {
    co_return permitted.error();
  }
  auto entered = co_await work.place.enters(work.known.username, std::move(password));
  co_return entered;
}

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

/// Asks for a change in a session of the account as it is now.
asio::awaitable<Result<Said>> ask(Work& work, Secret claimed, Secret wanted, bool watched) {
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

/// Asks for one change; says whether the new password is the account's.
asio::awaitable<Result<bool>> change(Work& work, Secret claimed, Secret wanted) {
  auto answer = co_await ask(work, std::move(claimed), wanted, false);
  if (!answer) {
    co_return answer.error();
  }
  const bool likely = !work.usual.empty() && answer->taken && credentials::are_alike(answer->words, work.usual);
  const auto before = work.now;
  auto taken = co_await is_now(work, wanted, before, likely);
  if (taken && *taken) {
    work.now = std::move(wanted);
    work.usual = answer->words;
  }
  co_return taken;
}

/// Back to the password of the DUT file, by another one where the device does not take the last one again.
asio::awaitable<Result<bool>> restore(Work& work) {
  for (const bool detour : {false, true}) {
    if (work.now.reveal() == work.known.password.reveal()) {
      co_return true;
    }
    if (detour) {
      const auto other = work.now.reveal() == kStrong ? stronger_password() : strong_password();
      auto moved = co_await change(work, work.now, other);
      if (!moved) {
        co_return moved.error();
      }
    }
    auto back = co_await change(work, work.now, work.known.password);
    if (!back) {
      co_return back.error();
    }
  }
  co_return work.now.reveal() == work.known.password.reveal();
}

/// The right change: that it is taken is what makes any refusal mean something. False: it was not taken.
asio::awaitable<Result<bool>> change_rightly(Work& work) {
  const auto wanted = strong_password();
  auto answer = co_await ask(work, work.known.password, wanted, true);
  if (!answer) {
    co_return answer.error();
  }
  auto entered = co_await try_login(work, wanted);
  if (!entered) {
    co_return entered.error();
  }
  if (!*entered) {
    work.sheet.fact("password.change",
                    json::object{{"taken", false}, {"old_refused", nullptr}, {"status", answer->status}});
    co_return false;
  }
  work.now = wanted;
  work.usual = answer->words;
  auto sessions = co_await work.place.sessions();
  if (!sessions) {
    co_return sessions.error();
  }
  work.sheet.fact("password.sessions", std::move(*sessions));
  auto old = co_await try_login(work, work.known.password);
  if (!old) {
    co_return old.error();
  }
  work.old_dies = !*old;
  work.sheet.fact("password.change", json::object{{"taken", true}, {"old_refused", work.old_dies}});
  co_return true;
}

/// Changes with a wrong old password, and with an empty one.
asio::awaitable<Result<>> change_without_old(Work& work) {
  if (!work.place.asks_old()) {
    work.sheet.absent("password.old_asked");
    co_return Result<>{};
  }
  json::object out{{"wrong_taken", nullptr}, {"empty_taken", nullptr}};
  for (const bool wrong : {true, false}) {
    const Secret claimed = wrong ? Secret{sessions::random_word(12), "wrong old password"} : Secret{};
    // One that the account never had: where old ones live on, a login with them shows nothing.
    const auto wanted = stronger_password();
    auto taken = co_await change(work, claimed, wanted);
    if (!taken) {
      co_return taken.error();
    }
    out[wrong ? "wrong_taken" : "empty_taken"] = *taken;
    auto back = co_await restore(work);
    if (!back) {
      co_return back.error();
    }
    if (*taken && !work.old_dies) {
      break;
    }
  }
  work.sheet.fact("password.old_asked", std::move(out));
  co_return Result<>{};
}

/// The same value again changes nothing that a login could show: it is told by the answer alone.
asio::awaitable<Result<std::optional<bool>>> repeat_old(Work& work, const Weak& weak) {
  auto answer = co_await ask(work, work.now, weak.value, false);
  if (!answer) {
    co_return answer.error();
  }
  const bool as_taken = answer->taken && credentials::are_alike(answer->words, work.usual);
  std::optional<bool> out;
  if (as_taken || !answer->taken) {
    out = as_taken;
  }
  co_return out;
}

asio::awaitable<Result<>> change_weakly(Work& work, const PasswordRules& rules) {
  json::array out;
  Result<> ended;
  for (const auto& weak : weak_passwords(rules, work.known.username, work.known.password)) {
    std::optional<bool> taken;
    if (ended) {
      const bool same = weak.value.reveal() == work.now.reveal();
      if (same) {
        auto repeated = co_await repeat_old(work, weak);
        ended = repeated ? Result<>{} : Result<>{repeated.error()};
        taken = repeated ? *repeated : taken;
      } else {
        auto done = co_await change(work, work.now, weak.value);
        ended = done ? Result<>{} : Result<>{done.error()};
        taken = done ? std::optional{*done} : taken;
      }
      if (taken.value_or(false) && !same) {
        auto back = co_await restore(work);
        ended = back ? Result<>{} : Result<>{back.error()};
      }
    }
    out.push_back(told(weak, taken));
  }
  work.sheet.fact("password.weak", std::move(out));
  co_return ended;
}

asio::awaitable<Result<>> look(Work& work, const PasswordRules& rules) {
  auto right = co_await change_rightly(work);
  if (!right) {
    co_return right.error();
  }
  if (!*right) {
    work.sheet.fact("password.restored", true);
    work.sheet.rest_unobserved("a change to a strong password was not taken, so refusals would show nothing");
    co_return Result<>{};
  }
  auto back = co_await restore(work);
  if (!back) {
    co_return back.error();
  }
  auto old = co_await change_without_old(work);
  if (!old) {
    co_return old;
  }
  auto weak = co_await change_weakly(work, rules);
  if (!weak) {
    co_return weak;
  }
  const auto other = stronger_password();
  auto again = co_await change(work, work.now, other);
  if (!again) {
    co_return again.error();
  }
  work.sheet.fact("password.again", *again);
  co_return Result<>{};
}

/// The account that is asked for and gets in.
asio::awaitable<Result<bool>> find_account(Work& work) {
  const auto* value = work.context.parameters.if_contains("account");
  const std::string wanted{value != nullptr && value->is_string() ? std::string_view{value->get_string()} : ""};
  for (const auto& account : work.context.dut.accounts) {
    if (account.secret.empty() || (!wanted.empty() && wanted != account.role && wanted != account.username)) {
      continue;
    }
    auto permitted = co_await work.context.network.permit_login(work.endpoint, account.username);
    if (!permitted) {
      co_return permitted.error();
    }
    auto admitted = co_await work.place.admits(account.username, account.secret);
    if (admitted && *admitted) {
      work.known = {account.role, account.username, account.secret};
      work.now = account.secret;
      co_return true;
    }
    // It may have changed something before it was known not to get in.
    auto left = co_await work.place.leave(account.secret);
    if (!admitted || !left) {
      co_return admitted ? left.error() : admitted.error();
    }
  }
  co_return false;
}

asio::awaitable<Result<>> work_inside(Work& work, const PasswordRules& rules) {
  auto ready = co_await work.place.look_inside(work.known.username, work.known.password);
  if (!ready) {
    co_return ready.error();
  }
  if (!ready->empty()) {
    work.sheet.rest_unobserved(*ready);
    co_return Result<>{};
  }
  work.sheet.fact("password.account", json::string(wire::printable(work.known.role, 64)));
  auto ended = co_await look(work, rules);
  if (!work.sheet.settled("password.restored")) {
    auto restored = co_await restore(work);
    if (restored) {
      work.sheet.fact("password.restored", *restored);
    } else {
      work.sheet.unobserved("password.restored", restored.error().what);
    }
  }
  co_return ended;
}

asio::awaitable<Result<>> work_on(Work& work, const PasswordRules& rules) {
  auto found = co_await find_account(work);
  if (!found) {
    co_return found.error();
  }
  if (!*found) {
    work.sheet.rest_unobserved("no account of the DUT file gets in here");
    co_return Result<>{};
  }
  auto ended = co_await work_inside(work, rules);
  // Whatever came of it: the login that found the account may have left a word in the setting.
  auto left = co_await work.place.leave(work.now);
  co_return ended ? left : ended;
}

asio::awaitable<Result<>> observe_change(ProbeContext& context, Door& door, sessions::FactSheet& sheet,
                                         const PasswordRules& rules) {
  auto opened = co_await open_place(context, door);
  if (!opened) {
    sheet.rest_unobserved(opened.error().what);
    co_return opened.error();
  }
  if (opened->no_login) {
    sheet.absent("password.login");
    sheet.rest_absent();
    co_return Result<>{};
  }
  if (!opened->login.empty()) {
    sheet.fact("password.login", json::string(opened->login));
  }
  if (!opened->place) {
    sheet.rest_unobserved(opened->why);
    co_return Result<>{};
  }
  Work work{context, door.endpoint, *opened->place, sheet};
  auto ended = co_await work_on(work, rules);
  // What the device does is no error of the probe.
  const bool ours = !ended && sessions::ends_probe(ended.error().kind) && ended.error().kind != ErrorKind::denied;
  sheet.rest_unobserved(ended ? "it was not looked at" : ended.error().what);
  co_return ours ? ended : Result<>{};
}

class PasswordChange final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    auto rules = rules_of(context);
    Result<> ready;
    if (!rules) {
      ready = rules.error();
    } else if (!has_place(context)) {
      ready =
          Error{ErrorKind::bad_input, "probe password_change needs an endpoint of web or messages, such as tcp/80", {}};
    }
    if (!ready) {
      sheet.rest_unobserved(ready.error().what);
      co_return ready;
    }
    Transcript transcript{"changes of a password on " + context.endpoint->text(), 1024 * 1024};
    conceal_all(context, transcript);
    Door door{context.network,   context.record,
              transcript,        context.target.address,
              *context.endpoint, sessions::timers_for(context.network),
              &context.dut};
    auto ended = co_await observe_change(context, door, sheet, **rules);
    const auto digest =
        context.record.artifact("changes of a password", "text/plain; charset=utf-8", transcript.text());
    sheet.evidence_for_values("password.", digest);
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<PasswordChange>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "password_change",
    .summary = "Changes a password of an interface and changes it back: what is taken, what of the old one goes on.",
    .version = 1,
    .intrusiveness = Intrusiveness::intrusive,
    .exclusive = Exclusive::device,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{300'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::password_change
