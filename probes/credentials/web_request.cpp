#include <algorithm>

#include "probes/credentials/web_user.hpp"
#include "probes/wire/bytes.hpp"

/// The requests that the DUT file describes.
namespace assay::probes::credentials {

namespace request {

namespace {

constexpr std::size_t kMostForms = 16;

constexpr std::size_t kMostLinks = 128;
constexpr std::size_t kMostFields = 64;

using Fields = std::vector<WebField>;
using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// A text of the recipe with its marks filled in. What was filled in is not looked through again.
std::string filled_text(std::string_view text, const Filling& filling, bool reveal) {
  const auto secret = [&](const Secret& one) { return reveal ? one.reveal() : "{" + one.name() + "}"; };
  const std::pair<std::string_view, std::string> marks[] = {{"{username}", filling.username},
                                                            {"{password}", secret(filling.password)},
                                                            {"{old}", secret(filling.old)},
                                                            {"{login}", secret(filling.login)},
                                                            {"{value}", filling.value}};
  std::string out;
  while (!text.empty()) {
    const auto* mark =
        std::find_if(std::begin(marks), std::end(marks), [&](const auto& one) { return text.starts_with(one.first); });
    if (mark == std::end(marks)) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      out += mark->second;
      text.remove_prefix(mark->first.size());
    }
  }
  return out;
}

json::value filled_json(const json::value& value, const Filling& filling, bool reveal) {
  if (value.is_object()) {
    json::object out;
    for (const auto& [key, member] : value.get_object()) {
      out[key] = filled_json(member, filling, reveal);
    }
    return out;
  }
  if (value.is_array()) {
    json::array out;
    for (const auto& item : value.get_array()) {
      out.push_back(filled_json(item, filling, reveal));
    }
    return out;
  }
  return value.is_string()
             ? json::value(json::string(filled_text(std::string_view{value.get_string()}, filling, reveal)))
             : value;
}

/// name=value&… of the recipe, filled in.
Fields fields_of(std::string_view body, const Filling& filling) {
  Fields out;
  while (!body.empty()) {
    const auto end = std::min(body.find('&'), body.size());
    const auto pair = body.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    if (equals > 0) {
      const auto value = equals < pair.size() ? pair.substr(equals + 1) : std::string_view{};
      out.push_back(
          {std::string{pair.substr(0, equals)}, filled_text(value, filling, true), filled_text(value, filling, false)});
    }
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return out;
}

std::string encoded(const Fields& fields, std::string WebField::*what) {
  std::string out;
  for (const auto& field : fields) {
    out += (out.empty() ? "" : "&") + form_encoded(field.name) + "=" + form_encoded(field.*what);
  }
  return out;
}

/// The form has every field that the recipe fills in: a login page in the place of another one has not.
bool has_fields(const NamedValues& fields, const RequestRecipe& recipe) {
  const auto wanted = fields_of(recipe.body, {});
  return std::all_of(wanted.begin(), wanted.end(), [&](const WebField& one) {
    return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.first == one.name; });
  });
}

std::string without_query(const std::string& path) {
  return path.substr(0, path.find_first_of("?#"));
}

/// The recipe has no path, or this one. Fields that are sent by GET take the place of a query.
bool goes_there(const RequestRecipe& recipe, const std::string& path) {
  const bool same = recipe.method == "GET" ? without_query(path) == without_query(recipe.path) : path == recipe.path;
  return recipe.path.empty() || same;
}

/// The form that goes to the path of the recipe, else the first that sends its fields. What is sent by POST may stand
/// in a form of GET that a script sends.
const wire::WebForm* chosen(const std::vector<wire::WebForm>& forms, const RequestRecipe& recipe,
                            const std::string& place) {
  const bool any_way = recipe.method != "GET" && !recipe.path.empty();
  for (const bool same_way : {true, false}) {
    for (const auto& form : forms) {
      const auto target = wire::http_location(form.action.empty() ? place : form.action, place);
      const bool right_way = same_way == ((form.method == "get") == (recipe.method == "GET"));
      const bool fits =
          recipe.path.empty() ? has_fields(form.fields, recipe) : target && goes_there(recipe, target->path);
      if (right_way && fits && (same_way || any_way)) {
        return &form;
      }
    }
  }
  return nullptr;
}

NamedValues query_of(std::string_view path) {
  NamedValues out;
  const auto begin = path.find('?');
  auto query = begin == std::string_view::npos ? std::string_view{} : path.substr(begin + 1);
  while (!query.empty() && out.size() < kMostFields) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    out.emplace_back(form_decoded(pair.substr(0, equals)),
                     form_decoded(pair.substr(std::min(equals + 1, pair.size()))));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return out;
}

/// The first link that goes to the path of the recipe and sends its fields, as a form whose fields nobody sees.
std::optional<wire::WebForm> chosen_link(const Page& page, const RequestRecipe& recipe) {
  for (const auto& link : wire::html_links(page.response.body, kMostLinks)) {
    const auto target = wire::http_location(link.target, page.place);
    auto fields = query_of(target ? std::string_view{target->path} : std::string_view{});
    if (target && !fields.empty() && has_fields(fields, recipe) && goes_there(recipe, target->path)) {
      wire::WebForm out;
      out.action = link.target;
      out.fields = std::move(fields);
      for (const auto& [name, value] : out.fields) {
        out.hidden.push_back(name);
      }
      return out;
    }
  }
  return std::nullopt;
}

/// The fields of a form, as the page shows them, under those of the recipe.
Fields overlaid(const wire::WebForm& form, const Fields& wanted) {
  Fields fields;
  for (const auto& [name, value] : form.fields) {
    fields.push_back({name, value, value});
  }
  for (const auto& one : wanted) {
    const auto known =
        std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.name == one.name; });
    if (known != fields.end()) {
      *known = one;
    } else {
      fields.push_back(one);
    }
  }
  return fields;
}

Prepared without_form(const RequestRecipe& recipe, const Filling& filling) {
  Prepared out;
  auto& request = out.request;
  request.method = recipe.method;
  request.path = recipe.path;
  request.referer = recipe.path;
  out.action = recipe.path;
  boost::system::error_code failed;
  const auto body = json::parse(recipe.body, failed);
  if (failed) {
    request.content_type = "application/x-www-form-urlencoded";
    refill(out, fields_of(recipe.body, filling));
    return out;
  }
  request.content_type = "application/json";
  request.body = json::serialize(filled_json(body, filling, true));
  const auto shown = json::serialize(filled_json(body, filling, false));
  request.shown = shown == request.body ? std::string{} : request.method + " " + request.path + "\n" + shown;
  return out;
}

}  // namespace

}  // namespace request

std::string filled_in(const std::string& text, const Filling& filling, bool reveal) {
  boost::system::error_code failed;
  const auto body = json::parse(text, failed);
  const bool structured = !failed && (body.is_object() || body.is_array());
  return structured ? json::serialize(request::filled_json(body, filling, reveal))
                    : request::filled_text(text, filling, reveal);
}

namespace request {

namespace {

/// The token that a script of the page puts into a header.
asio::awaitable<Result<std::string>> find_token(Door& door, WebUser& user, std::string place) {
  constexpr std::string_view kCookie = "cookie ";
  std::string out;
  if (place.starts_with(kCookie)) {
    const auto& all = user.jar().all();
    const auto found = all.find(place.substr(kCookie.size()));
    out = found == all.end() ? std::string{} : found->second;
  } else {
    const auto mark = place.find('#');
    auto path = place.substr(0, mark);
    auto page = co_await user.look(std::move(path));
    if (!page) {
      co_return page.error();
    }
    out = token_of(page->response.body, place.substr(mark + 1));
  }
  if (out.empty()) {
    co_return Error{
        ErrorKind::protocol, "the token of the DUT file (" + wire::printable(place, 128) + ") is not there", {}};
  }
  door.record.conceal(out, "token of a request");
  door.transcript.conceal(out, "token of a request");
  co_return out;
}

asio::awaitable<Result<>> add_headers(Door& door, WebUser& user, const RequestRecipe& recipe, Prepared& out) {
  constexpr std::string_view kMark = "{token}";
  std::string token;
  if (!recipe.token.empty()) {
    auto place = recipe.token.front();
    auto found = co_await find_token(door, user, std::move(place));
    if (!found) {
      co_return found.error();
    }
    token = std::move(*found);
  }
  for (const auto& header : recipe.headers) {
    const auto colon = header.find(':');
    auto value = header.substr(std::min(header.find_first_not_of(' ', colon + 1), header.size()));
    if (const auto at = value.find(kMark); at != std::string::npos) {
      value.replace(at, kMark.size(), token);
    }
    out.headers.push_back({header.substr(0, colon), std::move(value)});
  }
  out.request.headers.insert(out.request.headers.end(), out.headers.begin(), out.headers.end());
  co_return Result<>{};
}

asio::awaitable<Result<Prepared>> from_form(Door& door, const WebLogin& login, WebUser& user,
                                            const RequestRecipe& recipe, const Filling& filling) {
  auto page = co_await user.look(recipe.page);
  if (!page) {
    co_return page.error();
  }
  const auto forms = wire::html_forms(page->response.body, kMostForms);
  const auto* form = chosen(forms, recipe, page->place);
  std::optional<wire::WebForm> link;
  if (form == nullptr && recipe.method == "GET") {
    link = chosen_link(*page, recipe);
    form = link ? &*link : nullptr;
  }
  if (form == nullptr) {
    co_return Error{ErrorKind::protocol,
                    "the page " + wire::printable(recipe.page, 128) + " (status " +
                        std::to_string(page->response.status) + ") has no form that the DUT file speaks of" +
                        (recipe.method == "GET" ? ", nor such a link" : ""),
                    {}};
  }
  const auto target = wire::http_location(form->action.empty() ? page->place : form->action, page->place);
  if (!target || !wire::leads_to(*target, door.address, door.endpoint.port, login.tls)) {
    co_return Error{ErrorKind::protocol, "the form is sent to another place", {}};
  }
  Prepared out;
  out.request.method = recipe.method;
  out.request.path = target->path;
  out.action = recipe.method == "GET" ? without_query(target->path) : target->path;
  out.request.referer = page->place;
  out.request.content_type = "application/x-www-form-urlencoded";
  const auto wanted = fields_of(recipe.body, filling);
  // What the recipe fills in is no token, whoever sees it.
  std::copy_if(form->hidden.begin(), form->hidden.end(), std::back_inserter(out.hidden), [&](const std::string& name) {
    return std::none_of(wanted.begin(), wanted.end(), [&](const WebField& one) { return one.name == name; });
  });
  refill(out, overlaid(*form, wanted));
  co_return out;
}

}  // namespace

}  // namespace request

asio::awaitable<Result<Prepared>> prepare(Door& door, const WebLogin& login, WebUser& user, const RequestRecipe& recipe,
                                          const Filling& filling) {
  Result<Prepared> out{Prepared{}};
  if (recipe.page.empty()) {
    out = request::without_form(recipe, filling);
  } else {
    out = co_await request::from_form(door, login, user, recipe, filling);
  }
  if (!out || recipe.headers.empty()) {
    co_return out;
  }
  auto added = co_await request::add_headers(door, user, recipe, *out);
  if (!added) {
    co_return added.error();
  }
  co_return out;
}

bool has_form_for(const Page& page, const RequestRecipe& recipe) {
  const auto forms = wire::html_forms(page.response.body, request::kMostForms);
  return request::chosen(forms, recipe, page.place) != nullptr;
}

bool may_be_made_by(const RequestRecipe& recipe, const std::string& path) {
  const auto sent = request::query_of(path);
  const auto fields = request::query_of("?" + recipe.body);
  return recipe.method == "GET" && request::goes_there(recipe, path) &&
         std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
           const bool changes = field.second.find("{value}") != std::string::npos;
           return changes &&
                  std::any_of(sent.begin(), sent.end(), [&](const auto& one) { return one.first == field.first; });
         });
}

void refill(Prepared& prepared, std::vector<WebField> fields) {
  auto& request = prepared.request;
  prepared.fields = std::move(fields);
  auto sent = request::encoded(prepared.fields, &WebField::value);
  auto shown = request::encoded(prepared.fields, &WebField::shown);
  const bool holds_secret = shown != sent;
  if (request.method == "GET" && !sent.empty()) {
    const std::string before = prepared.action + (prepared.action.find('?') == std::string::npos ? "?" : "&");
    request.path = before + sent;
    shown = before + shown;
    sent.clear();
  } else {
    request.path = prepared.action;
    shown = prepared.action + "\n" + shown;
  }
  request.body = std::move(sent);
  request.shown = holds_secret ? request.method + " " + shown : std::string{};
}

bool is_taken(int status) {
  return status >= 200 && status < 400;
}

}  // namespace assay::probes::credentials
