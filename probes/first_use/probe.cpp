#include "harness/probe/probe.hpp"

#include <algorithm>

#include "probes/first_use/change.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::first_use {

namespace {

constexpr std::size_t kWord = 10;

constexpr ParameterSpec kParameters[] = {
    {"rules", ValueKind::text, "\"baseline-passwords\"", "password rules by id: weak passwords that are tried"},
};

constexpr FactSpec kFacts[] = {
    {"first_use.set_up", ValueKind::object,
     "the set-up with a strong password: taken (a login with it succeeds), status; what refusals before it mean rests "
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
  Door& door;
  sessions::FactSheet& sheet;
  const WebInterface& web;
  std::string username;
  WebLogin visitor{};    // as whoever comes by, before the set-up
  std::string before{};  // value that was set before the set-up
};

/// The set-up still stands where it stood. Nothing: it has no page to see that by.
asio::awaitable<Result<std::optional<bool>>> offers_set_up(Work& work) {
  std::optional<bool> out;
  if (work.web.set_up->page.empty()) {
    co_return out;
  }
  WebUser user{work.door, work.visitor};
  auto page = co_await user.look(work.web.set_up->page);
  if (!page) {
    co_return page.error();
  }
  out = credentials::has_form_for(*page, *work.web.set_up);
  co_return out;
}

/// The setting, sent by somebody without a session.
asio::awaitable<Result<std::string>> act_as_visitor(Work& work) {
  const WebHouse house{work.door, work.visitor};
  Filling filling;
  filling.value = sessions::random_word(kWord);
  WebUser user{work.door, work.visitor};
  auto came = co_await user.arrive();
  if (!came) {
    co_return came.error();
  }
  auto answer = co_await send(work.context, house, user, work.web.setting->change, filling);
  // A page without the form is a refusal like any other, and the value shows whether anything was done.
  if (!answer && answer.error().kind != ErrorKind::protocol) {
    co_return answer.error();
  }
  co_return filling.value;
}

asio::awaitable<Result<bool>> shows(Work& work, WebUser& user, const std::string& value) {
  auto page = co_await user.look(work.web.setting->read);
  if (!page) {
    co_return page.error();
  }
  co_return page->response.body.find(value) != std::string::npos;
}

asio::awaitable<Result<Page>> set_up(Work& work, Secret password) {
  const WebHouse house{work.door, work.visitor};
  WebUser user{work.door, work.visitor};
  auto came = co_await user.arrive();
  if (!came) {
    co_return came.error();
  }
  Filling filling;
  filling.username = work.username;
  filling.password = std::move(password);
  auto answer = co_await send(work.context, house, user, *work.web.set_up, filling);
  co_return answer;
}

/// The interface once it is set up: the account gets in with that password. Nothing: it does not.
struct Opened {
  credentials::Detection found;
  std::optional<WebLogin> login;
  Inside inside{};
  Page shown{};
};

asio::awaitable<Result<bool>> opens(Work& work, Opened& opened, Secret password) {
  auto found = co_await credentials::detect(work.door);
  if (!found) {
    co_return found.error();
  }
  opened.found = std::move(*found);
  opened.login = credentials::web_login_of(work.door, opened.found);
  if (!opened.login) {
    co_return false;
  }
  auto permitted = co_await work.context.network.permit_login(work.door.endpoint, work.username);
  if (!permitted) {
    co_return permitted.error();
  }
  WebHouse house{work.door, *opened.login};
  WebUser user{work.door, *opened.login};
  auto page = co_await find_protected(house, user, work.username, std::move(password));
  if (!page && page.error().kind != ErrorKind::protocol) {
    co_return page.error();
  }
  opened.inside = house.inside;
  opened.shown = house.shown;
  co_return !house.inside.path.empty();
}

/// Weak passwords until one is taken, which ends the set-up. True: one was.
asio::awaitable<Result<bool>> try_weak(Work& work, Opened& opened, const PasswordRules& rules) {
  json::array out;
  bool over = false;
  for (const auto& weak : weak_passwords(rules, work.username, Secret{})) {
    if (over) {
      out.push_back(told(weak, std::nullopt));
      continue;
    }
    auto answer = co_await set_up(work, weak.value);
    if (!answer) {
      co_return answer.error();
    }
    auto stands = co_await offers_set_up(work);
    if (!stands) {
      co_return stands.error();
    }
    if (!stands->value_or(false)) {
      auto taken = co_await opens(work, opened, weak.value);
      if (!taken) {
        co_return taken.error();
      }
      over = *taken;
    }
    out.push_back(told(weak, over));
  }
  work.sheet.fact("first_use.weak", std::move(out));
  co_return over;
}

/// With a login the setting changes; without one it does not any more, or does.
asio::awaitable<Result<>> compare_actions(Work& work, Opened& opened, Secret password) {
  WebHouse house{work.door, *opened.login, opened.inside, opened.shown};
  auto user = co_await enter(house, work.username, password);
  if (!user) {
    co_return user.error();
  }
  if (!*user) {
    co_return Error{ErrorKind::protocol, "the account was not let in any more", {}};
  }
  auto before = co_await shows(work, **user, work.before);
  if (!before) {
    co_return before.error();
  }
  auto value = co_await act_as_visitor(work);
  if (!value) {
    co_return value.error();
  }
  auto after = co_await shows(work, **user, *value);
  if (!after) {
    co_return after.error();
  }
  Filling filling;
  filling.value = sessions::random_word(kWord);
  auto answer = co_await send(work.context, house, **user, work.web.setting->change, filling);
  if (!answer) {
    co_return answer.error();
  }
  auto control = co_await shows(work, **user, filling.value);
  if (!control) {
    co_return control.error();
  }
  filling.value = work.web.setting->value;
  auto restored = co_await send(work.context, house, **user, work.web.setting->change, filling);
  if (!restored) {
    co_return restored.error();
  }
  if (*control) {
    work.sheet.fact("first_use.action", json::object{{"before", *before}, {"after", *after}, {"control", true}});
  } else {
    work.sheet.unobserved(
        "first_use.action",
        "the request of the DUT file (web: setting) did not change what is shown, with a login either");
  }
  co_return Result<>{};
}

/// A second set-up, after which the first password has to open the account still.
asio::awaitable<Result<>> set_up_again(Work& work, Opened& opened, Secret password) {
  const auto other = stronger_password();
  auto answer = co_await set_up(work, other);
  if (!answer && answer.error().kind != ErrorKind::protocol) {
    co_return answer.error();
  }
  WebHouse house{work.door, *opened.login, opened.inside, opened.shown};
  auto first = co_await enter(house, work.username, password);
  if (!first) {
    co_return first.error();
  }
  if (*first) {
    work.sheet.fact("first_use.again", false);
    co_return Result<>{};
  }
  auto second = co_await enter(house, work.username, other);
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
  auto stands = co_await offers_set_up(work);
  if (!stands) {
    co_return stands.error();
  }
  if (!stands->value_or(true)) {
    work.sheet.rest_unobserved(
        "the page of the set-up (web: set_up) has no such form: is the device in factory state?");
    co_return Result<>{};
  }
  if (work.web.setting) {
    auto value = co_await act_as_visitor(work);
    if (!value) {
      co_return value.error();
    }
    work.before = std::move(*value);
  }
  Opened opened;
  auto weak = co_await try_weak(work, opened, rules);
  if (!weak) {
    co_return weak.error();
  }
  if (*weak) {
    work.sheet.rest_unobserved("a weak password ended the set-up, so a strong one could not be tried");
    co_return Result<>{};
  }
  const auto password = strong_password();
  auto answer = co_await set_up(work, password);
  if (!answer) {
    co_return answer.error();
  }
  auto taken = co_await opens(work, opened, password);
  if (!taken) {
    co_return taken.error();
  }
  work.sheet.fact("first_use.set_up", json::object{{"taken", *taken}, {"status", answer->response.status}});
  if (!*taken) {
    work.sheet.rest_unobserved("a strong password was not taken either");
    co_return Result<>{};
  }
  if (!work.web.setting) {
    work.sheet.unobserved("first_use.action", "the DUT file names no setting that may be changed (web: setting)");
  } else {
    auto compared = co_await compare_actions(work, opened, password);
    if (!compared) {
      co_return compared;
    }
  }
  auto again = co_await set_up_again(work, opened, password);
  co_return again;
}

/// Before the set-up nothing says whether TLS is spoken but TLS itself.
asio::awaitable<Result<std::optional<bool>>> hears_http(Door& door) {
  for (const bool tls : {true, false}) {
    WebLogin visitor;
    visitor.tls = tls;
    WebUser user{door, visitor};
    auto page = co_await user.look("/");
    if (page) {
      co_return std::optional<bool>{tls};
    }
    if (sessions::ends_probe(page.error().kind)) {
      co_return page.error();
    }
  }
  co_return std::optional<bool>{};
}

asio::awaitable<Result<>> observe_first_use(ProbeContext& context, Door& door, sessions::FactSheet& sheet,
                                            const PasswordRules& rules) {
  const auto* web = credentials::web_interface_for(context.dut, door.endpoint);
  if (web == nullptr || !web->set_up || context.dut.accounts.empty()) {
    sheet.rest_unobserved("the DUT file does not say how the device is set up here (web: set_up, and an account)");
    co_return Result<>{};
  }
  auto tls = co_await hears_http(door);
  if (!tls || !*tls) {
    sheet.rest_unobserved(tls ? "the endpoint speaks no HTTP" : tls.error().what);
    co_return tls ? Result<>{} : Result<>{tls.error()};
  }
  Work work{context, door, sheet, *web, context.dut.accounts.front().username};
  work.visitor.tls = **tls;
  work.visitor.path = "/";
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
    } else if (!context.endpoint || context.endpoint->transport != Transport::tcp) {
      ready = Error{ErrorKind::bad_input, "probe first_use needs a TCP endpoint such as tcp/80", {}};
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
    .summary =
        "Sets a web interface in factory state up: what works before, which passwords it takes. Leaves it set up.",
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
