#include <optional>
#include <vector>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/sessions/digests.hpp"
#include "probes/wire/database_logins.hpp"
#include "probes/wire/databases.hpp"

/// Databases that speak the protocol of MySQL. Their client library connects by itself, past scope, pace and
/// transcript; the few packets of a login are built and read by probes/wire/database_logins.
namespace assay::probes::credentials {

namespace mysql {

namespace {

using sessions::digest;
using sessions::encrypt_to;
using sessions::exclusive_or;
using sessions::Hash;

constexpr std::string_view kNative = "mysql_native_password";
constexpr std::string_view kCaching = "caching_sha2_password";
constexpr std::string_view kClear = "mysql_clear_password";
constexpr std::string_view kFastAnswer = "\x03";
constexpr std::string_view kFullAnswer = "\x04";
constexpr std::string_view kGiveKey = "\x02";
constexpr std::uint32_t kDenied = 1045;
constexpr std::uint32_t kDeniedWithoutPassword = 1698;
constexpr std::uint32_t kHostBlocked = 1129;
constexpr std::uint32_t kAccountLocked[] = {3118, 3955, 4151};
constexpr int kMostPackets = 16;

struct Packet {
  std::uint8_t sequence = 0;
  std::string body;
};

asio::awaitable<Result<Packet>> hear(LineTalk& talk) {
  auto head = co_await talk.take(wire::kMysqlHead);
  if (!head) {
    co_return head.error();
  }
  const auto known = wire::parse_mysql_head(*head);
  if (!known.sound) {
    co_return Error{ErrorKind::protocol, "the reply is not of this protocol", {}};
  }
  auto body = co_await talk.take(known.body);
  if (!body) {
    co_return body.error();
  }
  Packet packet;
  packet.sequence = known.sequence;
  packet.body = std::move(*body);
  co_return packet;
}

asio::awaitable<Result<wire::MysqlGreeting>> hear_greeting(LineTalk& talk) {
  auto packet = co_await hear(talk);
  if (!packet) {
    co_return packet.error();
  }
  const auto whole = wire::mysql_packet(packet->sequence, packet->body);
  auto parse = wire::parse_mysql(whole);
  if (parse.state != wire::Parse::complete) {
    co_return Error{ErrorKind::protocol, "the greeting is not of this protocol", {}};
  }
  co_return parse.greeting;
}

bool locks(std::uint32_t code) {
  for (const auto known : kAccountLocked) {
    if (code == known) {
      return true;
    }
  }
  return code == kHostBlocked;
}

Told told_by(const wire::MysqlReply& reply) {
  Told told;
  told.text = "error " + std::to_string(reply.code) + " " + reply.message;
  if (locks(reply.code)) {
    told.answer = Told::Answer::locked;
    told.by_code = true;
  } else if (reply.code == kDenied || reply.code == kDeniedWithoutPassword) {
    told.answer = says_locked(reply.message) ? Told::Answer::locked : Told::Answer::no;
  }
  return told;
}

/// Has the session say whose it is. A login stands without that.
asio::awaitable<std::string> prove(LineTalk& talk) {
  auto question = wire::mysql_query("SELECT CURRENT_USER()");
  auto sent = co_await talk.say(std::move(question));
  std::optional<std::string> who;
  // A count of columns, one description, the end of these, one row, the end of all.
  for (int packets = 0; sent && packets < 5; ++packets) {
    auto packet = co_await hear(talk);
    if (!packet || wire::parse_mysql_reply(packet->body).kind == wire::MysqlReply::Kind::error) {
      break;
    }
    if (packets == 3) {
      who = wire::mysql_value(packet->body);
    }
  }
  co_await talk.say_goodbye(wire::mysql_packet(0, "\x01"));
  co_return who ? "the login was taken, and SELECT CURRENT_USER() gave \"" + wire::printable(*who, 64) + "\""
                : std::string{"the login was taken (an OK packet)"};
}

/// What a plugin makes of a password and a challenge of 20 bytes; nothing for one that is not known here.
std::optional<std::string> answer_of(std::string_view plugin, std::string_view password, std::string_view salt,
                                     bool tls) {
  const auto challenge = salt.substr(0, 20);
  if (password.empty()) {
    return std::string{};
  }
  if (plugin == kNative) {
    const auto once = digest(Hash::sha1, password);
    return exclusive_or(once, digest(Hash::sha1, std::string{challenge} + digest(Hash::sha1, once)));
  }
  if (plugin == kCaching) {
    const auto once = digest(Hash::sha256, password);
    return exclusive_or(once, digest(Hash::sha256, digest(Hash::sha256, once) + std::string{challenge}));
  }
  if (plugin == kClear && tls) {
    return std::string{password} + '\0';
  }
  return std::nullopt;
}

class MysqlLogin final : public FreshLogin {
 public:
  MysqlLogin(Door& door, bool tls) : FreshLogin(door, false), tls_(tls) {}

  std::string_view name() const override { return "mysql"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

  /// Passwords are hashed with a challenge, or go inside TLS or to the server's own key.
  bool clear() const override { return false; }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    LineTalk talk{std::move(channel), login_patience(door())};
    answers_.clear();
    auto told = co_await talk_through(talk, username, password);
    conceal_answers(told, username, password);
    co_return told;
  }

 private:
  asio::awaitable<Told> talk_through(LineTalk& talk, std::string username, Secret password) {
    auto greeting = co_await hear_greeting(talk);
    if (!greeting) {
      co_return broken(greeting.error(), false);
    }
    Told told;
    if (greeting->refused) {
      told.text = greeting->reason;
      told.answer = says_locked(greeting->reason) ? Told::Answer::locked : Told::Answer::unclear;
      co_return told;
    }
    salt_ = greeting->salt;
    plugin_ = greeting->plugin.empty() ? std::string{kNative} : greeting->plugin;
    if (tls_) {
      auto begun = co_await begin_tls(talk);
      if (!begun) {
        co_return broken(begun.error(), false);
      }
    }
    auto sent = co_await say_login(talk, username, password);
    if (!sent) {
      co_return broken(sent.error(), false);
    }
    told = co_await converse(talk, std::move(password));
    co_return told;
  }

  /// With its challenge an answer lets the password be guessed at leisure, and a server could say it again. Lists are
  /// long, and to look for every answer in all its forms is slow. A refusal in the words of the one before it, apart
  /// from the name, holds none, for each is to another challenge: then it stands in the packets alone, and with a word
  /// of a dictionary it tells nothing there.
  void conceal_answers(const Told& told, std::string_view username, const Secret& password) {
    auto words = told.text;
    if (const auto at = words.find(username); at != std::string::npos) {
      words.erase(at, username.size());
    }
    const bool repeated = told.answer == Told::Answer::no && words == refusal_;
    const auto name = "answer with " + password.name();
    for (const auto& bytes : answers_) {
      if (!repeated) {
        door().record.conceal(bytes, name);
      } else if (!anybody_may_read(password)) {
        door().record.conceal_in_bytes(bytes, name);
      }
    }
    refusal_ = std::move(words);
  }

  asio::awaitable<Result<>> begin_tls(LineTalk& talk) {
    auto request = wire::mysql_ssl_request();
    auto said = co_await talk.say(std::move(request));
    if (!said) {
      co_return said;
    }
    auto& place = door();
    auto started = co_await talk.start_tls(place);
    co_return started;
  }

  /// The answer that the server's plugin asks for, or an empty one where another will be asked for.
  std::string answer(const Secret& password) {
    const auto bytes = answer_of(plugin_, password.reveal(), salt_, tls_);
    known_ = bytes.has_value();
    if (bytes && bytes->size() >= 8 && plugin_ != kClear) {
      answers_.push_back(*bytes);
    }
    return bytes.value_or(std::string{});
  }

  asio::awaitable<Result<>> say_login(LineTalk& talk, const std::string& username, const Secret& password) {
    const auto bytes = answer(password);
    auto real = wire::mysql_login(username, bytes, known_ ? std::string_view{plugin_} : kNative, tls_);
    auto shown = "login {" + username + ", " + password.name() + "}";
    auto sent = co_await talk.say_concealed(std::move(real), std::move(shown));
    co_return sent;
  }

  asio::awaitable<Told> converse(LineTalk& talk, Secret password) {
    using Kind = wire::MysqlReply::Kind;
    Told told;
    for (int packets = 0; packets < kMostPackets; ++packets) {
      auto packet = co_await hear(talk);
      if (!packet) {
        co_return broken(packet.error(), true);
      }
      const auto reply = wire::parse_mysql_reply(packet->body);
      const auto next = static_cast<std::uint8_t>(packet->sequence + 1);
      Result<> sent;
      if (reply.kind == Kind::ok) {
        told.proof = co_await prove(talk);
        told.answer = Told::Answer::yes;
        co_return told;
      }
      if (reply.kind == Kind::error) {
        co_return told_by(reply);
      }
      if (reply.kind == Kind::other_plugin) {
        plugin_ = reply.plugin;
        salt_ = reply.data;
        auto bytes = answer(password);
        if (!known_) {
          told.text = "the plugin " + reply.plugin + " is asked for";
          co_return told;
        }
        sent = co_await say_answer(talk, next, std::move(bytes), password.name());
      } else if (reply.kind == Kind::more) {
        sent = co_await go_on(talk, next, reply.data, password);
      } else {
        told.text = "an answer that is not known here";
        co_return told;
      }
      if (!sent) {
        co_return broken(sent.error(), true);
      }
    }
    co_return told;
  }

  /// What caching_sha2_password says: the answer was right; the password itself is wanted; here is my key.
  asio::awaitable<Result<>> go_on(LineTalk& talk, std::uint8_t next, std::string words, Secret password) {
    Result<> sent;
    const auto with_end = password.reveal() + '\0';
    if (words == kFullAnswer && tls_) {
      auto bytes = with_end;
      sent = co_await say_answer(talk, next, std::move(bytes), password.name());
    } else if (words == kFullAnswer) {
      auto question = wire::mysql_packet(next, kGiveKey);
      sent = co_await talk.say(std::move(question));
    } else if (words.starts_with("-----BEGIN")) {
      std::string pad;
      while (!salt_.empty() && pad.size() < with_end.size()) {
        pad += salt_.substr(0, 20);
      }
      auto bytes = encrypt_to(words, exclusive_or(with_end, pad));
      if (bytes.empty()) {
        co_return Error{ErrorKind::protocol, "the server's key cannot be used", {}};
      }
      sent = co_await say_answer(talk, next, std::move(bytes), password.name());
    }
    co_return sent;
  }

  static asio::awaitable<Result<>> say_answer(LineTalk& talk, std::uint8_t sequence, std::string bytes,
                                              std::string name) {
    auto real = wire::mysql_packet(sequence, bytes);
    auto shown = "answer {" + name + "}";
    auto sent = co_await talk.say_concealed(std::move(real), std::move(shown));
    co_return sent;
  }

  bool tls_;
  bool known_ = false;  // the plugin of this login is
  std::string plugin_;
  std::string salt_;
  std::vector<std::string> answers_;  // that this login gave to challenges
  std::string refusal_;               // what the login before was told, without its name
};

asio::awaitable<Result<Detection>> find(Door& door) {
  Detection found;
  auto opened = co_await open_door(door, false);
  if (!opened) {
    co_return opened.error();
  }
  LineTalk talk{std::move(*opened), door.timers.reply};
  auto greeting = co_await hear_greeting(talk);
  if (!greeting) {
    if (sessions::ends_probe(greeting.error().kind)) {
      co_return greeting.error();
    }
    co_return found;
  }
  if (greeting->refused) {
    found.spoken = "mysql";
    found.doubt = "the server refuses before any login: " + greeting->reason;
    found.way_doubt = found.doubt;
    co_return found;
  }
  // Whoever goes away without a word counts with some servers as a failed connection, and many of them as an attack.
  const auto nobody = "assay" + sessions::random_word(8);
  auto goodbye = wire::mysql_login(nobody, {}, kNative, false);
  auto said = co_await talk.say(std::move(goodbye));
  if (said) {
    auto last = co_await hear(talk);
    const bool in = last && wire::parse_mysql_reply(last->body).kind == wire::MysqlReply::Kind::ok;
    found.open = in;
    found.open_proof = in ? "a name that nobody has was let in without a password" : std::string{};
  }
  found.dialect = std::make_unique<MysqlLogin>(door, greeting->tls);
  co_return found;
}

}  // namespace

}  // namespace mysql

asio::awaitable<Result<Detection>> detect_mysql(Door& door) {
  auto found = co_await mysql::find(door);
  co_return found;
}

}  // namespace assay::probes::credentials
