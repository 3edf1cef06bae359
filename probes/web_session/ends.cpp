#include <algorithm>
#include <array>

#include "probes/web_session/visit.hpp"
#include "probes/wire/bytes.hpp"

/// How sessions end: by logging out, and by themselves.
namespace assay::probes::web_session {

namespace {

constexpr std::size_t kMostLinksOut = 128;
constexpr std::size_t kMostFormsOut = 16;

bool says_log_out(std::string_view text) {
  for (const std::string_view word : {"logout", "log-out", "log_out", "log out", "logoff", "log off", "signout",
                                      "sign-out", "sign_out", "sign out", "abmelden"}) {
    if (wire::contains_ignoring_case(text, word)) {
      return true;
    }
  }
  return false;
}

struct WayOut {
  std::string words;  // empty: none was found
  credentials::WebRequest request;
};

/// The link or the form of a page that ends the session, by its words.
WayOut way_out_of(const Visit& visit, const Page& page) {
  const auto here = [&](const std::string& target) {
    const auto place = wire::http_location(target.empty() ? page.place : target, page.place);
    const bool ours = place && wire::leads_to(*place, visit.house.door.address, visit.house.door.endpoint.port,
                                              visit.house.login.tls);
    return ours ? place->path : std::string{};
  };
  WayOut out;
  for (const auto& link : wire::html_links(page.response.body, kMostLinksOut)) {
    const auto path = here(link.target);
    if (!path.empty() && (says_log_out(link.target) || says_log_out(link.text))) {
      out.words = "the link " + wire::printable(path, 128);
      out.request.path = path;
      out.request.referer = page.place;
      return out;
    }
  }
  for (const auto& form : wire::html_forms(page.response.body, kMostFormsOut)) {
    const auto path = here(form.action);
    if (!path.empty() && form.passwords == 0 && (says_log_out(form.action) || says_log_out(form.text))) {
      out.words = "the form that goes to " + wire::printable(path, 128);
      out.request.method = form.method == "post" ? "POST" : "GET";
      out.request.path = path;
      out.request.referer = page.place;
      out.request.content_type = "application/x-www-form-urlencoded";
      for (const auto& [name, value] : form.fields) {
        out.request.body += (out.request.body.empty() ? "" : "&") + credentials::form_encoded(name) + "=" +
                            credentials::form_encoded(value);
      }
      return out;
    }
  }
  return out;
}

asio::awaitable<Result<WayOut>> find_way_out(Visit& visit, WebUser& user, const Page& landing) {
  if (visit.recipe != nullptr && visit.recipe->log_out) {
    const credentials::Filling nothing;
    auto prepared =
        co_await credentials::prepare(visit.house.door, visit.house.login, user, *visit.recipe->log_out, nothing);
    if (!prepared) {
      co_return prepared.error();
    }
    WayOut out;
    out.words = "the request of the DUT file";
    out.request = std::move(prepared->request);
    co_return out;
  }
  auto out = way_out_of(visit, landing);
  if (out.words.empty()) {
    auto page = co_await user.look(visit.house.inside.path);
    if (!page) {
      co_return page.error();
    }
    out = way_out_of(visit, *page);
  }
  co_return out;
}

json::value in_words(Sight seen) {
  return seen == Sight::unclear ? json::value(nullptr) : json::value(seen == Sight::turned_away);
}

}  // namespace

asio::awaitable<Result<>> look_at_logout(Visit& visit) {
  const auto& known = visit.accounts.front();
  WebUser user{visit.house.door, visit.house.login};
  auto landing = co_await user.log_in(known.username, known.password);
  if (!landing) {
    co_return leave_open(visit, "web.logout", landing.error());
  }
  auto open = co_await sight(visit, user);
  if (!open) {
    co_return leave_open(visit, "web.logout", open.error());
  }
  if (*open != Sight::given) {
    visit.sheet.unobserved("web.logout", "the account was not let in any more");
    co_return Result<>{};
  }
  auto way = co_await find_way_out(visit, user, *landing);
  if (!way) {
    co_return leave_open(visit, "web.logout", way.error());
  }
  if (way->words.empty()) {
    visit.sheet.unobserved("web.logout", "no link or form that ends the session was found (web: log_out names one)");
    co_return Result<>{};
  }
  WebUser thief{user};
  auto answer = co_await user.fetch(way->request);
  if (!answer) {
    co_return leave_open(visit, "web.logout", answer.error());
  }
  if (!credentials::is_taken(answer->status)) {
    visit.sheet.unobserved("web.logout",
                           way->words + " was answered with status " + std::to_string(answer->status) +
                               (answer->status == 403 ? ", a refusal: a header or token of the page's script "
                                                        "may be missing (web: headers, token)"
                                                      : ""));
    co_return Result<>{};
  }
  auto browser = co_await sight(visit, user);
  auto kept = co_await sight(visit, thief);
  if (!browser || !kept) {
    co_return leave_open(visit, "web.logout", browser ? kept.error() : browser.error());
  }
  if (*kept == Sight::unclear) {
    visit.sheet.unobserved("web.logout", "the old session got an answer that means neither");
    co_return Result<>{};
  }
  json::object out{{"way", way->words}, {"status", answer->status}, {"ended", *kept == Sight::turned_away}};
  out["declared"] = visit.recipe != nullptr && visit.recipe->log_out.has_value();
  out["browser_out"] = in_words(*browser);
  visit.sheet.fact("web.logout", std::move(out));
  co_return Result<>{};
}

/// Several sessions, each asked once, so that asking does not keep them alive.
asio::awaitable<Result<>> look_at_idle(Visit& visit) {
  const auto longest = visit.means.idle;
  if (longest <= 0) {
    visit.sheet.unobserved("web.idle", "it was not waited for (parameter idle)");
    co_return Result<>{};
  }
  const std::vector<std::int64_t> alone{longest};
  const std::vector<std::int64_t> steps{std::max<std::int64_t>(1, longest / 4), std::max<std::int64_t>(1, longest / 2),
                                        longest};
  const auto& asked = visit.concurrent ? steps : alone;
  std::vector<WebUser> users;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto user = co_await enter(visit, visit.accounts.front());
    if (!user) {
      co_return leave_open(visit, "web.idle", user.error());
    }
    if (!*user) {
      visit.sheet.unobserved("web.idle", "the account was not let in any more");
      co_return Result<>{};
    }
    users.push_back(std::move(**user));
  }
  std::optional<std::int64_t> alive;
  std::optional<std::int64_t> dead;
  std::int64_t passed = 0;
  for (std::size_t i = 0; i < asked.size() && !dead; ++i) {
    const milliseconds time{1000 * (asked[i] - passed)};
    auto waited = co_await visit.context.network.wait(time);
    if (!waited) {
      co_return leave_open(visit, "web.idle", waited.error());
    }
    passed = asked[i];
    auto seen = co_await sight(visit, users[i]);
    if (!seen) {
      co_return leave_open(visit, "web.idle", seen.error());
    }
    alive = *seen == Sight::given ? std::optional{passed} : alive;
    dead = *seen == Sight::turned_away ? std::optional{passed} : dead;
  }
  auto control = co_await enter(visit, visit.accounts.front());
  const bool page_is_there = control && control->has_value();
  if (!page_is_there || (!alive && !dead)) {
    visit.sheet.unobserved("web.idle", "after the wait the page was not given to a new session either");
    co_return control || !sessions::ends_probe(control.error().kind) ? Result<>{} : Result<>{control.error()};
  }
  json::object out{{"waited", passed}, {"ended", dead.has_value()}};
  out["alive_after"] = alive ? json::value(*alive) : json::value(nullptr);
  out["ended_by"] = dead ? json::value(*dead) : json::value(nullptr);
  visit.sheet.fact("web.idle", std::move(out));
  co_return Result<>{};
}

}  // namespace assay::probes::web_session
