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
constexpr std::size_t kMostScripts = 16;  // of one page, and of one user in files of their own
constexpr std::size_t kMostCalls = 64;    // paths that one script or description names
constexpr std::size_t kMostPaths = 1024;  // remembered
constexpr std::size_t kLongestPath = 512;
constexpr std::size_t kMostBytes = std::size_t{4} << 20U;

/// Of calls, anywhere in the path.
constexpr std::string_view kRiskyInCalls[] = {"unlock", "flash", "install", "wps", "pair", "setup"};
/// Of calls, a word of the path: "/api/lamp/on", "/goform/setWifi", "/door-open".
constexpr std::string_view kVerbs[] = {"add",    "change", "close", "connect",  "create", "disconnect", "edit", "exec",
                                       "exit",   "insert", "join",  "kick",     "leave",  "lock",       "move", "off",
                                       "on",     "open",   "post",  "put",      "quit",   "rename",     "run",  "send",
                                       "submit", "test",   "turn",  "trigger",  "upload", "write",      "do",   "set",
                                       "import", "revoke", "grant", "register", "block",  "activate",   "kill", "wipe"};
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
  milliseconds until;
  std::deque<std::string> queue{};
  std::set<std::string> scripts{};  // that were asked for
  std::int64_t asked = 0;

  /// One more may be asked for.
  bool has_room() const {
    return asked < visit.means.pages && out.bytes < kMostBytes && visit.context.network.elapsed() < until;
  }

  /// The path is asked for once, in its turn. One beyond the bounds is dropped, and the walk is not whole.
  void take(std::set<std::string>& into, const std::string& path) {
    const bool known = out.led_to.contains(path) || out.named.contains(path);
    const bool room = out.led_to.size() + out.named.size() < kMostPaths && path.size() <= kLongestPath;
    if (!room && !into.contains(path)) {
      out.whole = false;
      return;
    }
    into.insert(path);
    if (!known) {
      queue.push_back(path);
    }
  }

  /// Of a list that was asked for with one more than is wanted.
  void bound(std::size_t size, std::size_t most) { out.whole = out.whole && size <= most; }

  void count(const wire::HttpResponse& response) {
    out.bytes += response.body.size();
    out.whole = out.whole && !response.body_cut && !response.packed && response.complete;
  }
};

/// The path of this endpoint that a text on a page leads to; empty: none.
std::string path_here(const Walk& walk, std::string_view target, const std::string& page) {
  const auto& house = walk.visit.house;
  const auto place = wire::http_location(target, page);
  const bool here = place && wire::leads_to(*place, house.door.address, house.door.endpoint.port, house.login.tls);
  return here ? place->path.substr(0, place->path.find('#')) : std::string{};
}

/// The link that changes the setting of the DUT file, or one like it: `value` is to stay.
bool changes_setting(const Visit& visit, const std::string& path) {
  return visit.recipe != nullptr && visit.recipe->setting &&
         credentials::may_be_made_by(visit.recipe->setting->change, path);
}

/// Paths of this endpoint that a page leads to.
void take_links(Walk& walk, const Page& page) {
  const auto links = wire::html_links(page.response.body, kMostLinks + 1);
  walk.bound(links.size(), kMostLinks);
  for (const auto& link : links) {
    const auto path = path_here(walk, link.target, page.place);
    if (path.empty() || is_static(path)) {
      continue;
    }
    if (wire::may_act(link, path) || changes_setting(walk.visit, path)) {
      walk.out.left_out.insert(path);
    } else {
      walk.take(walk.out.led_to, path);
    }
  }
}

/// Calls that a script or a description names. Nobody is led there by them, so they say nothing of who may come.
void take_named(Walk& walk, const std::vector<std::string>& paths) {
  walk.bound(paths.size(), kMostCalls);
  for (const auto& path : paths) {
    if (is_static(path) || walk.out.led_to.contains(path)) {
      continue;
    }
    if (is_risky_call(path)) {
      walk.out.left_out.insert(path);
    } else {
      walk.take(walk.out.named, path);
    }
  }
}

asio::awaitable<Result<>> read_script(Walk& walk, std::string path) {
  if (walk.scripts.contains(path)) {
    co_return Result<>{};
  }
  if (walk.scripts.size() >= kMostScripts || !walk.has_room()) {
    walk.out.whole = false;
    co_return Result<>{};
  }
  walk.scripts.insert(path);
  ++walk.asked;
  auto text = co_await walk.user.look(std::move(path));
  if (!text && sessions::ends_probe(text.error().kind)) {
    co_return text.error();
  }
  if (!text || text->response.status >= 500) {
    walk.out.whole = false;
    co_return Result<>{};
  }
  walk.count(text->response);
  take_named(walk, wire::script_paths(text->response.body, kMostCalls + 1));
  co_return Result<>{};
}

asio::awaitable<Result<>> take_scripts(Walk& walk, const Page& page) {
  take_named(walk, wire::described_paths(page.response.body, kMostCalls + 1));
  const auto scripts = wire::html_scripts(page.response.body, kMostScripts + 1);
  walk.bound(scripts.size(), kMostScripts);
  for (const auto& script : scripts) {
    if (script.source.empty()) {
      take_named(walk, wire::script_paths(script.text, kMostCalls + 1));
      continue;
    }
    auto path = path_here(walk, script.source, page.place);
    if (path.empty()) {
      continue;
    }
    auto read = co_await read_script(walk, std::move(path));
    if (!read) {
      co_return read;
    }
  }
  co_return Result<>{};
}

/// Words of a path in lower case: parts, and the parts of names such as setWifi.
std::vector<std::string> words_of_path(const std::string& path) {
  std::vector<std::string> out(1);
  bool was_small = false;
  for (const char c : path) {
    const bool capital = c >= 'A' && c <= 'Z';
    const bool small = c >= 'a' && c <= 'z';
    if ((!capital && !small) || (capital && was_small)) {
      out.emplace_back();
    }
    if (capital || small) {
      out.back() += static_cast<char>(c | 0x20);
    }
    was_small = small;
  }
  return out;
}

bool is_verb(const std::string& word) {
  // "setwifi", but not "settings" nor "sets".
  const bool sets = word.starts_with("set") && word.size() > 4 && !word.starts_with("setting");
  return sets || std::find(std::begin(kVerbs), std::end(kVerbs), word) != std::end(kVerbs);
}

}  // namespace

bool is_risky_call(const std::string& path) {
  const auto words = words_of_path(path);
  return path.find('?') != std::string::npos || wire::may_act({}, path) ||
         std::any_of(std::begin(kRiskyInCalls), std::end(kRiskyInCalls),
                     [&](auto word) { return wire::contains_ignoring_case(path, word); }) ||
         std::any_of(words.begin(), words.end(), is_verb);
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
  Walk walk{visit, user, {}, until};
  auto& out = walk.out;
  for (auto& path : from) {
    if (out.led_to.insert(path).second) {
      walk.queue.push_back(std::move(path));
    }
  }
  while (!walk.queue.empty()) {
    if (!walk.has_room()) {
      out.whole = false;
      break;
    }
    const auto path = walk.queue.front();
    walk.queue.pop_front();
    ++walk.asked;
    auto page = co_await user.look(path);
    if (!page && sessions::ends_probe(page.error().kind)) {
      co_return page.error();
    }
    if (!page) {
      out.whole = false;
      continue;
    }
    walk.count(page->response);
    const bool shown = page->response.status == 200 && !user.is_asked_by(page->response);
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
