#include "probes/web_session/crawl.hpp"

#include <algorithm>
#include <deque>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"

namespace assay::probes::web_session {

namespace {

constexpr std::size_t kMostLinks = 128;  // of one page
constexpr std::size_t kMostForms = 16;
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

/// Paths of this endpoint that a page leads to.
void take_links(const Visit& visit, const Page& page, Crawled& out, std::deque<std::string>& queue) {
  for (const auto& link : wire::html_links(page.response.body, kMostLinks)) {
    const auto place = wire::http_location(link.target, page.place);
    if (!place ||
        !wire::leads_to(*place, visit.house.door.address, visit.house.door.endpoint.port, visit.house.login.tls)) {
      continue;
    }
    auto path = place->path.substr(0, place->path.find('#'));
    if (path.size() > kLongestPath || is_static(path) || out.led_to.size() >= kMostPaths) {
      continue;
    }
    if (is_risky(link, path)) {
      out.left_out.insert(path);
    } else if (out.led_to.insert(path).second) {
      queue.push_back(std::move(path));
    }
  }
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
  Crawled out;
  std::deque<std::string> queue;
  for (auto& path : from) {
    if (out.led_to.insert(path).second) {
      queue.push_back(std::move(path));
    }
  }
  std::int64_t asked = 0;
  while (!queue.empty()) {
    if (asked >= visit.means.pages || out.bytes >= kMostBytes || visit.context.network.elapsed() >= until) {
      out.whole = false;
      break;
    }
    const auto path = queue.front();
    queue.pop_front();
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
    take_links(visit, *page, out, queue);
    if (shown) {
      const auto kind = kind_of(*page);
      out.pages.emplace(path, Found{std::move(*page), kind});
    }
  }
  co_return out;
}

}  // namespace assay::probes::web_session
