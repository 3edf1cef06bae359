#include <algorithm>

#include "probes/credentials/recipe_login.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

constexpr std::size_t kLargestToken = 8192;

/// Every text of the template with the two placeholders filled in, so that no quotation mark of a password can end it.
json::value filled(const json::value& value, const std::string& username, const std::string& password) {
  if (value.is_object()) {
    json::object out;
    for (const auto& [key, member] : value.get_object()) {
      out[key] = filled(member, username, password);
    }
    return out;
  }
  if (value.is_array()) {
    json::array out;
    for (const auto& item : value.get_array()) {
      out.push_back(filled(item, username, password));
    }
    return out;
  }
  if (!value.is_string()) {
    return value;
  }
  std::string text{std::string_view{value.get_string()}};
  for (const auto& [mark, word] : {std::pair<std::string_view, const std::string&>{"{username}", username},
                                   std::pair<std::string_view, const std::string&>{"{password}", password}}) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + word.size())) {
      text.replace(at, mark.size(), word);
    }
  }
  return json::string(text);
}

/// Before the transcript gets the answer: the token, also as JSON may write its slashes.
void conceal_token(Door& door, const LoginRecipe& recipe, const wire::HttpResponse& response) {
  const auto token = token_of(response.body, recipe.token);
  if (token.empty()) {
    return;
  }
  std::string escaped;
  for (const char c : token) {
    escaped += c == '/' ? "\\/" : std::string(1, c);
  }
  for (const auto& form : {token, escaped}) {
    door.record.conceal(form, "token of the session");
    door.transcript.conceal(form, "token of the session");
  }
}

}  // namespace

std::string token_of(const std::string& body, const std::string& pointer) {
  boost::system::error_code failed;
  const auto answer = json::parse(body, failed);
  if (failed || pointer.empty()) {
    return {};
  }
  const auto* found = answer.find_pointer(pointer, failed);
  if (found == nullptr || !found->is_string() || found->get_string().size() > kLargestToken) {
    return {};
  }
  return std::string{std::string_view{found->get_string()}};
}

WebRequest recipe_request(Door& door, const LoginRecipe& recipe, const std::string& username, const Secret& password) {
  boost::system::error_code failed;
  const auto form = json::parse(recipe.body, failed);
  WebRequest request;
  request.method = "POST";
  request.path = recipe.path;
  request.referer = recipe.path;
  request.content_type = "application/json";
  request.body = json::serialize(filled(form, username, password.reveal()));
  request.shown = "POST " + recipe.path + "\n" + json::serialize(filled(form, username, "{" + password.name() + "}"));
  // The recipe is of the DUT file, which outlives every request.
  request.conceal = [&door, &recipe](const wire::HttpResponse& response) { conceal_token(door, recipe, response); };
  return request;
}

void carry_token(WebSession& session, const LoginRecipe& recipe, const std::string& token) {
  const auto colon = std::min(recipe.header.find(':'), recipe.header.size());
  const auto name = recipe.header.substr(0, colon);
  auto value =
      std::string{wire::trim(std::string_view{recipe.header}.substr(std::min(colon + 1, recipe.header.size())))};
  const std::string_view mark = "{token}";
  if (const auto at = value.find(mark); at != std::string::npos) {
    value.replace(at, mark.size(), token);
  }
  if (wire::equal_ignoring_case(name, "Cookie")) {
    session.jar().take_of_script(value);
  } else {
    session.carry({name, value});
  }
}

}  // namespace assay::probes::credentials
