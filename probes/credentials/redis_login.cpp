#include "probes/credentials/dialects.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/wire/databases.hpp"

namespace assay::probes::credentials {

namespace redis {

namespace {

wire::Parse whole(std::string_view bytes) {
  return wire::parse_redis(bytes).state;
}

/// A command as an array of bulk strings.
std::string command(std::initializer_list<std::string_view> words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n" + std::string{word} + "\r\n";
  }
  return out;
}

/// AUTH with one argument: the password of the user "default", the only one there was before Redis 6. With two: of any.
class RedisLogin final : public FreshLogin {
 public:
  RedisLogin(Door& door, bool tls, bool named) : FreshLogin(door, tls), named_(named) {}

  std::string_view name() const override { return named_ ? "redis-user" : "redis"; }

  bool names_accounts() const override { return named_; }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    LineTalk talk{std::move(channel), login_patience(door())};
    const auto line = named_ ? command({"AUTH", username, password.reveal()}) : command({"AUTH", password.reveal()});
    const auto shown = "AUTH {" + (named_ ? username + ", " : std::string{}) + password.name() + "}";
    auto answer = co_await talk.ask_concealed(line, shown, &whole);
    if (!answer) {
      co_return broken(answer.error(), true);
    }
    const auto reply = wire::parse_redis(*answer).reply;
    Told told;
    told.text = reply.text;
    if (reply.kind == wire::RedisReply::Kind::status && reply.text == "OK") {
      auto pong = co_await talk.ask(wire::redis_ping(), &whole);
      const bool works = pong && wire::parse_redis(*pong).reply.text == "PONG";
      told.answer = works ? Told::Answer::yes : Told::Answer::unclear;
      told.proof = "AUTH was answered with OK, and PING, refused before, with PONG";
    } else if (reply.text.starts_with("WRONGPASS") || wire::contains_ignoring_case(reply.text, "invalid password")) {
      told.answer = Told::Answer::no;
    }
    co_return told;
  }

 private:
  bool named_;
};

/// Whether the server knows users (since Redis 6), by a command that is as old as they are: before any login it is
/// refused for want of one where it is known.
asio::awaitable<bool> knows_users(LineTalk& talk) {
  auto line = command({"HELLO", "3"});
  auto answer = co_await talk.ask(std::move(line), &whole);
  const auto said = answer ? wire::parse_redis(*answer).reply.text : std::string{};
  co_return wire::contains_ignoring_case(said, "NOAUTH");
}

asio::awaitable<Result<Detection>> find(Door& door, bool tls) {
  Detection found;
  auto opened = co_await open_door(door, tls);
  if (!opened) {
    co_return opened.error();
  }
  LineTalk talk{std::move(*opened), door.timers.reply};
  auto answer = co_await talk.ask(wire::redis_ping(), &whole);
  if (!answer) {
    if (sessions::ends_probe(answer.error().kind)) {
      co_return answer.error();
    }
    co_return found;
  }
  const auto reply = wire::parse_redis(*answer).reply;
  if (reply.text == "PONG") {
    auto info = co_await talk.ask(wire::redis_info(), &whole);
    const bool told = info && wire::parse_redis(*info).reply.kind == wire::RedisReply::Kind::bulk;
    found.open = true;
    found.open_proof = told ? "without a login PING and INFO were answered" : "without a login PING was answered";
  }
  if (reply.text == "PONG" || reply.text.starts_with("NOAUTH")) {
    found.dialect = std::make_unique<RedisLogin>(door, tls, false);
    bool users = false;
    if (!found.open) {
      users = co_await knows_users(talk);
    }
    if (users) {
      found.more.push_back(std::make_unique<RedisLogin>(door, tls, true));
    }
  } else if (reply.text.starts_with("DENIED")) {
    found.other_login = "a Redis server in protected mode, which answers its own host only";
  }
  co_return found;
}

}  // namespace

}  // namespace redis

asio::awaitable<Result<Detection>> detect_redis(Door& door, bool tls) {
  return redis::find(door, tls);
}

}  // namespace assay::probes::credentials
