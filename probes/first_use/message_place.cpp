#include <algorithm>

#include "probes/first_use/message_line.hpp"
#include "probes/first_use/place.hpp"
#include "probes/wire/bytes.hpp"

/// An interface of messages, by what `messages` says. There are no pages and no sessions here: a login is taken when
/// the setting is shown with it and can be changed with it, and neither with one that nobody has.
namespace assay::probes::first_use {

namespace messages {

namespace {

constexpr std::size_t kWord = 10;

class MessagePlace final : public Place {
 public:
  MessagePlace(ProbeContext& context, Door& door, const MessageInterface& recipe)
      : context_(context),
        door_(door),
        recipe_(recipe),
        username_(context.dut.accounts.empty() ? std::string{} : context.dut.accounts.front().username) {
    const bool psk = recipe.security == "psk";
    const auto inside = psk ? MqttInside::psk : recipe.security == "tls" ? MqttInside::tls : MqttInside::nothing;
    line_ = recipe.protocol == "coap" ? make_coap_line(door, psk) : make_mqtt_line(door, inside);
  }

  asio::awaitable<Result<bool>> admits(std::string username, Secret password) override {
    auto entered = co_await enters(std::move(username), std::move(password));
    co_return entered;
  }

  asio::awaitable<Result<std::string>> look_inside(std::string username, Secret /*password*/) override {
    username_ = std::move(username);
    auto stranger = co_await admits_stranger();
    if (!stranger) {
      co_return stranger.error();
    }
    co_return *stranger ? std::string{"the setting obeys a login that nobody has, so none can be told from another"}
                        : std::string{};
  }

  asio::awaitable<Result<bool>> enters(std::string username, Secret password) override {
    username_ = std::move(username);
    const std::string any;
    auto shown = co_await look(password, any);
    if (!shown) {
      co_return shown.error();
    }
    if (!*shown) {
      co_return false;
    }
    const auto word = sessions::random_word(kWord);
    const auto sender = sender_of(password);
    auto changed = co_await set(sender, word, password);
    if (!changed) {
      co_return changed.error();
    }
    auto now = co_await look(password, word);
    if (!now) {
      co_return now.error();
    }
    co_return *now && (*now)->find(word) != std::string::npos;
  }

  /// Each login changed the setting. One that was not let in changed nothing, and is not sent again.
  asio::awaitable<Result<>> leave(Secret password) override {
    if (!altered_) {
      co_return Result<>{};
    }
    const auto sender = sender_of(password);
    const auto value = recipe_.setting->value;
    auto changed = co_await set(sender, value, password);
    altered_ = !changed;
    co_return changed;
  }

  bool asks_old() const override {
    const auto& step = *recipe_.change_password;
    return (step.body + step.path).find("{old}") != std::string::npos;
  }

  asio::awaitable<Result<std::optional<Said>>> change(Secret now, Filling filling, bool /*watched*/) override {
    username_ = filling.username;
    filling.login = now;
    const auto sender = sender_of(now);
    auto said = co_await take_step(sender, *recipe_.change_password, std::move(filling));
    if (!said) {
      co_return said.error();
    }
    co_return std::optional{*said};
  }

  /// Every message brings its login along.
  asio::awaitable<Result<json::object>> sessions() override {
    co_return json::object{{"own", nullptr}, {"other", nullptr}};
  }

  asio::awaitable<Result<std::optional<bool>>> offers_set_up() override { co_return std::optional<bool>{}; }

  asio::awaitable<Result<Said>> set_up(std::string username, Secret password) override {
    Sender sender;
    for (const auto& account : context_.dut.accounts) {
      const bool helps = !recipe_.set_up_as.empty() && account.role == recipe_.set_up_as && !account.secret.empty();
      if (helps) {
        sender = {false, account.username, account.secret};
      }
    }
    Filling filling;
    filling.username = std::move(username);
    filling.password = std::move(password);
    auto said = co_await take_step(sender, *recipe_.set_up, std::move(filling));
    co_return said;
  }

  asio::awaitable<Result<bool>> opens(std::string username, Secret password) override {
    auto permitted = co_await context_.network.permit_login(door_.endpoint, username);
    if (!permitted) {
      co_return permitted.error();
    }
    auto entered = co_await enters(std::move(username), std::move(password));
    if (!entered || !*entered) {
      co_return entered;
    }
    // A device that is not set up yet may obey everybody.
    auto stranger = co_await admits_stranger();
    if (!stranger) {
      co_return stranger.error();
    }
    co_return !*stranger;
  }

  bool has_setting() const override { return true; }

  /// Where messages carry the login, a visitor has no name: with one it would be a wrong login of that account. Where
  /// the name stands in the place that the message goes to, nothing else reaches the setting, and the permit is drawn.
  asio::awaitable<Result<std::string>> act_as_visitor() override {
    const auto word = sessions::random_word(kWord);
    const Sender visitor;
    const Secret nothing;
    const auto known = username_;
    if (carries_login() && names_place()) {
      auto permitted = co_await context_.network.permit_login(door_.endpoint, username_);
      if (!permitted) {
        co_return permitted.error();
      }
    } else if (carries_login()) {
      username_.clear();
    }
    auto changed = co_await set(visitor, word, nothing);
    username_ = known;
    if (!changed) {
      co_return changed.error();
    }
    co_return word;
  }

  asio::awaitable<Result<bool>> settle_in(std::string username, Secret password) override {
    username_ = std::move(username);
    password_ = password;
    const std::string any;
    auto shown = co_await look(password, any);
    if (!shown) {
      co_return shown.error();
    }
    co_return shown->has_value();
  }

  asio::awaitable<Result<bool>> shows(std::string value) override {
    const auto before = std::find(seen_.begin(), seen_.end(), value) != seen_.end();
    if (before) {
      co_return true;
    }
    auto shown = co_await look(password_, value);
    if (!shown) {
      co_return shown.error();
    }
    co_return *shown && (*shown)->find(value) != std::string::npos;
  }

  asio::awaitable<Result<>> act(std::optional<std::string> value) override {
    const auto word = value.value_or(recipe_.setting->value);
    const auto sender = sender_of(password_);
    auto changed = co_await set(sender, word, password_);
    co_return changed;
  }

 private:
  /// A login that nobody has.
  asio::awaitable<Result<bool>> admits_stranger() {
    auto permitted = co_await context_.network.permit_login(door_.endpoint, username_);
    if (!permitted) {
      co_return permitted.error();
    }
    const Secret invented{sessions::random_word(12), "invented password"};
    auto entered = co_await enters(username_, invented);
    co_return entered;
  }

  /// Who sends with that password: the messages carry it where they have a place for it.
  Sender sender_of(const Secret& password) const {
    return carries_login() ? Sender{} : Sender{false, username_, password};
  }

  bool carries_login() const {
    const auto& setting = *recipe_.setting;
    const auto texts = setting.change.body + setting.change.path + setting.read;
    return recipe_.security != "psk" && texts.find("{password}") != std::string::npos;
  }

  /// The setting stands at a place of the account's own: a topic, or a path before its query.
  bool names_place() const {
    const auto& change = recipe_.setting->change;
    const auto place = change.path.substr(0, change.path.find('?')) + change.topic;
    return place.find("{username}") != std::string::npos;
  }

  asio::awaitable<Result<>> set(Sender sender, std::string value, Secret password) {
    sent_.push_back(value);
    altered_ = true;
    Filling filling;
    filling.username = username_;
    filling.password = std::move(password);
    filling.value = std::move(value);
    auto heard = co_await line_->send(std::move(sender), recipe_.setting->change, std::move(filling));
    co_return heard ? Result<>{} : Result<>{heard.error()};
  }

  /// What the setting shows to this login; nothing: it is not given. Remembers which of the values that were sent it
  /// showed, for the next login may change them.
  asio::awaitable<Result<std::optional<std::string>>> look(Secret password, std::string wanted) {
    auto sender = sender_of(password);
    Filling filling;
    filling.username = username_;
    filling.password = std::move(password);
    auto shown = co_await line_->read(std::move(sender), recipe_.setting->read, std::move(filling), std::move(wanted));
    if (shown && *shown) {
      for (const auto& value : sent_) {
        if ((*shown)->find(value) != std::string::npos) {
          seen_.push_back(value);
        }
      }
    }
    co_return shown;
  }

  asio::awaitable<Result<Said>> take_step(Sender sender, const MessageRecipe& step, Filling filling) {
    Said out;
    if (step.is_at_bench()) {
      BenchStep bench{step.exec, step.prompt, step.within_ms};
      auto done = co_await do_at_bench(context_, std::move(bench), std::move(filling));
      if (!done) {
        co_return done.error();
      }
      out.taken = *done;
      out.status = *done ? 0 : 1;
      co_return out;
    }
    auto heard = co_await line_->send(std::move(sender), step, std::move(filling));
    if (!heard) {
      co_return heard.error();
    }
    out.taken = heard->yes;
    out.status = heard->status;
    out.words = credentials::words_of(heard->payload, username_);
    co_return out;
  }

  ProbeContext& context_;
  Door& door_;
  const MessageInterface& recipe_;  // of the DUT file, which outlives the probe
  std::unique_ptr<MessageLine> line_;
  std::string username_;  // of whoever was here last; at first of the first account
  Secret password_;
  bool altered_ = false;           // the setting was sent
  std::vector<std::string> sent_;  // values of the setting
  std::vector<std::string> seen_;  // those of them that were shown
};

}  // namespace

}  // namespace messages

std::unique_ptr<Place> message_place(ProbeContext& context, Door& door) {
  const auto* recipe = message_interface_for(context.dut, door.endpoint);
  return recipe == nullptr ? nullptr : std::make_unique<messages::MessagePlace>(context, door, *recipe);
}

std::string message_login(const MessageInterface& recipe) {
  const bool psk = recipe.security == "psk";
  return !psk ? recipe.protocol : recipe.protocol == "coap" ? "coaps-psk" : "mqtt-psk";
}

}  // namespace assay::probes::first_use
