#include <chrono>
#include <set>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/web_session.hpp"
#include "probes/wire/bytes.hpp"

/// Logins of programming interfaces over HTTP, as the DUT file describes them: nothing on the wire says where they are.
/// A login is taken when it opens the page that the recipe names, which a visitor without it does not get to see; the
/// words of the answer to the login itself decide nothing.
namespace assay::probes::credentials {

namespace recipe {

namespace {

constexpr std::size_t kKeptAnswer = 512;
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

/// The token in an answer, empty when there is none.
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

/// What an answer looks like without its values: status, and the names of its members.
struct Outline {
  int status = 0;
  std::set<std::string> members;

  bool operator==(const Outline&) const = default;
};

void collect(const json::value& value, std::set<std::string>& members, int depth) {
  constexpr int kDeepest = 3;
  if (!value.is_object() || depth > kDeepest) {
    return;
  }
  for (const auto& [key, member] : value.get_object()) {
    members.insert(std::string{std::string_view{key}});
    collect(member, members, depth + 1);
  }
}

Outline outline_of(const wire::HttpResponse& response) {
  Outline outline;
  outline.status = response.status;
  boost::system::error_code failed;
  const auto body = json::parse(response.body, failed);
  if (!failed) {
    collect(body, outline.members, 0);
  }
  return outline;
}

bool is_given(const wire::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

bool is_json(const wire::HttpResponse& response) {
  boost::system::error_code failed;
  const auto body = json::parse(response.body, failed);
  return !failed && (body.is_object() || body.is_array());
}

/// A visitor is told to log in, or gets another answer than the one inside. Not one who came too often, or at a time
/// when the page failed.
bool is_kept_out(const wire::HttpResponse& outside, const wire::HttpResponse& inside) {
  const bool asked = outside.status == 401 || outside.status == 403 || (outside.status >= 300 && outside.status < 400);
  return asked || (is_given(outside) && outline_of(outside) != outline_of(inside));
}

/// In the words of HTTP, or of the interface itself. Status 400, 403, 404 and 422 say as well that the recipe does not
/// fit, a redirect or a page that the path is no interface; they are refusals where a login was seen that is taken.
bool is_refusal(const wire::HttpResponse& answer, bool login_known) {
  const int status = answer.status;
  return status == 401 || (is_given(answer) && is_json(answer)) ||
         (login_known && status >= 300 && status < 500 && status != 405 && status != 415);
}

class RecipeLogin final : public Dialect {
 public:
  RecipeLogin(Door& door, bool tls, const LoginRecipe& recipe) : door_(door), tls_(tls), recipe_(recipe) {}

  std::string_view name() const override { return "http-json"; }

  bool clear() const override { return !tls_; }

  void start_afresh() override {}

  std::string doubt() const override {
    return login_known_ ? std::string{}
                        : "no login was taken, so the recipe may not be what the interface wants; "
                          "a login by an account of the DUT file would settle it";
  }

  asio::awaitable<Attempt> attempt_control(std::string username, Secret password) override {
    auto attempted = co_await attempt(std::move(username), std::move(password));
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt(std::string username, Secret password) override {
    const auto start = std::chrono::steady_clock::now();
    auto attempted = co_await log_in(std::move(username), std::move(password));
    attempted.took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
    co_return attempted;
  }

  /// The page that needs a login, as a visitor with that token (may be empty) gets it.
  asio::awaitable<Result<wire::HttpResponse>> check(WebSession& session, std::string token) {
    WebRequest request;
    request.path = recipe_.check;
    if (!token.empty()) {
      request.shown = "GET " + recipe_.check + " with the token";
      const auto colon = recipe_.header.find(':');
      auto value = std::string{wire::trim(std::string_view{recipe_.header}.substr(colon + 1))};
      const std::string_view mark = "{token}";
      if (const auto at = value.find(mark); at != std::string::npos) {
        value.replace(at, mark.size(), token);
      }
      request.headers.push_back({recipe_.header.substr(0, colon), value});
    }
    auto answer = co_await session.fetch(std::move(request));
    co_return answer;
  }

 private:
  asio::awaitable<Attempt> log_in(std::string username, Secret password) {
    WebSession session{door_, tls_};
    boost::system::error_code failed;
    const auto form = json::parse(recipe_.body, failed);
    WebRequest request;
    request.method = "POST";
    request.path = recipe_.path;
    request.referer = recipe_.path;
    request.content_type = "application/json";
    request.body = json::serialize(filled(form, username, password.reveal()));
    request.shown =
        "POST " + recipe_.path + "\n" + json::serialize(filled(form, username, "{" + password.name() + "}"));
    request.conceal = [this](const wire::HttpResponse& response) { conceal_token(response); };
    auto answer = co_await session.fetch(std::move(request));
    if (!answer) {
      co_return broken_off(answer.error(), session.has_sent());
    }
    const int status = answer->status;
    if (status == 429 || status == 423 || answer->header("Retry-After") != nullptr) {
      Attempt locked;
      locked.outcome = Outcome::locked;
      locked.says = "status " + std::to_string(status);
      co_return locked;
    }
    const auto token = token_of(answer->body, recipe_.token);
    auto inside = co_await check(session, token);
    WebSession visitor{door_, tls_};
    auto outside = co_await check(visitor, std::string());
    if (!inside || !outside) {
      co_return broken_off(inside ? outside.error() : inside.error(), true);
    }
    co_return judge(*answer, *inside, *outside);
  }

  Attempt judge(const wire::HttpResponse& answer, const wire::HttpResponse& inside, const wire::HttpResponse& outside) {
    Attempt attempted;
    attempted.says = answer.body.substr(0, kKeptAnswer);
    // Some interfaces answer everything with 200 and say in the body that a login is missing.
    if (is_given(inside) && is_kept_out(outside, inside)) {
      login_known_ = true;
      attempted.outcome = Outcome::accepted;
      attempted.proof = wire::printable(recipe_.check, 128) + " was given with status " +
                        std::to_string(inside.status) + " and " + std::to_string(inside.body.size()) +
                        " bytes; a visitor gets status " + std::to_string(outside.status) + " and another answer";
    } else if (is_given(inside) && !is_given(outside)) {
      attempted.says = "status " + std::to_string(outside.status) + " to a visitor";
    } else if (is_refusal(answer, login_known_)) {
      attempted.outcome = Outcome::rejected;
    }
    return attempted;
  }

  /// Before the transcript gets the answer: the token, also as JSON may write its slashes.
  void conceal_token(const wire::HttpResponse& response) {
    const auto token = token_of(response.body, recipe_.token);
    if (token.empty()) {
      return;
    }
    std::string escaped;
    for (const char c : token) {
      escaped += c == '/' ? "\\/" : std::string(1, c);
    }
    for (const auto& form : {token, escaped}) {
      door_.record.conceal(form, "token of the session");
      door_.transcript.conceal(form, "token of the session");
    }
  }

  /// `judged`: the login itself may have reached the device, so it must not be sent again without a permit.
  static Attempt broken_off(const Error& error, bool judged) {
    Attempt attempted;
    const bool lost = !judged && (error.kind == ErrorKind::refused || error.kind == ErrorKind::unreachable);
    attempted.outcome = lost ? Outcome::lost : Outcome::unclear;
    attempted.says = error.what;
    if (sessions::ends_probe(error.kind)) {
      attempted.ended = error;
    }
    return attempted;
  }

  Door& door_;
  bool tls_;
  bool login_known_ = false;   // some login was taken
  const LoginRecipe& recipe_;  // of the DUT file, which outlives the probe
};

}  // namespace

}  // namespace recipe

const LoginRecipe* recipe_for(const Door& door) {
  if (door.dut == nullptr) {
    return nullptr;
  }
  for (const auto& entry : door.dut->logins) {
    if (entry.port == door.endpoint) {
      return &entry;
    }
  }
  return nullptr;
}

std::unique_ptr<Dialect> make_recipe(Door& door, bool tls, const LoginRecipe& recipe) {
  return std::make_unique<recipe::RecipeLogin>(door, tls, recipe);
}

}  // namespace assay::probes::credentials
