#include "probes/credentials/recipe_login.hpp"

#include <chrono>

#include "probes/credentials/data_answer.hpp"
#include "probes/credentials/dialects.hpp"
#include "probes/wire/bytes.hpp"

/// Logins of programming interfaces over HTTP, as the DUT file describes them: nothing on the wire says where they are.
/// A login is taken when it opens the page that the recipe names, which a visitor without it does not get to see; the
/// words of the answer to the login itself decide nothing.
namespace assay::probes::credentials {

namespace recipe {

namespace {

constexpr std::size_t kKeptAnswer = 512;

/// In the words of HTTP, or of the interface itself. Status 400, 403, 404 and 422 say as well that the recipe does not
/// fit, a redirect or a page that the path is no interface; they are refusals where a login was seen that is taken.
bool is_refusal(const wire::HttpResponse& answer, bool login_known) {
  const int status = answer.status;
  return status == 401 || (is_given(answer) && is_data(answer)) ||
         (login_known && status >= 300 && status < 500 && status != 405 && status != 415);
}

class RecipeLogin final : public Dialect {
 public:
  RecipeLogin(Door& door, bool tls, const LoginRecipe& recipe) : door_(door), tls_(tls), recipe_(recipe) {}

  std::string_view name() const override { return "http-json"; }

  bool clear() const override { return !tls_; }

  void start_afresh() override {}

  /// The DUT file need not name anybody: a device with one password for all asks for that alone.
  bool names_accounts() const override { return recipe_.body.find("{username}") != std::string::npos; }

  bool is_for_people() const override { return true; }

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
      carry_token(session, recipe_, token);
    }
    auto answer = co_await session.fetch(std::move(request));
    co_return answer;
  }

 private:
  asio::awaitable<Attempt> log_in(std::string username, Secret password) {
    WebSession session{door_, tls_};
    auto request = recipe_request(door_, recipe_, username, password);
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
    // That the session gets another answer than a visitor is enough here: a wrong password is held against a hit.
    if (looks_otherwise(outside, inside)) {
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
