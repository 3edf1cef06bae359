#include <algorithm>

#include "probes/web_session/crawl.hpp"
#include "probes/wire/bytes.hpp"

/// Every page that is seen after the login is asked for again: by a visitor, and by an account of another role.
namespace assay::probes::web_session {

namespace {

constexpr std::size_t kMostNamed = 32;
/// Where descriptions of an API usually are.
constexpr std::string_view kDescriptions[] = {"/openapi.json", "/swagger.json", "/api/openapi.json"};

/// What one account sees.
struct View {
  const Known* known = nullptr;
  Crawled seen;
};

struct Round {
  Visit& visit;
  milliseconds until{0};
  Crawled visitor{};
  std::vector<View> views{};
  std::set<std::string> open{};  // told already
  json::array open_pages{};
  json::array crossed{};
  std::string nowhere{};  // a path that nobody made
  std::string shell{};    // what a visitor gets there; empty: a refusal
  std::int64_t asked = 0;
  std::int64_t unclear = 0;
  json::array unclear_at{};
};

bool is_declared(const Visit& visit, const std::string& path) {
  return visit.recipe != nullptr && std::any_of(visit.recipe->pages.begin(), visit.recipe->pages.end(),
                                                [&](const auto& page) { return page.path == path; });
}

/// The DUT file lets that role see the page; nothing: it says nothing of it.
std::optional<bool> is_allowed(const Visit& visit, const std::string& path, const std::string& role) {
  if (visit.recipe != nullptr) {
    for (const auto& page : visit.recipe->pages) {
      if (page.path == path && !page.roles.empty()) {
        return std::find(page.roles.begin(), page.roles.end(), role) != page.roles.end();
      }
    }
  }
  return std::nullopt;
}

std::vector<std::string> declared_pages(const Visit& visit, const std::string* role) {
  std::vector<std::string> out;
  if (visit.recipe != nullptr) {
    for (const auto& page : visit.recipe->pages) {
      const bool may = role == nullptr || is_allowed(visit, page.path, *role).value_or(true);
      if (may) {
        out.push_back(page.path);
      }
    }
  }
  return out;
}

json::object told(const std::string& path, const Found& found) {
  return {{"path", wire::printable(path, 256)}, {"kind", enum_name(found.kind)}};
}

void count_unclear(Round& round, const std::string& path) {
  ++round.unclear;
  if (round.unclear_at.size() < kMostNamed) {
    round.unclear_at.emplace_back(wire::printable(path, 256));
  }
}

/// A text without the path that was asked for, which errors like to repeat.
std::string apart_from(std::string_view text, std::string_view path) {
  std::string out;
  for (auto at = text.find(path); path.size() > 1 && at != std::string_view::npos; at = text.find(path)) {
    out += text.substr(0, at);
    text.remove_prefix(at + path.size());
  }
  return out += text;
}

/// What whoever asked got of the page. The answer that any path gets tells nothing of a call.
Sight judged(const Round& round, const std::string& path, const Found& found, const Page& seen) {
  const auto sight = credentials::sight_of(round.visit.house.login, path, found.page, seen);
  const bool may_be_any = sight == Sight::unclear && found.kind == Kind::data && !round.shell.empty() &&
                          seen.response.status == 200 && !credentials::is_mere_error(found.page);
  const bool same_anywhere =
      may_be_any && apart_from(seen.response.body, path) == apart_from(round.shell, round.nowhere);
  return same_anywhere ? Sight::turned_away : sight;
}

/// An answer that is neither the page nor a refusal leaves it open who may see the page. Another text than inside is no
/// such answer: many front pages greet visitors in other words. But data in another outline may be data, and what the
/// DUT file keeps from others may only have changed since.
bool leaves_open(const Round& round, const std::string& path, const Found& found, const Page& seen) {
  const bool unread = seen.response.packed || found.page.response.packed;
  return seen.response.status >= 400 || found.kind == Kind::data || unread || is_declared(round.visit, path);
}

asio::awaitable<Result<>> ask_as_visitor(Round& round, const std::string& path, const Found& found) {
  auto& visit = round.visit;
  WebUser visitor{visit.house.door, visit.house.login};
  auto seen = co_await visitor.look(path);
  if (!seen) {
    count_unclear(round, path);
    co_return sessions::ends_probe(seen.error().kind) ? Result<>{seen.error()} : Result<>{};
  }
  ++round.asked;
  const auto sight = judged(round, path, found, *seen);
  if (sight == Sight::unclear && leaves_open(round, path, found, *seen)) {
    count_unclear(round, path);
  }
  if (sight != Sight::given || round.open_pages.size() >= kMostNamed) {
    co_return Result<>{};
  }
  auto entry = told(path, found);
  entry["declared"] = is_declared(visit, path);
  entry["linked"] = round.visitor.led_to.contains(path);
  // A page application gives the same frame at every path; what it shows comes by calls, which are asked for
  // themselves.
  entry["shell"] =
      !round.shell.empty() && seen->response.body == round.shell && seen->response.body == found.page.response.body;
  round.open_pages.push_back(std::move(entry));
  round.open.insert(path);
  co_return Result<>{};
}

/// Pages of one account that links of the other do not lead to, asked for in the other's session.
asio::awaitable<Result<>> ask_as_other(Round& round, const View& owner, const View& other) {
  auto& visit = round.visit;
  auto user = co_await enter(visit, *other.known);
  if (!user) {
    co_return user.error();
  }
  if (!*user) {
    ++round.unclear;
    co_return Result<>{};
  }
  for (const auto& [path, found] : owner.seen.pages) {
    const auto allowed = is_allowed(visit, path, other.known->role);
    const bool shown_to_it = other.seen.led_to.contains(path) || other.seen.named.contains(path);
    const bool own = shown_to_it && !allowed;
    if (own || allowed.value_or(false) || round.open.contains(path) || round.visitor.led_to.contains(path)) {
      continue;
    }
    auto seen = co_await (*user)->look(path);
    if (!seen && sessions::ends_probe(seen.error().kind)) {
      co_return seen.error();
    }
    if (!seen) {
      count_unclear(round, path);
      continue;
    }
    ++round.asked;
    const auto sight = judged(round, path, found, *seen);
    if (sight == Sight::unclear && leaves_open(round, path, found, *seen)) {
      count_unclear(round, path);
    }
    if (sight == Sight::given && round.crossed.size() < kMostNamed) {
      auto entry = told(path, found);
      entry["owner"] = wire::printable(owner.known->role, 64);
      entry["role"] = wire::printable(other.known->role, 64);
      entry["declared"] = allowed.has_value();
      round.crossed.push_back(std::move(entry));
    }
  }
  co_return Result<>{};
}

/// What the accounts see, each in a session of its own.
asio::awaitable<Result<>> gather(Round& round) {
  auto& visit = round.visit;
  WebUser visitor{visit.house.door, visit.house.login};
  const std::vector<std::string> front{"/", visit.house.inside.login_path};
  auto outside = co_await crawl(visit, visitor, front, round.until);
  if (!outside) {
    co_return outside.error();
  }
  round.visitor = std::move(*outside);
  round.nowhere = "/" + sessions::random_word(12);
  auto anything = co_await visitor.look(round.nowhere);
  if (!anything && sessions::ends_probe(anything.error().kind)) {
    co_return anything.error();
  }
  if (anything && anything->response.status == 200) {
    round.shell = anything->response.body;
  }
  for (const auto& known : visit.accounts) {
    auto user = co_await enter(visit, known);
    if (!user) {
      co_return user.error();
    }
    if (!*user) {
      continue;
    }
    auto from = declared_pages(visit, &known.role);
    from.insert(from.end(), {visit.house.inside.path, "/"});
    from.insert(from.end(), std::begin(kDescriptions), std::end(kDescriptions));
    auto seen = co_await crawl(visit, **user, std::move(from), round.until);
    if (!seen) {
      co_return seen.error();
    }
    round.views.push_back({&known, std::move(*seen)});
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> ask_again(Round& round) {
  std::set<std::string> done;
  for (const auto& view : round.views) {
    for (const auto& [path, found] : view.seen.pages) {
      if (!done.insert(path).second) {
        continue;
      }
      auto asked = co_await ask_as_visitor(round, path, found);
      if (!asked) {
        co_return asked;
      }
    }
  }
  for (const auto& owner : round.views) {
    for (const auto& other : round.views) {
      if (&owner == &other) {
        continue;
      }
      auto asked = co_await ask_as_other(round, owner, other);
      if (!asked) {
        co_return asked;
      }
    }
  }
  co_return Result<>{};
}

void record(Round& round) {
  auto& visit = round.visit;
  json::object pages{{"visitor", std::ssize(round.visitor.pages)}, {"asked_again", round.asked}};
  bool whole = round.visitor.whole;
  std::size_t bytes = round.visitor.bytes;
  auto left_out = round.visitor.left_out;
  json::object roles;
  for (const auto& view : round.views) {
    roles[wire::printable(view.known->role, 64)] = std::ssize(view.seen.pages);
    whole = whole && view.seen.whole;
    bytes += view.seen.bytes;
    left_out.insert(view.seen.left_out.begin(), view.seen.left_out.end());
  }
  pages["roles"] = std::move(roles);
  pages["whole"] = whole;
  pages["left_out"] = std::ssize(left_out);
  pages["unclear"] = round.unclear;
  pages["unclear_at"] = std::move(round.unclear_at);
  visit.sheet.fact("web.pages", pages);
  pages["bytes"] = static_cast<std::int64_t>(bytes);
  visit.context.record.coverage("pages", std::move(pages));
  const bool stored = [&] {
    const auto* control = visit.house.shown.response.header("Cache-Control");
    return control == nullptr || !wire::contains_ignoring_case(*control, "no-store");
  }();
  visit.sheet.fact("web.stored", stored);
  if (round.views.empty()) {
    visit.sheet.unobserved("web.open", "no account was let in for it");
    visit.sheet.unobserved("web.crossed", "no account was let in for it");
    return;
  }
  visit.sheet.fact("web.open", std::move(round.open_pages));
  if (round.views.size() < 2) {
    visit.sheet.unobserved("web.crossed", "the DUT file has no second account, of another role, that gets in here");
  } else {
    visit.sheet.fact("web.crossed", std::move(round.crossed));
  }
}

}  // namespace

asio::awaitable<Result<>> look_at_pages(Visit& visit) {
  Round round{visit};
  round.until = visit.context.network.elapsed() + std::chrono::seconds{visit.means.crawl};
  auto gathered = co_await gather(round);
  if (gathered) {
    gathered = co_await ask_again(round);
  }
  if (!gathered) {
    visit.sheet.unobserved("web.pages", gathered.error().what);
    visit.sheet.unobserved("web.stored", gathered.error().what);
    visit.sheet.unobserved("web.crossed", gathered.error().what);
    co_return leave_open(visit, "web.open", gathered.error());
  }
  record(round);
  co_return Result<>{};
}

}  // namespace assay::probes::web_session
