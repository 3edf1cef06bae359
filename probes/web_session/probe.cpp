#include "harness/probe/probe.hpp"

#include <algorithm>

#include "probes/web_session/visit.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/web_script.hpp"

namespace assay::probes::web_session {

namespace {

constexpr std::size_t kMostAccounts = 4;
constexpr std::size_t kMostLoginScripts = 4;

constexpr ParameterSpec kParameters[] = {
    {"logins", ValueKind::integer, "8", "logins of one account whose session ids are held against each other"},
    {"idle", ValueKind::integer, "0",
     "seconds that sessions are left alone, to see whether the device ends them; 0: not", true},
    {"pages", ValueKind::integer, "40", "pages and scripts that each user asks for at most"},
    {"crawl", ValueKind::integer, "60", "seconds for the pages of all users", true},
};

constexpr FactSpec kFacts[] = {
    {"web.login", ValueKind::text,
     "how one logs in to the web interface: http-form, http-json, http-basic, http-digest; absent: no web login that "
     "this probe knows"},
    {"web.account", ValueKind::object,
     "the account whose sessions were looked at: role, page (that it opens and a visitor does not), proof, roles (of "
     "all accounts that got in)"},
    {"web.carrier", ValueKind::text,
     "what carries the session: cookie, header, request (Basic and Digest send the password each time: there are no "
     "sessions)"},
    {"web.cookies", ValueKind::list,
     "cookies after the login: name, session (without it the page is refused), secure, http_only, same_site, path, "
     "domain, max_age, expires"},
    {"web.fixation", ValueKind::object,
     "ids from before the login: given_before (a visitor gets one), kept (who has it is inside after the login), "
     "takes_invented (so is who has one that nobody gave); absent: no cookie carries the session"},
    {"web.tokens", ValueKind::object,
     "session ids of several logins: sample, shortest, longest, classes, bits (an estimate; bits_low, bits_high, "
     "bits_at_most), relations (kind: equal, counter, identifier; what, length)"},
    {"web.concurrent", ValueKind::boolean, "a session goes on after further logins of the same account"},
    {"web.idle", ValueKind::object,
     "sessions left alone: waited (s), ended, alive_after (the longest silence that one survived), ended_by (the "
     "shortest after which one was refused)"},
    {"web.logout", ValueKind::object,
     "after logging out: way, declared, status, ended (the old session is refused), browser_out (so is the browser "
     "that "
     "logged out)"},
    {"web.forgery", ValueKind::object,
     "whether the setting of the DUT file changed by a request: control (the page's own), missing (without its token), "
     "other_session (with that of another session), no_session; foreign_page (as another site sends it, with the "
     "session's cookies), foreign_browser (the same with those alone that browsers send along: of SameSite=Lax by GET, "
     "of Strict never), foreign_by (its method; a form is sent by GET too); tokens (their fields), restored; null: "
     "there was nothing to leave out, or no browser sends it"},
    {"web.stored", ValueKind::boolean,
     "a browser may store the protected page: it came without Cache-Control: no-store"},
    {"web.pages", ValueKind::object,
     "pages that links led to: visitor, roles, asked_again, unclear (answers that are neither the page nor a refusal; "
     "unclear_at: where), whole (nothing was dropped for want of room or an "
     "answer), left_out (links and calls that say that they change something, which were not asked for)"},
    {"web.open", ValueKind::list,
     "pages seen after the login that a visitor gets too: path, kind (form, data, text), declared (in the DUT file as "
     "protected), linked (a visitor is led there), shell (the very bytes that a visitor gets at any path: the frame of "
     "a page application, without data)"},
    {"web.crossed", ValueKind::list,
     "pages of one account that another one gets though no link leads it there: path, kind, owner, role, declared (the "
     "DUT file says who may see it)"},
};

std::int64_t number(const ProbeContext& context, std::string_view name, std::int64_t least, std::int64_t most) {
  const auto* value = context.parameters.if_contains(name);
  return value != nullptr && value->is_int64() ? std::clamp(value->get_int64(), least, most) : least;
}

Means means_of(const ProbeContext& context) {
  constexpr std::int64_t kDay = 86'400;
  Means out;
  out.logins = number(context, "logins", 1, 200);
  out.idle = number(context, "idle", 0, kDay);
  out.pages = number(context, "pages", 1, 1000);
  out.crawl = number(context, "crawl", 1, kDay);
  return out;
}

bool is_web(std::string_view dialect) {
  return dialect.starts_with("http-");
}

/// Why no account is let in.
struct WhyNone {
  std::string why;
  bool tried = false;      // some login was sent
  bool by_script = false;  // a page that a login got may keep the session by a script
};

/// A script of the page, in it or in a file of this endpoint, keeps something as sessions are kept.
asio::awaitable<Result<bool>> has_script_of_sessions(WebUser& user, Door& door, bool tls, const Page& page) {
  for (const auto& script : wire::html_scripts(page.response.body, kMostLoginScripts)) {
    if (wire::keeps_sessions(script.text)) {
      co_return true;
    }
    const auto place = wire::http_location(script.source, page.place);
    if (script.source.empty() || !place || !wire::leads_to(*place, door.address, door.endpoint.port, tls)) {
      continue;
    }
    auto file = co_await user.look(place->path);
    if (!file && sessions::ends_probe(file.error().kind)) {
      co_return file.error();
    }
    if (file && wire::keeps_sessions(file->response.body)) {
      co_return true;
    }
  }
  co_return false;
}

/// Behind "no account gets in": the session may be one that a script keeps, which is not run here.
asio::awaitable<Result<std::string>> doubt_of_scripts(Door& door, const credentials::WebLogin& login, bool by_script) {
  WebUser user{door, login};
  auto page = co_await user.look(login.path);
  if (!page) {
    co_return page.error();
  }
  Result<bool> kept{by_script};
  if (!by_script) {
    kept = co_await has_script_of_sessions(user, door, login.tls, *page);
  }
  if (!kept) {
    co_return kept.error();
  }
  co_return std::string{*kept ? "; the session may be set by scripts of the page (document.cookie or storage of the "
                                "browser), which are not run here: the DUT file can say how one logs in (logins: "
                                "token, header)"
                              : ""};
}

/// Accounts of the DUT file that are taken here, one of each role, and why none is. A wrong one costs a permit, as any
/// wrong login.
asio::awaitable<Result<std::vector<Known>>> find_accounts(ProbeContext& context, Door& door,
                                                          credentials::Dialect& dialect, WhyNone& none) {
  std::vector<Known> out;
  none.why = "no account of the DUT file gets in here";
  for (const auto& account : context.dut.accounts) {
    const bool known_role =
        std::any_of(out.begin(), out.end(), [&](const Known& one) { return one.role == account.role; });
    if (account.secret.empty() || known_role || out.size() >= kMostAccounts) {
      continue;
    }
    auto permitted = co_await context.network.permit_login(door.endpoint, account.username);
    if (!permitted && permitted.error().kind != ErrorKind::denied) {
      co_return permitted.error();
    }
    if (!permitted) {
      none.why = "no login of " + wire::printable(account.username, 64) +
                 " is left, an account of the DUT file: other probes made those that the budget allows";
      continue;
    }
    auto attempted = co_await dialect.attempt(account.username, account.secret);
    if (attempted.ended) {
      co_return *attempted.ended;
    }
    if (attempted.outcome == credentials::Outcome::accepted) {
      context.network.return_permit(door.endpoint, account.username);
      out.push_back({account.role, account.username, account.secret});
    } else {
      none.tried = true;
      none.by_script = none.by_script || attempted.by_script;
    }
  }
  co_return out;
}

void record_account(Visit& visit) {
  json::array roles;
  for (const auto& known : visit.accounts) {
    roles.emplace_back(wire::printable(known.role, 64));
  }
  json::object account{{"role", wire::printable(visit.accounts.front().role, 64)}, {"roles", std::move(roles)}};
  account["page"] = wire::printable(visit.house.inside.path, 256);
  account["proof"] = visit.house.inside.proof;
  visit.sheet.fact("web.account", std::move(account));
}

/// Basic and Digest: nothing outlives a request.
void record_no_sessions(sessions::FactSheet& sheet) {
  sheet.fact("web.carrier", "request");
  for (const std::string_view fact :
       {"web.cookies", "web.fixation", "web.tokens", "web.concurrent", "web.idle", "web.logout"}) {
    sheet.absent(fact);
  }
}

asio::awaitable<Result<>> look_at_sessions(Visit& visit, WebUser& first) {
  using Step = asio::awaitable<Result<>> (*)(Visit&);
  auto cookies = co_await look_at_cookies(visit, first);
  if (!cookies) {
    co_return cookies;
  }
  auto tokens = co_await look_at_tokens(visit, first);
  if (!tokens) {
    co_return tokens;
  }
  const Step steps[] = {&look_at_fixation, &look_at_forgery, &look_at_pages, &look_at_logout, &look_at_idle};
  for (const auto step : steps) {
    auto done = co_await step(visit);
    if (!done) {
      co_return done;
    }
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> look_without_sessions(Visit& visit) {
  record_no_sessions(visit.sheet);
  auto forged = co_await look_at_forgery(visit);
  if (!forged) {
    co_return forged;
  }
  auto pages = co_await look_at_pages(visit);
  co_return pages;
}

asio::awaitable<Result<>> look(Visit& visit) {
  const auto& known = visit.accounts.front();
  WebUser first{visit.house.door, visit.house.login};
  auto found = co_await credentials::find_protected(visit.house, first, known.username, known.password);
  if (!found) {
    co_return found;
  }
  if (visit.house.inside.path.empty()) {
    visit.sheet.rest_unobserved("no page was found that the account gets and a visitor does not");
    co_return Result<>{};
  }
  record_account(visit);
  if (visit.house.login.way == WebWay::basic) {
    auto done = co_await look_without_sessions(visit);
    co_return done;
  }
  auto done = co_await look_at_sessions(visit, first);
  co_return done;
}

/// What keeps the sessions from being looked at; empty: nothing.
std::string obstacle(const credentials::Detection& found, sessions::FactSheet& sheet) {
  if (!found.dialect || !is_web(found.dialect->name())) {
    if (found.silent) {
      return "the endpoint said nothing, neither unasked nor to HTTP or TLS";
    }
    const bool not_found = found.spoken.empty() && !found.doubt.empty();  // among the pages that were looked at
    const bool other_web = !found.other_login.empty() || is_web(found.spoken) || not_found;
    if (other_web) {
      return found.other_login.empty() ? found.doubt
                                       : "there is a login that this probe does not know: " + found.other_login;
    }
    sheet.absent("web.login");
    sheet.rest_absent();
    return {};
  }
  sheet.fact("web.login", json::string(found.dialect->name()));
  if (found.dialect->name() == "http-digest") {
    record_no_sessions(sheet);
    return "pages behind Digest are not looked at";
  }
  return {};
}

asio::awaitable<Result<>> observe_web(ProbeContext& context, Door& door, sessions::FactSheet& sheet) {
  auto found = co_await credentials::detect(door);
  if (!found) {
    sheet.rest_unobserved(found.error().what);
    co_return found.error();
  }
  const auto why = obstacle(*found, sheet);
  const auto login = credentials::web_login_of(door, *found);
  if (!why.empty() || !login) {
    if (!why.empty()) {
      sheet.rest_unobserved(why);
    }
    co_return Result<>{};
  }
  WhyNone none;
  auto accounts = co_await find_accounts(context, door, *found->dialect, none);
  if (!accounts) {
    sheet.rest_unobserved(accounts.error().what);
    co_return accounts.error();
  }
  if (accounts->empty()) {
    Result<std::string> doubt{std::string{}};
    if (none.tried) {
      doubt = co_await doubt_of_scripts(door, *login, none.by_script);
    }
    sheet.rest_unobserved(none.why + (doubt ? *doubt : std::string{}));
    co_return doubt || !sessions::ends_probe(doubt.error().kind) ? Result<>{} : Result<>{doubt.error()};
  }
  Visit visit{
      context, {door, *login}, sheet, credentials::web_interface_for(context.dut, door.endpoint), means_of(context)};
  visit.accounts = std::move(*accounts);
  auto ended = co_await look(visit);
  sheet.rest_unobserved(ended ? "it was not looked at" : ended.error().what);
  co_return ended;
}

class WebSessionProbe final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    if (!context.endpoint || context.endpoint->transport != Transport::tcp) {
      Error wrong{ErrorKind::bad_input, "probe web_session needs a TCP endpoint such as tcp/80", {}};
      sheet.rest_unobserved(wrong.what);
      co_return wrong;
    }
    Transcript transcript{"web sessions on " + context.endpoint->text(), 1024 * 1024};
    for (const auto& account : context.dut.accounts) {
      if (!account.secret.empty()) {
        context.record.conceal(account.secret);
        transcript.conceal(account.secret);
      }
    }
    Door door{context.network,   context.record,
              transcript,        context.target.address,
              *context.endpoint, sessions::timers_for(context.network),
              &context.dut};
    auto ended = co_await observe_web(context, door, sheet);
    const auto digest = context.record.artifact("web sessions", "text/plain; charset=utf-8", transcript.text());
    sheet.evidence_for_values("web.", digest);
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<WebSessionProbe>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "web_session",
    .summary =
        "Logs in to a web interface with the accounts of the DUT file and looks at sessions and who sees which page.",
    .version = 2,
    .intrusiveness = Intrusiveness::intrusive,
    .exclusive = Exclusive::login,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{300'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::web_session
