#include <algorithm>

#include "probes/web_session/visit.hpp"
#include "probes/wire/bytes.hpp"

/// Whether a setting is changed by requests that the user did not mean. What counts is the value that is shown
/// afterwards, never the answer to the request.
namespace assay::probes::web_session {

namespace {

using credentials::Filling;
using credentials::Prepared;
using credentials::WebField;

constexpr std::size_t kWord = 10;
constexpr std::string_view kForeign = "https://assay.invalid";

/// Cookies that are kept back: none.
const std::vector<std::string> kAll;

/// Names of hidden fields whose values differ between two sessions: nobody but a page of the session knows them. So it
/// is with an address that differs.
std::vector<std::string> tokens_of(const Prepared& own, const Prepared& other) {
  std::vector<std::string> out;
  if (own.action != other.action) {
    out.emplace_back("(address)");
  }
  for (const auto& name : own.hidden) {
    const auto value = [&](const Prepared& one) {
      const auto found =
          std::find_if(one.fields.begin(), one.fields.end(), [&](const WebField& field) { return field.name == name; });
      return found == one.fields.end() ? std::string{} : found->value;
    };
    if (value(own) != value(other)) {
      out.push_back(name);
    }
  }
  for (const auto& header : own.headers) {
    const bool same = std::any_of(other.headers.begin(), other.headers.end(), [&](const auto& one) {
      return one.name == header.name && one.value == header.value;
    });
    if (!same) {
      out.push_back(header.name);
    }
  }
  return out;
}

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<WebField> without(const std::vector<WebField>& fields, const std::vector<std::string>& names) {
  std::vector<WebField> out;
  std::copy_if(fields.begin(), fields.end(), std::back_inserter(out),
               [&](const WebField& field) { return !is_one_of(names, field.name); });
  return out;
}

/// The user's own fields, with the other session's values in those.
std::vector<WebField> mixed(std::vector<WebField> own, const Prepared& other, const std::vector<std::string>& names) {
  for (auto& field : own) {
    for (const auto& theirs : other.fields) {
      if (theirs.name == field.name && is_one_of(names, field.name)) {
        field = theirs;
      }
    }
  }
  return own;
}

/// The request with other values of the headers that a script of the page sends; none of them where `with` is empty.
void swap_headers(credentials::WebRequest& request, const std::vector<wire::HttpHeader>& own,
                  const std::vector<wire::HttpHeader>& with) {
  std::erase_if(request.headers, [&](const auto& header) {
    return std::any_of(own.begin(), own.end(), [&](const auto& one) { return one.name == header.name; });
  });
  request.headers.insert(request.headers.end(), with.begin(), with.end());
}

Filling new_value() {
  Filling filling;
  filling.value = sessions::random_word(kWord);
  return filling;
}

/// The value is shown to one who is logged in. A session that has ended meanwhile is opened anew.
asio::awaitable<Result<bool>> shows(Visit& visit, WebUser& user, std::string value) {
  auto page = co_await user.look(visit.recipe->setting->read);
  if (!page) {
    co_return page.error();
  }
  auto alive = co_await sight(visit, user);
  if (!alive) {
    co_return alive.error();
  }
  if (*alive == Sight::given) {
    co_return page->response.body.find(value) != std::string::npos;
  }
  auto fresh = co_await enter(visit, visit.accounts.front());
  if (!fresh) {
    co_return fresh.error();
  }
  if (!*fresh) {
    co_return Error{ErrorKind::protocol, "the account was not let in any more", {}};
  }
  user = std::move(**fresh);
  page = co_await user.look(visit.recipe->setting->read);
  if (!page) {
    co_return page.error();
  }
  co_return page->response.body.find(value) != std::string::npos;
}

/// How a request differs from the one that the page itself would send.
enum class Ride : std::uint8_t {
  own,       // as it should be: the control
  missing,   // without the token
  other,     // with the token of another session
  foreign,   // as a page of another site can send it: the cookies go along, the token does not
  hidden,    // the same by one that hides where it is: no Referer, and Origin is null
  link,      // as a link of another site sends it: by GET, whatever the page itself does
  bare,      // the same without Referer
  stranger,  // by somebody without a session
};

struct Riders {
  WebUser& user;
  Prepared theirs;  // the same request from a session before, which may have ended
  std::vector<std::string> tokens;
  int status = 0;  // of the answer to the page's own request
};

/// Cookies that a browser keeps to itself where another site makes it send a request (SameSite; RFC 6265bis, 5.7.3):
/// all that are Strict, and those that are Lax unless a link leads there. What says nothing of it is no protection: a
/// browser then does as it likes, and many send it along by POST in its first minutes.
std::vector<std::string> withheld(WebUser& user, const std::string& method) {
  std::vector<std::string> out;
  for (const auto& [name, mark] : user.jar().marks()) {
    if (mark.same_site == "strict" || (mark.same_site == "lax" && method != "GET")) {
      out.push_back(name);
    }
  }
  return out;
}

bool is_abroad(Ride way) {
  return way != Ride::own && way != Ride::missing && way != Ride::other && way != Ride::stranger;
}

/// The request as the way wants it.
void turn_into(Prepared& prepared, const Riders& riders, Ride way) {
  auto& request = prepared.request;
  if (way == Ride::link || way == Ride::bare) {
    request.method = "GET";
  }
  // Whoever is no page of this session knows an address of another one at most.
  if (way != Ride::own && way != Ride::stranger) {
    prepared.action = riders.theirs.action;
  }
  // What is no form has no field that could be left out.
  if ((way == Ride::missing || is_abroad(way)) && !prepared.fields.empty()) {
    refill(prepared, without(prepared.fields, riders.tokens));
  }
  if (way == Ride::other) {
    refill(prepared, mixed(prepared.fields, riders.theirs, riders.tokens));
    swap_headers(request, prepared.headers, riders.theirs.headers);
  } else if (way == Ride::missing || is_abroad(way)) {
    // A page of another site has to ask the device before it may send a header of its own choice.
    swap_headers(request, prepared.headers, {});
  }
  if (way == Ride::foreign || way == Ride::link) {
    request.origin = kForeign;
  } else if (way == Ride::hidden || way == Ride::bare) {
    request.referer.clear();
    if (request.method != "GET") {
      request.headers.push_back({"Origin", "null"});
    }
  }
  if (is_abroad(way) && request.content_type == "application/json") {
    // A page of another site sends forms and plain text without asking the device first.
    request.content_type = "text/plain";
  }
}

/// Sends the request in one way; says whether the value is shown then. `kept_back`: cookies that do not go along.
asio::awaitable<Result<bool>> ride(Visit& visit, Riders& riders, Ride way, std::vector<std::string> kept_back) {
  const auto& recipe = visit.recipe->setting->change;
  const auto filling = new_value();
  auto prepared = co_await credentials::prepare(visit.house.door, visit.house.login, riders.user, recipe, filling);
  if (!prepared) {
    co_return prepared.error();
  }
  turn_into(*prepared, riders, way);
  WebUser stranger{visit.house.door, visit.house.login};
  WebUser sparing{riders.user};
  for (const auto& name : kept_back) {
    sparing.jar().drop(name);
  }
  auto& with_session = kept_back.empty() ? riders.user : sparing;
  auto& sender = way == Ride::stranger ? stranger : with_session;
  auto answer = co_await sender.fetch(std::move(prepared->request));
  if (!answer && sessions::ends_probe(answer.error().kind)) {
    co_return answer.error();
  }
  if (way == Ride::own) {
    riders.status = answer ? answer->status : 0;
  }
  auto shown = co_await shows(visit, riders.user, filling.value);
  co_return shown;
}

/// A browser asks the device before it sends any other method for a page of another site (Fetch, CORS preflight).
bool foreign_pages_send(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "POST";
}

/// Puts the value of the DUT file back.
asio::awaitable<Result<bool>> restore(Visit& visit) {
  auto user = co_await enter(visit, visit.accounts.front());
  if (!user) {
    co_return user.error();
  }
  if (!*user) {
    co_return false;
  }
  Filling filling;
  filling.value = visit.recipe->setting->value;
  auto prepared = co_await credentials::prepare(visit.house.door, visit.house.login, **user,
                                                visit.recipe->setting->change, filling);
  if (!prepared) {
    co_return prepared.error();
  }
  auto answer = co_await (*user)->fetch(prepared->request);
  if (!answer) {
    co_return answer.error();
  }
  auto shown = co_await shows(visit, **user, filling.value);
  co_return shown;
}

/// The request as a session of the account finds it.
asio::awaitable<Result<Prepared>> find_request(Visit& visit, WebUser& user) {
  const auto filling = new_value();
  auto found =
      co_await credentials::prepare(visit.house.door, visit.house.login, user, visit.recipe->setting->change, filling);
  co_return found;
}

/// What another site gets done: with all cookies, and with those alone that a browser sends along.
asio::awaitable<Result<>> ride_abroad(Visit& visit, Riders& riders, json::object& out) {
  bool obeyed = false;
  const auto& method = riders.theirs.request.method;
  constexpr std::pair<Ride, Ride> kWays[] = {{Ride::foreign, Ride::hidden}, {Ride::link, Ride::bare}};
  for (const auto& [named, hidden] : kWays) {
    // Many pages take by GET what their own form sends by POST, and a link carries more cookies.
    const bool by_link = named == Ride::link;
    if (by_link && (method != "POST" || riders.theirs.fields.empty())) {
      continue;
    }
    auto way = named;
    auto taken = co_await ride(visit, riders, way, kAll);
    if (taken && !*taken) {
      way = hidden;
      taken = co_await ride(visit, riders, way, kAll);
    }
    if (!taken) {
      co_return taken.error();
    }
    if (!*taken) {
      continue;
    }
    obeyed = true;
    const auto sent_by = by_link ? std::string{"GET"} : method;
    out["foreign_by"] = sent_by;
    auto kept_back = withheld(riders.user, sent_by);
    if (!kept_back.empty()) {
      taken = co_await ride(visit, riders, way, std::move(kept_back));
    }
    if (!taken) {
      co_return taken.error();
    }
    out["foreign_browser"] = *taken;
    if (*taken) {
      break;
    }
  }
  out["foreign_page"] = obeyed;
  co_return Result<>{};
}

/// The other ways, each told by its name; null: there is nothing to leave out.
asio::awaitable<Result<>> ride_at_home(Visit& visit, Riders& riders, json::object& out) {
  const std::pair<Ride, std::string_view> ways[] = {
      {Ride::missing, "missing"}, {Ride::other, "other_session"}, {Ride::stranger, "no_session"}};
  for (const auto& [way, name] : ways) {
    const bool bare = way == Ride::missing && riders.tokens.empty() && riders.theirs.headers.empty();
    if (bare || (way == Ride::other && riders.tokens.empty())) {
      out[name] = nullptr;
      continue;
    }
    auto taken = co_await ride(visit, riders, way, kAll);
    if (!taken) {
      co_return taken.error();
    }
    out[name] = *taken;
  }
  co_return Result<>{};
}

asio::awaitable<Result<json::object>> ride_all(Visit& visit, Riders& riders) {
  json::object out;
  auto control = co_await ride(visit, riders, Ride::own, kAll);
  if (!control) {
    co_return control.error();
  }
  out["control"] = *control;
  if (!*control) {
    co_return out;
  }
  for (const auto name : {"foreign_page", "foreign_browser", "foreign_by"}) {
    out[name] = nullptr;
  }
  auto seen = co_await ride_at_home(visit, riders, out);
  const bool browser_sends = (!visit.carriers.empty() || visit.house.login.way == WebWay::basic) &&
                             foreign_pages_send(riders.theirs.request.method);
  if (seen && browser_sends) {
    seen = co_await ride_abroad(visit, riders, out);
  }
  if (!seen) {
    co_return seen.error();
  }
  // Refusals prove nothing of a device that has begun to refuse everything.
  auto again = co_await ride(visit, riders, Ride::own, kAll);
  if (!again) {
    co_return again.error();
  }
  out["control"] = *again;
  co_return out;
}

}  // namespace

asio::awaitable<Result<>> look_at_forgery(Visit& visit) {
  if (visit.recipe == nullptr || !visit.recipe->setting) {
    visit.sheet.unobserved("web.forgery", "the DUT file names no setting that may be changed (web: setting)");
    co_return Result<>{};
  }
  // Which hidden fields are tokens is seen beside another session, which needs not live any more.
  const auto& known = visit.accounts.front();
  auto other = co_await enter(visit, known);
  if (!other) {
    co_return leave_open(visit, "web.forgery", other.error());
  }
  Result<Prepared> theirs{Error{ErrorKind::protocol, "the account was not let in any more", {}}};
  if (*other) {
    theirs = co_await find_request(visit, **other);
  }
  auto user = co_await enter(visit, known);
  if (!theirs || !user) {
    co_return leave_open(visit, "web.forgery", user ? theirs.error() : user.error());
  }
  if (!*user) {
    visit.sheet.unobserved("web.forgery", "the account was not let in any more");
    co_return Result<>{};
  }
  auto own = co_await find_request(visit, **user);
  if (!own) {
    co_return leave_open(visit, "web.forgery", own.error());
  }
  Riders riders{**user, *theirs, tokens_of(*own, *theirs)};
  auto seen = co_await ride_all(visit, riders);
  auto restored = co_await restore(visit);
  if (!seen) {
    co_return leave_open(visit, "web.forgery", seen.error());
  }
  if (!seen->at("control").as_bool()) {
    const bool refused = !credentials::is_taken(riders.status) && riders.status != 0;
    visit.sheet.unobserved(
        "web.forgery",
        std::string{"the request of the DUT file (web: setting) "} +
            (refused ? "was answered with status " + std::to_string(riders.status) +
                           (riders.status == 403 ? ", a refusal: a header or token of the page's script may be "
                                                   "missing (headers, token)"
                                                 : "")
                     : "did not change what is shown"));
    co_return Result<>{};
  }
  json::array names;
  for (const auto& name : riders.tokens) {
    names.emplace_back(wire::printable(name, 64));
  }
  (*seen)["tokens"] = std::move(names);
  (*seen)["restored"] = restored ? json::value(*restored) : json::value(nullptr);
  visit.sheet.fact("web.forgery", std::move(*seen));
  co_return Result<>{};
}

}  // namespace assay::probes::web_session
