#include <algorithm>

#include "probes/first_use/place.hpp"
#include "probes/wire/bytes.hpp"

/// A web interface, by the requests of `web`.
namespace assay::probes::first_use {

namespace web {

namespace {

constexpr std::size_t kWord = 10;

json::value alive(const Result<Sight>& seen) {
  return !seen || *seen == Sight::unclear ? json::value(nullptr) : json::value(*seen == Sight::given);
}

class WebPlace final : public Place {
 public:
  WebPlace(ProbeContext& context, Door& door, const WebInterface& recipe, WebLogin login,
           credentials::Detection detection)
      : context_(context), door_(door), recipe_(recipe), login_(login), detection_(std::move(detection)) {}

  asio::awaitable<Result<bool>> admits(std::string username, Secret password) override {
    auto attempted = co_await detection_.dialect->attempt(std::move(username), std::move(password));
    if (attempted.ended) {
      co_return *attempted.ended;
    }
    co_return attempted.outcome == credentials::Outcome::accepted;
  }

  asio::awaitable<Result<std::string>> look_inside(std::string username, Secret password) override {
    WebUser first{door_, login_};
    auto page = co_await find_protected(house_, first, std::move(username), std::move(password));
    if (!page) {
      co_return page.error();
    }
    co_return house_.inside.path.empty() ? std::string{"no page was found that the account gets and a visitor does not"}
                                         : std::string{};
  }

  asio::awaitable<Result<bool>> enters(std::string username, Secret password) override {
    auto entered = co_await enter(house_, std::move(username), std::move(password));
    if (!entered) {
      co_return entered.error();
    }
    co_return entered->has_value();
  }

  asio::awaitable<Result<>> leave(Secret /*password*/) override { co_return Result<>{}; }

  bool asks_old() const override { return recipe_.change_password->body.find("{old}") != std::string::npos; }

  asio::awaitable<Result<std::optional<Said>>> change(Secret now, Filling filling, bool watched) override {
    std::optional<Said> out;
    if (watched) {
      auto other = co_await enter(house_, filling.username, now);
      if (!other || !*other) {
        co_return other ? Result<std::optional<Said>>{out} : Result<std::optional<Said>>{other.error()};
      }
      other_ = std::move(*other);
    }
    auto user = co_await enter(house_, filling.username, now);
    if (!user || !*user) {
      co_return user ? Result<std::optional<Said>>{out} : Result<std::optional<Said>>{user.error()};
    }
    if (watched) {
      // A login may have ended the session before it: then there is no other one to outlive the change.
      auto lives = co_await credentials::sight(house_, *other_);
      other_lived_ = lives && *lives == Sight::given;
      own_ = **user;
    }
    auto answer = co_await send(context_, house_, **user, *recipe_.change_password, filling);
    if (!answer) {
      co_return answer.error();
    }
    out = said(*answer, filling.username);
    co_return out;
  }

  asio::awaitable<Result<json::object>> sessions() override {
    json::object out{{"own", nullptr}, {"other", nullptr}};
    auto own = co_await credentials::sight(house_, *own_);
    out["own"] = alive(own);
    if (other_lived_) {
      auto other = co_await credentials::sight(house_, *other_);
      out["other"] = alive(other);
    }
    co_return out;
  }

  asio::awaitable<Result<std::optional<bool>>> offers_set_up() override {
    std::optional<bool> out;
    if (recipe_.set_up->page.empty()) {
      co_return out;
    }
    WebUser user{door_, login_};
    auto page = co_await user.look(recipe_.set_up->page);
    if (!page) {
      co_return page.error();
    }
    out = credentials::has_form_for(*page, *recipe_.set_up);
    co_return out;
  }

  asio::awaitable<Result<Said>> set_up(std::string username, Secret password) override {
    const WebHouse house{door_, visitor()};
    WebUser user{door_, visitor()};
    auto came = co_await user.arrive();
    if (!came) {
      co_return came.error();
    }
    Filling filling;
    filling.username = std::move(username);
    filling.password = std::move(password);
    auto answer = co_await send(context_, house, user, *recipe_.set_up, filling);
    if (!answer) {
      co_return answer.error();
    }
    co_return said(*answer, filling.username);
  }

  asio::awaitable<Result<bool>> opens(std::string username, Secret password) override {
    auto found = co_await credentials::detect(door_);
    if (!found) {
      co_return found.error();
    }
    detection_ = std::move(*found);
    const auto login = credentials::web_login_of(door_, detection_);
    if (!login) {
      co_return false;
    }
    login_ = *login;
    auto permitted = co_await context_.network.permit_login(door_.endpoint, username);
    if (!permitted) {
      co_return permitted.error();
    }
    house_.inside = {};
    WebUser user{door_, login_};
    auto page = co_await find_protected(house_, user, std::move(username), std::move(password));
    if (!page && page.error().kind != ErrorKind::protocol) {
      co_return page.error();
    }
    co_return !house_.inside.path.empty();
  }

  bool has_setting() const override { return recipe_.setting.has_value(); }

  asio::awaitable<Result<std::string>> act_as_visitor() override {
    const WebHouse house{door_, visitor()};
    Filling filling;
    filling.value = sessions::random_word(kWord);
    WebUser user{door_, visitor()};
    auto came = co_await user.arrive();
    if (!came) {
      co_return came.error();
    }
    auto answer = co_await send(context_, house, user, recipe_.setting->change, filling);
    // A page without the form is a refusal like any other, and the value shows whether anything was done.
    if (!answer && answer.error().kind != ErrorKind::protocol) {
      co_return answer.error();
    }
    co_return filling.value;
  }

  asio::awaitable<Result<bool>> settle_in(std::string username, Secret password) override {
    auto user = co_await enter(house_, std::move(username), std::move(password));
    if (!user) {
      co_return user.error();
    }
    own_ = std::move(*user);
    co_return own_.has_value();
  }

  asio::awaitable<Result<bool>> shows(std::string value) override {
    auto page = co_await own_->look(recipe_.setting->read);
    if (!page) {
      co_return page.error();
    }
    co_return page->response.body.find(value) != std::string::npos;
  }

  asio::awaitable<Result<>> act(std::optional<std::string> value) override {
    Filling filling;
    filling.value = value.value_or(recipe_.setting->value);
    auto answer = co_await send(context_, house_, *own_, recipe_.setting->change, filling);
    co_return answer ? Result<>{} : Result<>{answer.error()};
  }

 private:
  static Said said(const Page& page, const std::string& username) {
    return {page.response.status, credentials::is_taken(page.response.status),
            credentials::words_of(page.response.body, username)};
  }

  /// Whoever comes by, before anything is known of logins.
  const WebLogin& visitor() {
    visitor_.tls = login_.tls;
    return visitor_;
  }

  ProbeContext& context_;
  Door& door_;
  const WebInterface& recipe_;  // of the DUT file, which outlives the probe
  WebLogin login_;
  WebLogin visitor_{};
  credentials::Detection detection_;
  WebHouse house_{door_, login_};
  std::optional<WebUser> own_{};
  std::optional<WebUser> other_{};
  bool other_lived_ = false;
};

/// Before the set-up nothing says whether TLS is spoken but TLS itself.
asio::awaitable<Result<std::optional<bool>>> hears_http(Door& door) {
  for (const bool tls : {true, false}) {
    WebLogin visitor;
    visitor.tls = tls;
    WebUser user{door, visitor};
    auto page = co_await user.look("/");
    if (page) {
      co_return std::optional<bool>{tls};
    }
    if (sessions::ends_probe(page.error().kind)) {
      co_return page.error();
    }
  }
  co_return std::optional<bool>{};
}

}  // namespace

}  // namespace web

const MessageInterface* message_interface_for(const Dut& dut, const Endpoint& endpoint) {
  const auto found =
      std::find_if(dut.messages.begin(), dut.messages.end(), [&](const auto& entry) { return entry.port == endpoint; });
  return found == dut.messages.end() ? nullptr : &*found;
}

asio::awaitable<Result<Opened>> open_place(ProbeContext& context, Door& door) {
  Opened out;
  if (const auto* messages = message_interface_for(context.dut, door.endpoint)) {
    out.login = message_login(*messages);
    if (messages->change_password && messages->setting) {
      out.place = message_place(context, door);
    } else {
      out.why = "the DUT file does not say how a password is changed here (messages: change_password)";
    }
    co_return out;
  }
  auto found = co_await credentials::detect(door);
  if (!found) {
    co_return found.error();
  }
  const auto login = credentials::web_login_of(door, *found);
  const auto* recipe = credentials::web_interface_for(context.dut, door.endpoint);
  if (!login) {
    out.no_login = !found->silent && found->other_login.empty() && found->doubt.empty();
    out.why = found->silent           ? "the endpoint said nothing"
              : !found->doubt.empty() ? found->doubt
                                      : "there is a login that this probe does not know";
    co_return out;
  }
  out.login = found->dialect->name();
  if (recipe == nullptr || !recipe->change_password) {
    out.why = "the DUT file does not say how a password is changed here (web: change_password)";
    co_return out;
  }
  out.place = std::make_unique<web::WebPlace>(context, door, *recipe, *login, std::move(*found));
  co_return out;
}

asio::awaitable<Result<Opened>> open_fresh_place(ProbeContext& context, Door& door) {
  Opened out;
  if (const auto* messages = message_interface_for(context.dut, door.endpoint)) {
    if (messages->set_up && messages->setting && !context.dut.accounts.empty()) {
      out.place = message_place(context, door);
    } else {
      out.why = "the DUT file does not say how the device is set up here (messages: set_up, and an account)";
    }
    co_return out;
  }
  const auto* recipe = credentials::web_interface_for(context.dut, door.endpoint);
  if (recipe == nullptr || !recipe->set_up || context.dut.accounts.empty()) {
    out.why = "the DUT file does not say how the device is set up here (web: set_up, and an account)";
    co_return out;
  }
  auto tls = co_await web::hears_http(door);
  if (!tls) {
    co_return tls.error();
  }
  if (!*tls) {
    out.why = "the endpoint speaks no HTTP";
    co_return out;
  }
  WebLogin login;
  login.tls = **tls;
  out.place = std::make_unique<web::WebPlace>(context, door, *recipe, login, credentials::Detection{});
  co_return out;
}

}  // namespace assay::probes::first_use
