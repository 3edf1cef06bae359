#include "probes/web_session/crawl.hpp"

#include <algorithm>
#include <deque>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"
#include "probes/wire/web_script.hpp"

namespace assay::probes::web_session {

namespace {

constexpr std::size_t kMostLinks = 128;  // of one page
constexpr std::size_t kMostForms = 16;
constexpr std::size_t kMostScripts = 16;  // of one page
constexpr std::size_t kMostCalls = 64;    // paths that one script or description names
constexpr std::size_t kMostPaths = 1024;  // remembered
constexpr std::size_t kLongestPath = 512;
constexpr std::size_t kMostBytes = std::size_t{4} << 20U;

constexpr std::string_view kRisky[] = {
    "logout", "logoff",   "log-out", "log_out",  "log out", "signout", "sign-out", "sign out", "abmelden", "reset",
    "reboot", "restart",  "delete",  "remove",   "erase",   "clear",   "format",   "factory",  "default",  "upgrade",
    "update", "shutdown", "power",   "halt",     "disable", "enable",  "restore",  "apply",    "save",     "start",
    "stop",   "action=",  "cmd=",    "command=", "set=",    "do=",     "toggle",   "switch",   "unpair",   "loeschen"};
constexpr std::string_view kStatic[] = {".css",  ".js",    ".png", ".jpg",  ".jpeg", ".gif", ".ico", ".svg",
                                        ".woff", ".woff2", ".ttf", ".webp", ".map",  ".mp4", ".mp3"};

bool is_static(const std::string& path) {
  const auto plain = wire::lower(std::string_view{path}.substr(0, path.find('?')));
  return std::any_of(std::begin(kStatic), std::end(kStatic), [&](auto end) { return plain.ends_with(end); });
}

/// A walk over the pages of one user.
struct Walk {
  Visit& visit;
  WebUser& user;
  Crawled out{};
  std::deque<std::string> queue{};
  std::set<std::string> scripts{};  // that were read

  bool is_new(const std::string& path) const {
    const bool room = out.led_to.size() + out.named.size() < kMostPaths && path.size() <= kLongestPath;
    return room && !out.led_to.contains(path) && !out.named.contains(path);
  }
};

/// The path of this endpoint that a text on a page leads to; empty: none.
std::string path_here(const Walk& walk, std::string_view target, const std::string& page) {
  const auto& house = walk.visit.house;
  const auto place = wire::http_location(target, page);
  const bool here = place && wire::leads_to(*place, house.door.address, house.door.endpoint.port, house.login.tls);
  return here ? place->path.substr(0, place->path.find('#')) : std::string{};
}

/// Paths of this endpoint that a page leads to.
void take_links(Walk& walk, const Page& page) {
  for (const auto& link : wire::html_links(page.response.body, kMostLinks)) {
    auto path = path_here(walk, link.target, page.place);
    if (path.empty() || path.size() > kLongestPath || is_static(path)) {
      continue;
    }
    if (is_risky(link, path)) {
      walk.out.left_out.insert(path);
      continue;
    }
    const bool fresh = walk.is_new(path);
    if (walk.out.led_to.size() < kMostPaths) {
      walk.out.led_to.insert(path);
    }
    if (fresh) {
      walk.queue.push_back(std::move(path));
    }
  }
}

/// Calls that a script or a description names. Nobody is led there by them, so they say nothing of who may come.
void take_named(Walk& walk, const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    if (is_static(path)) {
      continue;
    }
    if (is_risky({}, path)) {
      walk.out.left_out.insert(path);
    } else if (walk.is_new(path)) {
      walk.out.named.insert(path);
      walk.queue.push_back(path);
    }
  }
}

asio::awaitable<Result<>> take_scripts(Walk& walk, const Page& page) {
  take_named(walk, wire::described_paths(page.response.body, kMostCalls));
  for (const auto& script : wire::html_scripts(page.response.body, kMostScripts)) {
    if (script.source.empty()) {
      take_named(walk, wire::script_paths(script.text, kMostCalls));
      continue;
    }
    auto path = path_here(walk, script.source, page.place);
    if (path.empty() || walk.scripts.size() >= kMostScripts || !walk.scripts.insert(path).second) {
      continue;
    }
    auto text = co_await walk.user.look(std::move(path));
    if (!text && sessions::ends_probe(text.error().kind)) {
      co_return text.error();
    }
    if (text) {
      walk.out.bytes += text->response.body.size();
      take_named(walk, wire::script_paths(text->response.body, kMostCalls));
    }
  }
  co_return Result<>{};
}

}  // namespace

bool is_risky(const wire::WebLink& link, const std::string& path) {
  return std::any_of(std::begin(kRisky), std::end(kRisky), [&](auto word) {
    return wire::contains_ignoring_case(path, word) || wire::contains_ignoring_case(link.text, word);
  });
}

Kind kind_of(const Page& page) {
  boost::system::error_code failed;
  const auto body = json::parse(page.response.body, failed);
  if (!failed && (body.is_object() || body.is_array())) {
    return Kind::data;
  }
  for (const auto& form : wire::html_forms(page.response.body, kMostForms)) {
    if (form.method == "post") {
      return Kind::form;
    }
  }
  return Kind::text;
}

asio::awaitable<Result<Crawled>> crawl(Visit& visit, WebUser& user, std::vector<std::string> from, milliseconds until) {
  Walk walk{visit, user};
  auto& out = walk.out;
  for (auto& path : from) {
    if (out.led_to.insert(path).second) {
      walk.queue.push_back(std::move(path));
    }
  }
  std::int64_t asked = 0;
  while (!walk.queue.empty()) {
    if (asked >= visit.means.pages || out.bytes >= kMostBytes || visit.context.network.elapsed() >= until) {
      out.whole = false;
      break;
    }
    const auto path = walk.queue.front();
    walk.queue.pop_front();
    ++asked;
    auto page = co_await user.look(path);
    if (!page && sessions::ends_probe(page.error().kind)) {
      co_return page.error();
    }
    if (!page) {
      out.whole = false;
      continue;
    }
    out.bytes += page->response.body.size();
    const bool shown = page->response.status == 200 && !wire::find_login_form(page->response.body);
    take_links(walk, *page);
    auto named = co_await take_scripts(walk, *page);
    if (!named) {
      co_return named.error();
    }
    if (shown) {
      const auto kind = kind_of(*page);
      out.pages.emplace(path, Found{std::move(*page), kind});
    }
  }
  co_return std::move(out);
}

}  // namespace assay::probes::web_session
