#include <algorithm>
#include <chrono>
#include <set>
#include <vector>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/web_pages.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/login_form.hpp"
#include "probes/wire/web_script.hpp"

/// Login pages. Whether a login was taken is not told by words but by what it opens: a page that shows itself to the
/// visitor who has logged in, asks a visitor who has not for a login, and is not shown to one whose login failed. What
/// a wrong login gets is learnt from pairs that cannot exist. Why libcurl does not send it: docs/decisions/0009.
namespace assay::probes::credentials {

namespace form {

namespace {

constexpr std::size_t kKeptAnswer = 512;

/// What stays the same in two answers of one kind: words without digits, so that tokens and times drop out.
struct Look {
  int status = 0;
  std::string place;  // that a browser ended at
  bool asks = false;  // shows the login form
  std::set<std::string> words;
};

bool alike(const Look& one, const Look& other) {
  return one.status == other.status && one.place == other.place && one.asks == other.asks &&
         are_alike(one.words, other.words);
}

/// The form is not taken as we send it: nothing is said of the password.
bool misunderstood(int status) {
  return status == 400 || status == 404 || status == 405 || status == 415 || status == 419 || status >= 500;
}

struct Sent {
  Look look;
  std::string text;   // of the last page
  std::string place;  // where the browser ended
  std::vector<std::string> pages;
  bool paused = false;     // the server says to come back later
  bool by_script = false;  // a page on the way has a script that may keep the session
};

/// Whose login is judged.
struct Tried {
  std::string username;
  bool control = false;
};

class FormLogin final : public Dialect {
 public:
  FormLogin(Door& door, bool tls, std::string path, wire::LoginForm form, std::string captcha)
      : door_(&door), tls_(tls), path_(std::move(path)), form_(std::move(form)), captcha_(std::move(captcha)) {}

  std::string_view name() const override { return "http-form"; }

  bool clear() const override { return wire::goes_in_clear(form_.action, tls_); }

  bool names_accounts() const override { return !form_.username_field.empty(); }

  bool is_for_people() const override { return true; }

  bool told_apart(const std::string& username) const override { return told_apart_.contains(username); }

  void start_afresh() override {}

  std::unique_ptr<Dialect> beside(Door& other) const override {
    auto copy = std::make_unique<FormLogin>(*this);
    copy->door_ = &other;
    return copy;
  }

  std::string doubt() const override {
    if (taken_) {
      return {};
    }
    if (!not_sent_.empty()) {
      return "no login was sent: " + not_sent_;
    }
    if (!captcha_.empty()) {
      return "the login page asks for a captcha (" + captcha_ +
             "), so that any login may be refused for want of its "
             "answer; a login by an account of the DUT file would settle it";
    }
    if (!shown_to_failed_.empty()) {
      return "wrong logins get a page that no visitor gets (" + wire::printable(*shown_to_failed_.begin(), 128) +
             "), which may be one behind the login; a login by an account of the DUT file would settle it";
    }
    if (!understood_) {
      return "wrong logins get the untouched form back, as one would that the page does not understand; "
             "a login by an account of the DUT file would settle it";
    }
    return form_.has_scripts
               ? "the login page has scripts, which may change what is sent, and no login was taken; one by "
                 "an account of the DUT file would settle it"
               : std::string{};
  }

  asio::awaitable<Attempt> attempt(std::string username, Secret password) override {
    auto attempted = co_await timed(std::move(username), std::move(password), false);
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt_control(std::string username, Secret password) override {
    auto attempted = co_await timed(std::move(username), std::move(password), true);
    co_return attempted;
  }

 private:
  asio::awaitable<Attempt> timed(std::string username, Secret password, bool control) {
    const auto start = std::chrono::steady_clock::now();
    auto attempted = co_await log_in(std::move(username), std::move(password), control);
    attempted.took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
    co_return attempted;
  }

  static Attempt failed(const Error& error, bool begun) {
    Attempt attempted;
    const bool lost = error.kind == ErrorKind::refused || error.kind == ErrorKind::unreachable;
    attempted.outcome = lost && !begun ? Outcome::lost : Outcome::unclear;
    attempted.says = error.what;
    if (sessions::ends_probe(error.kind)) {
      attempted.ended = error;
    }
    return attempted;
  }

  asio::awaitable<Attempt> log_in(std::string username, Secret password, bool control) {
    WebSession session{*door_, tls_};
    auto path = path_;
    auto page = co_await session.visit(path);
    if (!page) {
      co_return failed(page.error(), false);
    }
    const auto form = wire::find_login_form(page->body);
    if (!form) {
      co_return without_form(*page);
    }
    if (asks_for_captcha_now(page->body)) {
      co_return held_by_captcha(page->body);
    }
    auto request = filled_form(*door_, tls_, *form, path, username, password);
    if (!request) {
      not_sent_ = request.error().what;
      co_return failed(request.error(), true);
    }
    auto sent = co_await send(session, std::move(*request), path, username);
    if (!sent) {
      co_return failed(sent.error(), true);
    }
    // Whoever answers otherwise than to a visitor has read what was sent.
    const bool untouched =
        sent->look.status == 200 && sent->look.asks && sent->look.words == words_of(page->body, username);
    understood_ = understood_ || !untouched;
    const Tried tried{std::move(username), control};
    auto attempted = co_await judge(session, std::move(*sent), tried);
    co_return attempted;
  }

  /// One that was not there before any login is how the device holds off whoever guesses.
  bool asks_for_captcha_now(const std::string& page) const {
    return captcha_.empty() && !wire::find_captcha(page).empty();
  }

  static Attempt held_by_captcha(const std::string& page) {
    Attempt attempted;
    attempted.outcome = Outcome::locked;
    attempted.says = "a captcha is asked for now: " + wire::find_captcha(page);
    return attempted;
  }

  /// The page of the login came without its form.
  static Attempt without_form(const wire::HttpResponse& page) {
    Attempt attempted;
    const bool paused = page.status == 429 || page.header("Retry-After") != nullptr || says_locked(page.body);
    attempted.outcome = paused ? Outcome::locked : Outcome::unclear;
    attempted.says = paused ? "the login page gave way to one without a form, status " + std::to_string(page.status)
                            : page.body.substr(0, kKeptAnswer);
    return attempted;
  }

  asio::awaitable<Result<Sent>> send(WebSession& session, WebRequest request, const std::string& page,
                                     const std::string& username) {
    Sent sent;
    sent.place = request.path.substr(0, request.path.find('?'));
    auto first = co_await session.fetch(std::move(request));
    if (!first) {
      co_return first.error();
    }
    sent.paused = first->status == 429 || first->status == 423 || first->header("Retry-After") != nullptr;
    sent.look.status = first->status;
    sent.by_script = wire::keeps_sessions(first->body);
    auto last = co_await session.follow(std::move(*first), sent.place);
    if (!last) {
      co_return last.error();
    }
    sent.look.place = sent.place.substr(0, sent.place.find('?'));
    sent.look.asks = wire::shows_form(last->body, form_);
    sent.look.words = words_of(last->body, username);
    sent.text = last->body;
    sent.pages = pages_from(*door_, tls_, *last, sent.place, page);
    co_return sent;
  }

  /// The first page that this session gets, and neither a visitor nor whoever's login failed.
  asio::awaitable<Result<Inside>> find_proof(WebSession& session, std::vector<std::string> pages, Tried tried) {
    // A login page that gives way says most: pages come first that nobody gets who is still asked for a login.
    pages.insert(pages.begin(), {path_, "/"});
    for (;;) {
      std::erase_if(pages, [&](const auto& page) { return shown_to_failed_.contains(page); });
      auto inside = co_await find_inside(*door_, tls_, path_, form_, session, pages);
      if (!inside || inside->path.empty() || inside->path == path_ || inside->path == "/" ||
          behind_.contains(inside->path)) {
        co_return inside;
      }
      Result<bool> shown{tried.control};
      if (!tried.control) {
        shown = co_await is_shown_to_failed(*inside, tried.username);
      }
      if (!shown) {
        co_return shown.error();
      }
      if (!*shown) {
        behind_.insert(inside->path);
        told_apart_.insert(tried.username);
        co_return inside;
      }
      shown_to_failed_.insert(inside->path);
    }
  }

  /// Whether a wrong login of the same account gets the page, as it gets one that says why it failed.
  asio::awaitable<Result<bool>> is_shown_to_failed(Inside inside, std::string username) {
    const auto account = names_accounts() ? username : std::string{};
    auto permitted = co_await door_->network.permit_login(door_->endpoint, account);
    if (!permitted && permitted.error().kind == ErrorKind::denied) {
      co_return Error{ErrorKind::protocol, "no login is left to compare a page with what a wrong one gets", {}};
    }
    if (!permitted) {
      co_return permitted.error();
    }
    WebSession session{*door_, tls_};
    auto path = path_;
    auto page = co_await session.visit(path);
    if (!page) {
      co_return page.error();
    }
    const auto form = wire::find_login_form(page->body);
    const Secret wrong{sessions::random_word(14), "random password"};
    auto request = filled_form(*door_, tls_, form.value_or(form_), path, username, wrong);
    if (!request) {
      co_return request.error();
    }
    auto sent = co_await send(session, std::move(*request), path, username);
    if (!sent) {
      co_return sent.error();
    }
    path = inside.path;
    auto shown = co_await session.visit(path);
    if (!shown) {
      co_return shown.error();
    }
    co_return shown->status == 200 && path == inside.place && !wire::shows_form(shown->body, form_);
  }

  /// Whatever page the session asks for, it gets one where a password is chosen, or is asked for a login.
  asio::awaitable<Result<bool>> opens_a_change_alone(WebSession& session, Sent sent) {
    auto pages = links_from(*door_, tls_, sent.text, sent.place);
    pages.insert(pages.begin(), {path_, "/"});
    for (const auto& wanted : pages) {
      auto place = wanted;
      auto page = co_await session.visit(place);
      if (!page) {
        co_return page.error();
      }
      const bool other = !shows_change_form(page->body) && !wire::shows_form(page->body, form_);
      if (page->status == 200 && other && !shown_to_failed_.contains(wanted)) {
        co_return false;
      }
    }
    co_return true;
  }

  asio::awaitable<Attempt> judge(WebSession& session, Sent sent, Tried tried) {
    Attempt attempted;
    attempted.says = sent.text.substr(0, kKeptAnswer);
    attempted.by_script = sent.by_script;
    if (sent.paused) {
      attempted.outcome = Outcome::locked;
      attempted.says = "status " + std::to_string(sent.look.status);
      co_return attempted;
    }
    const bool usual =
        std::any_of(refusals_.begin(), refusals_.end(), [&](const auto& known) { return alike(known, sent.look); });
    // A wrong login that looks as ever and shows the form again has opened nothing.
    Result<Inside> inside{Inside{}};
    if (!usual || !sent.look.asks) {
      inside = co_await find_proof(session, sent.pages, tried);
    }
    if (!inside) {
      co_return failed(inside.error(), true);
    }
    if (!inside->path.empty()) {
      Result<bool> change{false};
      if (!tried.control && shows_change_form(sent.text)) {
        change = co_await opens_a_change_alone(session, sent);
      }
      if (!change) {
        co_return failed(change.error(), true);
      }
      taken_ = true;
      attempted.outcome = Outcome::accepted;
      attempted.proof = inside->proof;
      attempted.must_change = *change;
      co_return attempted;
    }
    if (asks_for_captcha_now(sent.text)) {
      co_return held_by_captcha(sent.text);
    }
    if (tried.control && !misunderstood(sent.look.status)) {
      refusals_.push_back(sent.look);
      usual_lock_words_ = usual_lock_words_ || says_locked(sent.text);
      attempted.outcome = Outcome::rejected;
    } else if (usual || (sent.look.asks && !tried.control)) {
      attempted.outcome = Outcome::rejected;
    } else if (!usual_lock_words_ && says_locked(sent.text)) {
      attempted.outcome = Outcome::locked;
    }
    co_return attempted;
  }

  Door* door_;
  bool tls_;
  std::string path_;
  wire::LoginForm form_;                   // as it came to the first visitor
  std::string captcha_;                    // that was asked for before any login; empty: none
  std::vector<Look> refusals_;             // what wrong logins got
  std::set<std::string> shown_to_failed_;  // pages that a session gets whose login failed, and no visitor
  std::set<std::string> behind_;           // pages that such a session was seen not to get
  std::set<std::string> told_apart_;       // accounts of which such a session was seen
  std::string not_sent_;                   // why
  bool usual_lock_words_ = false;
  bool understood_ = false;
  bool taken_ = false;  // a login was
};

}  // namespace

}  // namespace form

std::unique_ptr<Dialect> make_form(Door& door, bool tls, std::string path, const std::string& page) {
  auto form = wire::find_login_form(page).value_or(wire::LoginForm{});
  return std::make_unique<form::FormLogin>(door, tls, std::move(path), std::move(form), wire::find_captcha(page));
}

}  // namespace assay::probes::credentials
