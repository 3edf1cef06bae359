#include "probes/credentials/web_user.hpp"

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
    session_.carry(token_header(recipe, token_));
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
  if (login.way == WebWay::json && is_kept_out(response, inside.response)) {
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
  const bool same =
      login.way == WebWay::json || are_alike(words_of(response.body, {}), words_of(inside.response.body, {}));
  return same ? Sight::given : Sight::unclear;
}

namespace {

/// A page that is given to the user and not to a visitor.
asio::awaitable<Result<Inside>> find_page(Door& door, const WebLogin& login, WebUser& user, Page landing) {
  if (login.way == WebWay::form) {
    auto pages = pages_from(door, login.tls, landing.response, landing.place, login.path);
    auto form = user.login_form().value_or(wire::LoginForm{});
    auto found = co_await find_inside(door, login.tls, login.path, std::move(form), user.session(), std::move(pages));
    co_return found;
  }
  const auto path = login.way == WebWay::json ? login.recipe->check : login.path;
  auto inside = co_await user.look(path);
  WebUser visitor{door, login};
  auto outside = co_await visitor.look(path);
  if (!inside || !outside) {
    co_return inside ? outside.error() : inside.error();
  }
  Inside found;
  const bool given = inside->response.status >= 200 && inside->response.status < 300;
  if (given && sight_of(login, path, *inside, *outside) == Sight::turned_away) {
    found.path = path;
    found.login_path = login.path;
    found.proof = wire::printable(path, 128) + " was given with status " + std::to_string(inside->response.status) +
                  ", and a visitor gets status " + std::to_string(outside->response.status);
  }
  co_return found;
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
  auto found = co_await find_page(house.door, house.login, user, *landing);
  if (!found) {
    co_return found.error();
  }
  house.inside = std::move(*found);
  if (house.inside.path.empty()) {
    co_return Result<>{};
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
  co_return sight_of(house.login, house.inside.path, house.shown, *page);
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
