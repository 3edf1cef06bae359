#include "probes/credentials/web_pages.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"
#include "probes/wire/login_form.hpp"
#include "probes/wire/web_page.hpp"

namespace assay::probes::credentials {

namespace {

constexpr std::size_t kMostWords = 512;
constexpr std::size_t kMostPages = 4;
constexpr std::size_t kMostLinks = 8;
constexpr std::size_t kMostForms = 16;
constexpr int kAlike = 70;  // percent of common words

/// Whether a visitor is asked for a login where the session got a page. `elsewhere`: he is led to the login page, and
/// the session was not.
bool turns_away(const wire::HttpResponse& outside, const wire::HttpResponse& inside, bool elsewhere) {
  const auto form = wire::find_login_form(outside.body);
  return outside.status == 401 || outside.status == 403 || elsewhere || (form && !wire::shows_form(inside.body, *form));
}

}  // namespace

std::set<std::string> words_of(std::string_view text, std::string_view without) {
  std::set<std::string> words;
  std::string word;
  const auto keep = [&] {
    if (word.size() >= 3 && word.find_first_of("0123456789") == std::string::npos && words.size() < kMostWords &&
        !wire::equal_ignoring_case(word, without)) {
      words.insert(wire::lower(word));
    }
    word.clear();
  };
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) {
      word += c;
    } else {
      keep();
    }
  }
  keep();
  return words;
}

bool are_alike(const std::set<std::string>& one, const std::set<std::string>& other) {
  std::size_t common = 0;
  for (const auto& word : one) {
    common += other.contains(word) ? 1 : 0;
  }
  const auto all = one.size() + other.size() - common;
  return all == 0 || 100 * common / all >= kAlike;
}

Result<WebRequest> filled_form(const Door& door, bool tls, const wire::LoginForm& form, const std::string& page,
                               const std::string& username, const Secret& password) {
  const auto place = form.action.empty() ? wire::http_location(page, page) : wire::http_location(form.action, page);
  if (!place || !wire::leads_to(*place, door.address, door.endpoint.port, tls)) {
    return Error{ErrorKind::protocol, "the form is sent to another place: " + wire::printable(form.action, 128), {}};
  }
  std::string body;
  const auto add = [&](std::string_view name, std::string_view value) {
    body += (body.empty() ? "" : "&") + form_encoded(name) + "=" + form_encoded(value);
  };
  for (const auto& [name, value] : form.fields) {
    add(name, value);
  }
  if (!form.username_field.empty()) {
    add(form.username_field, username);
  }
  std::string shown = body + "&" + form_encoded(form.password_field) + "={" + password.name() + "}";
  add(form.password_field, password.reveal());
  WebRequest request;
  request.path = place->path;
  request.referer = page;
  request.method = "POST";
  request.content_type = "application/x-www-form-urlencoded";
  request.body = std::move(body);
  request.shown = request.method + " " + place->path + "\n" + shown;
  return request;
}

asio::awaitable<Result<Inside>> find_inside(Door& door, bool tls, std::string login_path, wire::LoginForm login,
                                            WebSession& session, std::vector<std::string> pages) {
  std::set<std::string> asked;
  for (const auto& wanted : pages) {
    if (!asked.insert(wanted).second) {
      continue;
    }
    auto inside_place = wanted;
    auto inside = co_await session.visit(inside_place);
    if (!inside) {
      co_return inside.error();
    }
    if (inside->status != 200 || !inside->complete || wire::shows_form(inside->body, login)) {
      continue;
    }
    WebSession visitor{door, tls};
    auto place = login_path;
    auto came = co_await visitor.visit(place);
    const auto login_place = place;
    place = wanted;
    auto outside = co_await visitor.visit(place);
    if (!came || !outside) {
      co_return came ? outside.error() : came.error();
    }
    // Where the names of the fields change with each visit, any form with a password may be the login.
    if (wire::find_login_form(inside->body) && !wire::shows_form(came->body, login)) {
      continue;
    }
    if (turns_away(*outside, *inside, place == login_place && inside_place != login_place)) {
      Inside found;
      found.path = wanted;
      found.place = inside_place;
      found.login_path = login_place;
      found.proof = "the page " + wire::printable(inside_place, 128) + " of " + std::to_string(inside->body.size()) +
                    " bytes was shown; a visitor who has not logged in is asked for a login there";
      co_return found;
    }
  }
  co_return Inside{};
}

bool shows_change_form(std::string_view html) {
  const auto forms = wire::html_forms(html, kMostForms);
  return std::any_of(forms.begin(), forms.end(), [](const auto& form) { return form.passwords > 1; });
}

namespace {

/// Where a link leads to at this door; nothing: to somebody else, or to no page.
std::optional<std::string> path_here(const Door& door, bool tls, const std::string& link, const std::string& place) {
  const auto target = wire::http_location(link, place);
  const bool here = target && wire::leads_to(*target, door.address, door.endpoint.port, tls);
  return here ? std::optional{target->path} : std::nullopt;
}

}  // namespace

std::vector<std::string> links_from(const Door& door, bool tls, const std::string& html, const std::string& place) {
  std::vector<std::string> links;
  for (const auto& link : wire::html_links(html, kMostLinks)) {
    const auto path = path_here(door, tls, link.target, place);
    if (path && !wire::may_act(link, *path)) {
      links.push_back(*path);
    }
  }
  return links;
}

std::vector<std::string> pages_from(const Door& door, bool tls, const wire::HttpResponse& page,
                                    const std::string& place, const std::string& login_page) {
  std::vector<std::string> pages{place, login_page, "/"};
  for (const auto& link : wire::html_pages(page.body, kMostPages)) {
    if (auto path = path_here(door, tls, link, place)) {
      pages.push_back(std::move(*path));
    }
  }
  return pages;
}

}  // namespace assay::probes::credentials
