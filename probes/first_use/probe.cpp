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
     "the set-up with a strong password: taken (a login with it succeeds), status (of CoAP 204 for 2.04); what "
     "refusals before it mean rests "
     "on it"},
    {"first_use.action", ValueKind::object,
     "the DUT file's setting, changed without a login: before (set-up; the value shows afterwards), after; control (it "
     "is changed with a login)"},
    {"first_use.weak", ValueKind::list,
     "set-ups with weak passwords: kind, source, confidence, length, taken (null: not known)"},
    {"first_use.again", ValueKind::boolean, "a visitor can set the device up a second time"},
};

struct Work {
  ProbeContext& context;
  sessions::FactSheet& sheet;
  Place& place;
  std::string username;
  std::string before{};  // value that was set before the set-up
};

/// Weak passwords until one is taken, which ends the set-up. True: one was.
asio::awaitable<Result<bool>> try_weak(Work& work, const PasswordRules& rules) {
  json::array out;
  bool over = false;
  Secret opener;
  for (const auto& weak : weak_passwords(rules, work.username, Secret{})) {
    if (over) {
      out.push_back(told(weak, std::nullopt));
      continue;
    }
    auto answer = co_await work.place.set_up(work.username, weak.value);
    if (!answer) {
      co_return answer.error();
    }
    auto stands = co_await work.place.offers_set_up();
    if (!stands) {
      co_return stands.error();
    }
    if (!stands->value_or(false)) {
      auto taken = co_await work.place.opens(work.username, weak.value);
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
  auto entered = co_await place.settle_in(work.username, password);
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
  const auto other = stronger_password();
  auto answer = co_await work.place.set_up(work.username, other);
  if (!answer && answer.error().kind != ErrorKind::protocol) {
    co_return answer.error();
  }
  auto first = co_await work.place.enters(work.username, password);
  if (!first) {
    co_return first.error();
  }
  if (*first) {
    work.sheet.fact("first_use.again", false);
    co_return Result<>{};
  }
  auto second = co_await work.place.enters(work.username, other);
  if (!second) {
    co_return second.error();
  }
  if (*second) {
    work.sheet.fact("first_use.again", true);
  } else {
    work.sheet.unobserved("first_use.again", "after a second set-up neither password opens the account");
  }
  co_return Result<>{};
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
  const auto password = strong_password();
  auto answer = co_await work.place.set_up(work.username, password);
  if (!answer) {
    co_return answer.error();
  }
  auto taken = co_await work.place.opens(work.username, password);
  if (!taken) {
    co_return taken.error();
  }
  work.sheet.fact("first_use.set_up", json::object{{"taken", *taken}, {"status", answer->status}});
  if (!*taken) {
    work.sheet.rest_unobserved("a strong password was not taken either");
    co_return Result<>{};
  }
  if (!work.place.has_setting()) {
    work.sheet.unobserved("first_use.action", "the DUT file names no setting that may be changed (web: setting)");
  } else {
    auto compared = co_await compare_actions(work, password);
    if (!compared) {
      co_return compared;
    }
  }
  auto again = co_await set_up_again(work, password);
  auto left = co_await work.place.leave(password);
  co_return again ? left : again;
}

asio::awaitable<Result<>> observe_first_use(ProbeContext& context, Door& door, sessions::FactSheet& sheet,
                                            const PasswordRules& rules) {
  auto opened = co_await open_fresh_place(context, door);
  if (!opened || !opened->place) {
    sheet.rest_unobserved(opened ? opened->why : opened.error().what);
    co_return opened ? Result<>{} : Result<>{opened.error()};
  }
  Work work{context, sheet, *opened->place, context.dut.accounts.front().username};
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
    conceal_all(context, transcript);
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
