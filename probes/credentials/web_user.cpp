#include "probes/credentials/web_user.hpp"

#include "probes/credentials/data_answer.hpp"
#include "probes/credentials/dialects.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/http_auth.hpp"
#include "probes/wire/login_form.hpp"

namespace assay::probes::credentials {

std::optional<WebLogin> web_login_of(const Door& door, const Detection& found) {
  if (!found.dialect) {
    return std::nullopt;
  }
  WebLogin out;
  out.tls = found.tls;
  out.path = found.path.empty() ? "/" : found.path;
  const auto name = found.dialect->name();
  if (name == "http-form") {
    out.way = WebWay::form;
  } else if (name == "http-json") {
    out.way = WebWay::json;
    out.recipe = recipe_for(door);
  } else if (name == "http-basic") {
    out.way = WebWay::basic;
  } else {
    return std::nullopt;
  }
  return out;
}

asio::awaitable<Result<>> WebUser::arrive() {
  if (login_->way == WebWay::basic) {
    co_return Result<>{};
  }
  auto path = login_->way == WebWay::form ? login_->path : std::string{"/"};
  auto page = co_await session_.visit(path);
  if (!page) {
    co_return page.error();
  }
  co_return Result<>{};
}

asio::awaitable<Result<Page>> WebUser::log_in(std::string username, Secret password) {
  if (login_->way == WebWay::form) {
    auto done = co_await log_in_by_form(std::move(username), std::move(password));
    co_return done;
  }
  if (login_->way == WebWay::basic) {
    const auto value = wire::basic_authorization(username, password.reveal());
    const auto credentials = value.substr(value.find(' ') + 1);
    door_->record.conceal(credentials, "credentials " + password.name());
    door_->transcript.conceal(credentials, "credentials " + password.name());
    session_.carry({"Authorization", value});
    auto page = co_await look(login_->path);
    co_return page;
  }
  const auto& recipe = *login_->recipe;
  auto request = recipe_request(*door_, recipe, username, password);
  auto answer = co_await session_.fetch(std::move(request));
  if (!answer) {
    co_return answer.error();
  }
  token_ = token_of(answer->body, recipe.token);
  if (!token_.empty()) {
    carry_token(session_, recipe, token_);
  }
  Page landing;
  landing.response = std::move(*answer);
  landing.place = recipe.path;
  co_return landing;
}

asio::awaitable<Result<Page>> WebUser::log_in_by_form(std::string username, Secret password) {
  auto path = login_->path;
  auto page = co_await session_.visit(path);
  if (!page) {
    co_return page.error();
  }
  const auto form = wire::find_login_form(page->body);
  if (!form) {
    co_return Error{ErrorKind::protocol, "the login page came without its form", {}};
  }
  form_ = form;
  auto request = filled_form(*door_, login_->tls, *form, path, username, password);
  if (!request) {
    co_return request.error();
  }
  Page landing;
  landing.place = request->path.substr(0, request->path.find('?'));
  auto first = co_await session_.fetch(std::move(*request));
  if (!first) {
    co_return first.error();
  }
  auto last = co_await session_.follow(std::move(*first), landing.place);
  if (!last) {
    co_return last.error();
  }
  landing.response = std::move(*last);
  co_return landing;
}

asio::awaitable<Result<Page>> WebUser::look(std::string path) {
  Page page;
  page.place = std::move(path);
  auto response = co_await session_.visit(page.place);
  if (!response) {
    co_return response.error();
  }
  page.response = std::move(*response);
  co_return page;
}

Sight sight_of(const WebLogin& login, const std::string& wanted, const Page& inside, const Page& seen) {
  const auto& response = seen.response;
  const bool paused = response.status == 429 || response.header("Retry-After") != nullptr || response.status >= 500;
  if (paused) {
    return Sight::unclear;
  }
  const bool away = response.status == 401 || response.status == 403 || response.status == 302 ||
                    response.status == 303 || response.status == 307 || response.status == 404;
  const bool data = is_data(inside.response);
  if ((login.way == WebWay::json || data) && is_kept_out(response, inside.response)) {
    return Sight::turned_away;
  }
  const auto form = wire::find_login_form(response.body);
  const bool asks = form && !wire::shows_form(inside.response.body, *form);
  const bool elsewhere = seen.place != inside.place && seen.place != wanted;
  if (away || asks || elsewhere) {
    return Sight::turned_away;
  }
  if (response.status != inside.response.status) {
    return Sight::unclear;
  }
  // What nobody gets opens nothing to anybody, and what was not read may be anything.
  if ((data && is_error(inside.response)) || response.packed || inside.response.packed) {
    return Sight::unclear;
  }
  const bool same = data ? same_outline(response, inside.response)
                         : are_alike(words_of(response.body, {}), words_of(inside.response.body, {}));
  return same ? Sight::given : Sight::unclear;
}

bool is_mere_error(const Page& page) {
  return is_error(page.response);
}

namespace {

/// The page that shows whether a login was taken, as the account gets it and as a visitor does.
struct Views {
  Page inside;
  Page outside;
};

asio::awaitable<Result<Views>> ask_both(const WebHouse& house, WebUser& user, std::string path) {
  auto inside = co_await user.look(path);
  WebUser visitor{house.door, house.login};
  auto outside = co_await visitor.look(path);
  if (!inside || !outside) {
    co_return inside ? outside.error() : inside.error();
  }
  co_return Views{std::move(*inside), std::move(*outside)};
}

/// The visitor gets another answer of data, and one who asks again gets the same: no page that is another each time.
asio::awaitable<Result<bool>> differs_steadily(const WebHouse& house, WebUser& user, const Views& seen) {
  const auto& inside = seen.inside.response;
  const auto& outside = seen.outside.response;
  if (!is_data(inside) || !looks_otherwise(outside, inside)) {
    co_return false;
  }
  auto path = seen.inside.place;
  auto again = co_await ask_both(house, user, std::move(path));
  if (!again) {
    co_return again.error();
  }
  co_return same_outline(again->inside.response, inside) && same_outline(again->outside.response, outside);
}

/// The page that the recipe or the challenge names, if it is given to the user and not to a visitor.
asio::awaitable<Result<>> try_page(WebHouse& house, WebUser& user, std::string path) {
  auto seen = co_await ask_both(house, user, path);
  if (!seen) {
    co_return seen.error();
  }
  if (!is_given(seen->inside.response)) {
    co_return Result<>{};
  }
  Result<bool> shows{sight_of(house.login, path, seen->inside, seen->outside) == Sight::turned_away};
  if (!*shows) {
    shows = co_await differs_steadily(house, user, *seen);
  }
  if (!shows) {
    co_return shows.error();
  }
  if (*shows) {
    house.inside.path = path;
    house.inside.login_path = house.login.path;
    house.inside.proof = wire::printable(path, 128) + " was given with status " +
                         std::to_string(seen->inside.response.status) + ", and a visitor gets status " +
                         std::to_string(seen->outside.response.status);
    house.refused = std::move(seen->outside);
  }
  co_return Result<>{};
}

/// A page that is given to the user and not to a visitor.
asio::awaitable<Result<>> find_page(WebHouse& house, WebUser& user, Page landing) {
  const auto& login = house.login;
  if (login.way != WebWay::form) {
    auto path = login.way == WebWay::json ? login.recipe->check : login.path;
    auto tried = co_await try_page(house, user, std::move(path));
    co_return tried;
  }
  auto pages = pages_from(house.door, login.tls, landing.response, landing.place, login.path);
  auto form = user.login_form().value_or(wire::LoginForm{});
  auto found =
      co_await find_inside(house.door, login.tls, login.path, std::move(form), user.session(), std::move(pages));
  if (!found) {
    co_return found.error();
  }
  house.inside = std::move(*found);
  co_return Result<>{};
}

}  // namespace

asio::awaitable<Result<>> find_protected(WebHouse& house, WebUser& user, std::string username, Secret password) {
  auto came = co_await user.arrive();
  if (!came) {
    co_return came.error();
  }
  auto landing = co_await user.log_in(std::move(username), std::move(password));
  if (!landing) {
    co_return landing.error();
  }
  house.inside = {};
  house.refused.reset();
  auto found = co_await find_page(house, user, *landing);
  if (!found || house.inside.path.empty()) {
    co_return found;
  }
  auto shown = co_await user.look(house.inside.path);
  if (!shown) {
    co_return shown.error();
  }
  house.shown = std::move(*shown);
  co_return Result<>{};
}

asio::awaitable<Result<Sight>> sight(const WebHouse& house, WebUser& user) {
  auto page = co_await user.look(house.inside.path);
  if (!page) {
    co_return page.error();
  }
  const auto seen = sight_of(house.login, house.inside.path, house.shown, *page);
  // Whatever else it may hold, what a visitor gets is what a session gets that has ended.
  const bool as_visitor = house.refused && same_outline(page->response, house.refused->response) &&
                          looks_otherwise(page->response, house.shown.response);
  co_return as_visitor&& seen == Sight::unclear ? Sight::turned_away : seen;
}

asio::awaitable<Result<std::optional<WebUser>>> enter(const WebHouse& house, std::string username, Secret password) {
  WebUser user{house.door, house.login};
  auto landing = co_await user.log_in(std::move(username), std::move(password));
  if (!landing) {
    co_return landing.error();
  }
  auto seen = co_await sight(house, user);
  if (!seen) {
    co_return seen.error();
  }
  std::optional<WebUser> entered;
  if (*seen == Sight::given) {
    entered.emplace(std::move(user));
  }
  co_return entered;
}

const WebInterface* web_interface_for(const Dut& dut, const Endpoint& endpoint) {
  for (const auto& entry : dut.web) {
    if (entry.port == endpoint) {
      return &entry;
    }
  }
  return nullptr;
}

}  // namespace assay::probes::credentials
