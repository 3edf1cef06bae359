#include "harness/probe/probe.hpp"

#include <algorithm>

#include "probes/first_use/place.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::first_use {

namespace {

constexpr std::size_t kWord = 10;

constexpr ParameterSpec kParameters[] = {
    {"rules", ValueKind::text, "\"baseline-passwords\"", "password rules by id: weak passwords that are tried"},
};

constexpr FactSpec kFacts[] = {
    {"first_use.set_up", ValueKind::object,
     "the set-up with a strong password, of several the strongest that is taken: taken (a login with it succeeds), "
     "status (of CoAP 204 for 2.04); what refusals before it mean rests on it"},
    {"first_use.action", ValueKind::object,
     "the DUT file's setting, changed without a login: before (set-up; the value shows afterwards), after; control (it "
     "is changed with a login)"},
    {"first_use.weak", ValueKind::list,
     "set-ups with weak passwords: kind, source, confidence, schemes (whose rule it is; without: of all), length, "
     "taken "
     "(null: not known)"},
    {"first_use.again", ValueKind::boolean, "a visitor can set the device up a second time"},
    {"first_use.kept_in", ValueKind::text,
     "the file beside the evidence that has the passwords which the device was asked to take, for its owner alone"},
};

struct Work {
  ProbeContext& context;
  sessions::FactSheet& sheet;
  Place& place;
  Transcript& transcript;
  const Account& account;
  std::string before{};  // value that was set before the set-up
  Strength strength{};   // that was taken
  int drawn = 0;         // passwords, each with a number in its name
};

Secret next_password(Work& work, Strength strength) {
  auto name = "password " + std::to_string(++work.drawn) + " of the probe first_use";
  return fresh_password(work.context, work.transcript, strength, std::move(name));
}

/// One set-up; whoever is in charge has the password before it is sent.
asio::awaitable<Result<Said>> set_up_with(Work& work, Secret wanted) {
  auto kept = work.context.record.entrust(work.account.username, work.account.secret, wanted);
  if (!kept) {
    co_return kept.error();
  }
  if (!work.sheet.settled("first_use.kept_in")) {
    work.sheet.fact("first_use.kept_in", json::string(*kept));
  }
  auto answer = co_await work.place.set_up(work.account.username, std::move(wanted));
  co_return answer;
}

/// A login shows whether the account has that password, and if so that is told.
asio::awaitable<Result<bool>> opens_with(Work& work, Secret password) {
  auto taken = co_await work.place.opens(work.account.username, password);
  if (taken && *taken) {
    auto settled = work.context.record.settle(work.account.username, password);
    co_return settled ? taken : Result<bool>{settled.error()};
  }
  co_return taken;
}

/// Weak passwords until one is taken, which ends the set-up. True: one was.
asio::awaitable<Result<bool>> try_weak(Work& work, const PasswordRules& rules) {
  json::array out;
  bool over = false;
  Secret opener;
  const auto all = weak_passwords(rules, work.account.username, Secret{});
  conceal_drawn(all, work.context, work.transcript);
  for (const auto& weak : all) {
    if (over) {
      out.push_back(told(weak, std::nullopt));
      continue;
    }
    auto answer = co_await set_up_with(work, weak.value);
    if (!answer) {
      co_return answer.error();
    }
    auto stands = co_await work.place.offers_set_up();
    if (!stands) {
      co_return stands.error();
    }
    if (!stands->value_or(false)) {
      auto taken = co_await opens_with(work, weak.value);
      if (!taken) {
        co_return taken.error();
      }
      over = *taken;
      opener = weak.value;
    }
    out.push_back(told(weak, over));
  }
  work.sheet.fact("first_use.weak", std::move(out));
  if (over) {
    auto left = co_await work.place.leave(opener);
    if (!left) {
      co_return left.error();
    }
  }
  co_return over;
}

/// With a login the setting changes; without one it does not any more, or does.
asio::awaitable<Result<>> compare_actions(Work& work, Secret password) {
  auto& place = work.place;
  auto entered = co_await place.settle_in(work.account.username, password);
  if (!entered) {
    co_return entered.error();
  }
  if (!*entered) {
    co_return Error{ErrorKind::protocol, "the account was not let in any more", {}};
  }
  auto before = co_await place.shows(work.before);
  if (!before) {
    co_return before.error();
  }
  auto value = co_await place.act_as_visitor();
  if (!value) {
    co_return value.error();
  }
  auto after = co_await place.shows(*value);
  if (!after) {
    co_return after.error();
  }
  const auto word = sessions::random_word(kWord);
  auto acted = co_await place.act(word);
  if (!acted) {
    co_return acted;
  }
  auto control = co_await place.shows(word);
  if (!control) {
    co_return control.error();
  }
  auto restored = co_await place.act(std::nullopt);
  if (!restored) {
    co_return restored;
  }
  if (*control) {
    work.sheet.fact("first_use.action", json::object{{"before", *before}, {"after", *after}, {"control", true}});
  } else {
    work.sheet.unobserved("first_use.action",
                          "the request of the DUT file (setting) did not change what is shown, with a login either");
  }
  co_return Result<>{};
}

/// A second set-up, after which the first password has to open the account still.
asio::awaitable<Result<>> set_up_again(Work& work, Secret password) {
  const auto other = next_password(work, work.strength);
  auto answer = co_await set_up_with(work, other);
  if (!answer && answer.error().kind != ErrorKind::protocol) {
    co_return answer.error();
  }
  for (const bool again : {false, true}) {
    const auto holds = again ? other : password;
    auto entered = co_await work.place.enters(work.account.username, holds);
    if (!entered) {
      co_return entered.error();
    }
    if (*entered) {
      work.sheet.fact("first_use.again", again);
      co_return work.context.record.settle(work.account.username, holds);
    }
  }
  work.sheet.unobserved("first_use.again", "after a second set-up neither password opens the account");
  co_return Result<>{};
}

/// From the strongest password down to the first that sets the device up; empty: none does. Where the set-up still
/// stands afterwards a login would be a wrong one, so that only the last is tried all the same.
asio::awaitable<Result<Secret>> set_up_rightly(Work& work) {
  json::object out{{"taken", false}};
  Secret found;
  for (const auto& strength : ladder()) {
    const auto password = next_password(work, strength);
    auto answer = co_await set_up_with(work, password);
    if (!answer) {
      co_return answer.error();
    }
    out["status"] = answer->status;
    auto stands = co_await work.place.offers_set_up();
    if (!stands) {
      co_return stands.error();
    }
    if (stands->value_or(false) && &strength != &ladder().back()) {
      continue;
    }
    auto taken = co_await opens_with(work, password);
    if (!taken) {
      co_return taken.error();
    }
    if (*taken) {
      work.strength = strength;
      out["taken"] = true;
      found = password;
      break;
    }
  }
  work.sheet.fact("first_use.set_up", std::move(out));
  co_return found;
}

asio::awaitable<Result<>> work_on(Work& work, const PasswordRules& rules) {
  auto stands = co_await work.place.offers_set_up();
  if (!stands) {
    co_return stands.error();
  }
  if (!stands->value_or(true)) {
    work.sheet.rest_unobserved("the page of the set-up has no such form: is the device in factory state?");
    co_return Result<>{};
  }
  if (work.place.has_setting()) {
    auto value = co_await work.place.act_as_visitor();
    if (!value) {
      co_return value.error();
    }
    work.before = std::move(*value);
  }
  auto weak = co_await try_weak(work, rules);
  if (!weak) {
    co_return weak.error();
  }
  if (*weak) {
    work.sheet.rest_unobserved("a weak password ended the set-up, so a strong one could not be tried");
    co_return Result<>{};
  }
  auto password = co_await set_up_rightly(work);
  if (!password) {
    co_return password.error();
  }
  if (password->empty()) {
    work.sheet.rest_unobserved("a strong password was not taken either");
    co_return Result<>{};
  }
  if (!work.place.has_setting()) {
    work.sheet.unobserved("first_use.action", "the DUT file names no setting that may be changed (web: setting)");
  } else {
    auto compared = co_await compare_actions(work, *password);
    if (!compared) {
      co_return compared;
    }
  }
  auto again = co_await set_up_again(work, *password);
  auto left = co_await work.place.leave(*password);
  co_return again ? left : again;
}

asio::awaitable<Result<>> observe_first_use(ProbeContext& context, Door& door, sessions::FactSheet& sheet,
                                            const PasswordRules& rules) {
  auto opened = co_await open_fresh_place(context, door);
  if (!opened || !opened->place) {
    sheet.rest_unobserved(opened ? opened->why : opened.error().what);
    co_return opened ? Result<>{} : Result<>{opened.error()};
  }
  Work work{context, sheet, *opened->place, door.transcript, context.dut.accounts.front()};
  auto ended = co_await work_on(work, rules);
  const bool ours = !ended && sessions::ends_probe(ended.error().kind) && ended.error().kind != ErrorKind::denied;
  sheet.rest_unobserved(ended ? "it was not looked at" : ended.error().what);
  co_return ours ? ended : Result<>{};
}

class FirstUse final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    auto rules = rules_of(context);
    Result<> ready;
    if (!rules) {
      ready = rules.error();
    } else if (!has_place(context)) {
      ready = Error{ErrorKind::bad_input, "probe first_use needs an endpoint of web or messages, such as tcp/80", {}};
    }
    if (!ready) {
      sheet.rest_unobserved(ready.error().what);
      co_return ready;
    }
    Transcript transcript{"first use of " + context.endpoint->text(), 1024 * 1024};
    conceal_accounts(context, transcript);
    Door door{context.network,   context.record,
              transcript,        context.target.address,
              *context.endpoint, sessions::timers_for(context.network),
              &context.dut};
    auto ended = co_await observe_first_use(context, door, sheet, **rules);
    const auto digest = context.record.artifact("first use", "text/plain; charset=utf-8", transcript.text());
    sheet.evidence_for_values("first_use.", digest);
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<FirstUse>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "first_use",
    .summary = "Sets an interface in factory state up: what works before, which passwords it takes. Leaves it set up.",
    .version = 1,
    .intrusiveness = Intrusiveness::destructive,
    .exclusive = Exclusive::device,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{300'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::first_use
