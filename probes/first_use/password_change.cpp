#include <set>

#include "harness/probe/probe.hpp"
#include "probes/first_use/changing.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::password_change {

namespace {

using namespace first_use;

// Wrong logins: of the old password where the last change was taken, and of the new one after it was undone.
constexpr int kWayBack = 2;
constexpr int kLeast = kWayBack + 1;  // one more to see anything by

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
     "a change to a strong password, of several the strongest that is taken: taken (a login with it succeeds), length, "
     "classes, old_refused (one with the old password does not), refused (stronger ones: length, classes, status)"},
    {"password.sessions", ValueKind::object,
     "sessions that were open before the change, after it: own (the one that changed it), other; alive or not; null: "
     "there was none, or its answer meant neither"},
    {"password.old_asked", ValueKind::object,
     "changes with a wrong old password and with none: wrong_taken, empty_taken; absent: the DUT file's request has no "
     "{old}"},
    {"password.weak", ValueKind::list,
     "changes to weak passwords: kind, source, confidence, schemes (whose rule it is; without: of all), length, taken "
     "(null: not known)"},
    {"password.again", ValueKind::boolean, "a strong password was still taken after all the others"},
    {"password.restored", ValueKind::boolean, "the password of the DUT file is the account's again"},
    {"password.left", ValueKind::object,
     "what the account is left with where its password is not, or may not be, that of the DUT file: why, kept_in (the "
     "file beside the evidence that has it, for its owner alone), tried (passwords of the probe); absent: it is back"},
};

/// A login that was permitted was right.
void return_permit(Work& work) {
  work.context.network.return_permit(work.endpoint, work.known.username);
}

/// Whether the account has the password that it was just asked to take. A plain no of the device is believed where the
/// one before still opens it, which costs no permit; so is a yes where the new one does.
asio::awaitable<Result<bool>> took(Work& work, Secret wanted, bool answered_yes) {
  if (!answered_yes) {
    auto before = co_await work.place.enters(work.known.username, work.now);
    if (!before || *before) {
      co_return before ? Result<bool>{false} : before;
    }
  }
  auto entered = co_await try_login(work, wanted);
  if (answered_yes && entered && *entered) {
    return_permit(work);
  }
  co_return entered;
}

/// From the strongest password down to the first that is taken. False: none is.
asio::awaitable<Result<bool>> change_rightly(Work& work) {
  json::object out{{"taken", false}, {"old_refused", nullptr}};
  json::array refused;
  std::set<std::string> no{};  // words of a refusal: the same again is one, whatever its status
  for (const auto& strength : ladder()) {
    const auto wanted = next_password(work, strength);
    auto answer = co_await ask(work, work.known.password, wanted, true);
    if (!answer) {
      co_return answer.error();
    }
    const bool yes = answer->taken && (no.empty() || !credentials::are_alike(answer->words, no));
    auto taken = co_await took(work, wanted, yes);
    if (!taken) {
      co_return taken.error();
    }
    auto settled = settle(work, *taken ? wanted : work.now);
    if (!settled) {
      co_return settled.error();
    }
    auto tried = told(strength);
    if (*taken) {
      work.strength = strength;
      work.usual = answer->words;
      tried["taken"] = true;
      out = std::move(tried);
      break;
    }
    no = answer->words;
    tried["status"] = answer->status;
    out["status"] = answer->status;
    refused.push_back(std::move(tried));
  }
  out["refused"] = std::move(refused);
  if (work.strength.length == 0) {
    work.sheet.fact("password.change", std::move(out));
    co_return false;
  }
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
  out["old_refused"] = work.old_dies;
  work.sheet.fact("password.change", std::move(out));
  co_return true;
}

/// What was seen of refusals until it is known whether the device still took anything.
struct Seen {
  std::optional<json::object> old_asked{};
  std::optional<json::array> weak{};
};

/// Changes with a wrong old password, and with an empty one.
asio::awaitable<Result<>> change_without_old(Work& work, Seen& seen) {
  if (!work.place.asks_old()) {
    work.sheet.absent("password.old_asked");
    co_return Result<>{};
  }
  json::object out{{"wrong_taken", nullptr}, {"empty_taken", nullptr}};
  for (const bool wrong : {true, false}) {
    const Secret claimed = wrong ? Secret{sessions::random_word(12), "wrong old password"} : Secret{};
    // One that the account never had: where old ones live on, a login with them shows nothing.
    const auto wanted = next_password(work, work.strength);
    auto taken = co_await change(work, claimed, wanted);
    if (!taken) {
      co_return taken.error();
    }
    out[wrong ? "wrong_taken" : "empty_taken"] = *taken;
    if (*taken) {
      auto back = co_await recover(work);
      if (!back) {
        co_return back;
      }
    }
    if (*taken && !work.old_dies) {
      break;
    }
  }
  seen.old_asked = std::move(out);
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

asio::awaitable<Result<>> change_weakly(Work& work, const PasswordRules& rules, Seen& seen) {
  json::array out;
  Result<> ended;
  const auto all = weak_passwords(rules, work.known.username, work.known.password);
  conceal_drawn(all, work.context, work.transcript);
  for (const auto& weak : all) {
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
        ended = co_await recover(work);
      }
    }
    out.push_back(told(weak, taken));
  }
  seen.weak = std::move(out);
  co_return ended;
}

/// A refusal means nothing where a strong password was refused afterwards: then no is null.
void unlearn(json::value& value) {
  if (value.is_bool() && !value.get_bool()) {
    value = nullptr;
  }
}

void record_seen(Work& work, Seen seen, bool reliable) {
  constexpr std::string_view kVain = "a strong password was refused afterwards too, so refusals show nothing";
  if (seen.old_asked) {
    if (!reliable) {
      unlearn((*seen.old_asked)["wrong_taken"]);
      unlearn((*seen.old_asked)["empty_taken"]);
    }
    const bool known =
        reliable || (*seen.old_asked)["wrong_taken"].is_bool() || (*seen.old_asked)["empty_taken"].is_bool();
    known ? work.sheet.fact("password.old_asked", std::move(*seen.old_asked))
          : work.sheet.unobserved("password.old_asked", std::string{kVain});
  }
  if (seen.weak) {
    bool known = reliable;
    for (auto& one : *seen.weak) {
      auto& taken = one.get_object()["taken"];
      if (!reliable) {
        unlearn(taken);
      }
      known = known || taken.is_bool();
    }
    known ? work.sheet.fact("password.weak", std::move(*seen.weak))
          : work.sheet.unobserved("password.weak", std::string{kVain});
  }
}

/// What the device refuses, and whether it still takes a strong password after that.
asio::awaitable<Result<>> change_wrongly(Work& work, const PasswordRules& rules, Seen& seen) {
  auto old = co_await change_without_old(work, seen);
  if (!old) {
    co_return old;
  }
  auto weak = co_await change_weakly(work, rules, seen);
  if (!weak) {
    co_return weak;
  }
  const auto other = next_password(work, work.strength);
  auto again = co_await change(work, work.now, other);
  if (!again) {
    co_return again.error();
  }
  work.sheet.fact("password.again", *again);
  record_seen(work, std::move(seen), *again);
  seen = {};
  co_return Result<>{};
}

asio::awaitable<Result<>> look(Work& work, const PasswordRules& rules) {
  auto right = co_await change_rightly(work);
  if (!right) {
    co_return right.error();
  }
  if (!*right) {
    work.sheet.unobserved("password.again", "a change to a strong password was not taken");
    work.sheet.unobserved("password.weak",
                          "a change to a strong password was not taken, so refusals would show nothing");
    co_return Result<>{};
  }
  auto back = co_await restore(work);
  if (!back) {
    co_return back.error();
  }
  if (work.refuses_all) {
    const std::string vain = "a second change to a strong password was refused, so refusals would show nothing";
    work.sheet.fact("password.again", false);
    work.sheet.unobserved("password.weak", vain);
    work.sheet.unobserved("password.old_asked", vain);
    co_return Result<>{};
  }
  Seen seen;
  auto ended = co_await change_wrongly(work, rules, seen);
  record_seen(work, std::move(seen), true);
  co_return ended;
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
      return_permit(work);
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

void release_way_back(Work& work) {
  for (; work.held > 0; --work.held) {
    return_permit(work);
  }
}

/// Draws what the way back may cost before anything is changed: a device must not be left with another password for
/// want of a login. False: the budget has not that many, or none beside them.
asio::awaitable<Result<bool>> hold_way_back(Work& work) {
  for (; work.held < kLeast; ++work.held) {
    auto permitted = co_await work.context.network.permit_login(work.endpoint, work.known.username);
    if (!permitted && permitted.error().kind != ErrorKind::denied) {
      co_return permitted.error();
    }
    if (!permitted) {
      release_way_back(work);
      co_return false;
    }
  }
  return_permit(work);
  work.held = kWayBack;
  co_return true;
}

/// Whatever came of it: the account has its own password again, or it is known which one it has.
asio::awaitable<Result<bool>> end_well(Work& work) {
  release_way_back(work);
  auto sure = co_await make_sure(work);
  if (!sure) {
    co_return sure.error();
  }
  // What the device remembered when it was last tried may be another matter now.
  work.stranded.clear();
  auto restored = co_await restore(work);
  co_return restored;
}

void record_end(Work& work, const Result<bool>& restored) {
  if (restored && *restored) {
    work.sheet.fact("password.restored", true);
    work.sheet.absent("password.left");
    return;
  }
  json::object left{
      {"why", restored ? work.stranded : restored.error().what}, {"kept_in", work.kept_in}, {"tried", work.drawn}};
  // Where nothing was asked for since the own password opened the account, nothing else was left there.
  const bool known = restored || work.asked || work.now.reveal() != work.known.password.reveal();
  if (known) {
    work.sheet.fact("password.restored", false);
  } else {
    work.sheet.unobserved("password.restored", restored.error().what);
  }
  work.sheet.fact("password.left", std::move(left));
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
  auto held = co_await hold_way_back(work);
  if (!held) {
    co_return held.error();
  }
  if (!*held) {
    work.sheet.rest_unobserved("nothing was changed: the budget of the account has fewer than " +
                               std::to_string(kLeast) + " wrong logins left, and the way back may cost " +
                               std::to_string(kWayBack));
    co_return Result<>{};
  }
  auto ended = co_await look(work, rules);
  auto restored = co_await end_well(work);
  record_end(work, restored);
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
  Work work{context, door.endpoint, *opened->place, door.transcript, sheet};
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
    conceal_accounts(context, transcript);
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
