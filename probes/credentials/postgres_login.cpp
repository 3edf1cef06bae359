#include <optional>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/sessions/digests.hpp"
#include "probes/wire/database_logins.hpp"
#include "probes/wire/databases.hpp"

/// Databases that speak the protocol of PostgreSQL. libpq connects by itself, past scope, pace and transcript; the few
/// messages of a login are built and read by probes/wire/database_logins.
///
/// A name that the server does not know is asked for a password like any other. Who is trusted is told before any
/// password, so a name that is in without being asked is an open door of that name.
namespace assay::probes::credentials {

namespace postgres {

namespace {

using sessions::digest;
using sessions::exclusive_or;
using sessions::Hash;
using sessions::hmac;
using sessions::stretched;

constexpr std::string_view kDatabase = "postgres";
constexpr std::string_view kUsualName = "postgres";
constexpr std::string_view kScram = "SCRAM-SHA-256";
constexpr std::uint32_t kMostIterations = 1'000'000;
constexpr int kMostMessages = 64;
constexpr std::string_view kNoDatabase = "3D000";
constexpr std::string_view kBadPassword = "28P01";
constexpr std::string_view kNotLetIn = "28000";

struct Message {
  char kind = 0;
  std::string body;
};

asio::awaitable<Result<Message>> hear(LineTalk& talk) {
  auto head = co_await talk.take(wire::kPostgresHead);
  if (!head) {
    co_return head.error();
  }
  const auto known = wire::parse_postgres_head(*head);
  if (!known.sound) {
    co_return Error{ErrorKind::protocol, "the reply is not of this protocol", {}};
  }
  auto body = co_await talk.take(known.body);
  if (!body) {
    co_return body.error();
  }
  Message message;
  message.kind = known.kind;
  message.body = std::move(*body);
  co_return message;
}

/// The next message that is neither a notice nor a setting.
asio::awaitable<Result<Message>> hear_word(LineTalk& talk) {
  for (int messages = 0; messages < kMostMessages; ++messages) {
    auto message = co_await hear(talk);
    if (!message || (message->kind != 'N' && message->kind != 'S' && message->kind != 'K')) {
      co_return message;
    }
  }
  co_return Error{ErrorKind::protocol, "the server never came to the point", {}};
}

/// TLS on a connection that has not spoken yet (message SSLRequest).
asio::awaitable<Result<>> begin_tls(Door& door, LineTalk& talk) {
  auto request = wire::postgres_ssl_request();
  auto said = co_await talk.say(std::move(request));
  if (!said) {
    co_return said;
  }
  auto answer = co_await talk.take(1);
  if (!answer) {
    co_return answer.error();
  }
  if (*answer != "S") {
    co_return Error{ErrorKind::protocol, "TLS is not offered", {}};
  }
  auto started = co_await talk.start_tls(door);
  co_return started;
}

/// Introduces us by a name, and hears what the server wants of it.
asio::awaitable<Result<Message>> introduce(Door& door, LineTalk& talk, bool tls, std::string name) {
  if (tls) {
    auto begun = co_await begin_tls(door, talk);
    if (!begun) {
      co_return begun.error();
    }
  }
  auto introduction = wire::postgres_login(name, kDatabase);
  auto said = co_await talk.say(std::move(introduction));
  if (!said) {
    co_return said.error();
  }
  auto message = co_await hear_word(talk);
  co_return message;
}

Told told_by(const Message& message) {
  Told told;
  if (message.kind != 'E') {
    told.text = "a message of kind " + wire::printable({&message.kind, 1});
    return told;
  }
  const auto error = wire::parse_postgres_error(message.body);
  told.text = error.sqlstate + " " + error.message;
  if (error.sqlstate == kBadPassword || error.sqlstate == kNotLetIn) {
    told.answer = says_locked(error.message) ? Told::Answer::locked : Told::Answer::no;
  }
  return told;
}

/// After the words "you are who you say": reads until the session is ready and has it say whose it is.
asio::awaitable<Told> prove(LineTalk& talk, bool asked) {
  Told told;
  auto ready = co_await hear_word(talk);
  if (!ready) {
    told.error = ready.error();
    co_return told;
  }
  const std::string how = asked ? "authentication succeeded" : "no password was asked for";
  if (ready->kind == 'E') {
    told = told_by(*ready);
    // The name is checked after those who are trusted were let through; a missing database comes after both.
    if (wire::parse_postgres_error(ready->body).sqlstate == kNoDatabase) {
      told.answer = Told::Answer::yes;
      told.proof = how + ", and only the database postgres is missing";
    }
    co_return told;
  }
  if (ready->kind != 'Z') {
    told.text = "authentication ended without a session";
    co_return told;
  }
  auto question = wire::postgres_query("SELECT current_user");
  auto sent = co_await talk.say(std::move(question));
  std::optional<std::string> who;
  for (int messages = 0; sent && messages < kMostMessages; ++messages) {
    auto message = co_await hear_word(talk);
    if (!message || message->kind == 'Z') {
      break;
    }
    if (message->kind == 'D') {
      who = wire::postgres_value(message->body);
    }
  }
  co_await talk.say_goodbye(wire::postgres_goodbye());
  told.answer = Told::Answer::yes;
  told.proof = how + (who ? ", and SELECT current_user gave \"" + wire::printable(*who, 64) + "\""
                          : std::string{", and the session was ready"});
  co_return told;
}

/// What SCRAM-SHA-256 makes of a password (RFC 5802, 3; RFC 7677).
struct Scram {
  std::string last_words;   // of ours
  std::string server_sign;  // that shows the server to know the password too
};

Scram scram(std::string_view password, std::string_view first, std::string_view challenge_words,
            const wire::ScramChallenge& challenge) {
  const auto salted = stretched(Hash::sha256, password, challenge.salt, challenge.iterations);
  const auto key = hmac(Hash::sha256, salted, "Client Key");
  const auto without_proof = "c=biws,r=" + challenge.nonce;
  const auto signed_words = std::string{first} + "," + std::string{challenge_words} + "," + without_proof;
  const auto proof = exclusive_or(key, hmac(Hash::sha256, digest(Hash::sha256, key), signed_words));
  Scram out;
  out.last_words = without_proof + ",p=" + wire::base64(proof);
  out.server_sign = wire::base64(hmac(Hash::sha256, hmac(Hash::sha256, salted, "Server Key"), signed_words));
  return out;
}

std::string md5_answer(std::string_view user, std::string_view password, std::string_view salt) {
  const auto inner = wire::hex(digest(Hash::md5, std::string{password} + std::string{user}));
  return "md5" + wire::hex(digest(Hash::md5, inner + std::string{salt}));
}

class PostgresLogin final : public FreshLogin {
 public:
  PostgresLogin(Door& door, bool tls, bool clear) : FreshLogin(door, false), inside_tls_(tls), clear_(clear) {}

  std::string_view name() const override { return "postgresql"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

  bool clear() const override { return clear_; }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    LineTalk talk{std::move(channel), login_patience(door())};
    auto& place = door();
    auto asked = co_await introduce(place, talk, inside_tls_, username);
    if (!asked) {
      co_return broken(asked.error(), false);
    }
    if (asked->kind != 'R') {
      co_return told_by(*asked);
    }
    const auto asks = wire::parse_postgres_asks(asked->body);
    Told told;
    if (asks.sound && asks.what == wire::kPostgresOk) {
      told = co_await prove(talk, false);
      told.sent = false;
    } else if (asks.sound && asks.what == wire::kPostgresSasl) {
      told = co_await log_in_scram(talk, asks, std::move(password));
    } else if (asks.sound && (asks.what == wire::kPostgresClear || asks.what == wire::kPostgresMd5)) {
      told = co_await log_in_plain(talk, asks, std::move(username), std::move(password));
    } else {
      told.text = "authentication of kind " + std::to_string(asks.what) + " is asked for";
    }
    co_return told;
  }

 private:
  asio::awaitable<Told> log_in_plain(LineTalk& talk, const wire::PostgresAsks& asks, std::string username,
                                     Secret password) {
    const auto answer =
        asks.what == wire::kPostgresMd5 ? md5_answer(username, password.reveal(), asks.data) : password.reveal();
    if (asks.what == wire::kPostgresMd5) {
      door().record.conceal(answer, "answer with " + password.name());
    }
    auto real = wire::postgres_password(answer);
    auto shown = "PasswordMessage {" + password.name() + "}";
    auto sent = co_await talk.say_concealed(std::move(real), std::move(shown));
    if (!sent) {
      co_return broken(sent.error(), false);
    }
    auto told = co_await hear_verdict(talk);
    co_return told;
  }

  asio::awaitable<Told> hear_verdict(LineTalk& talk) {
    auto answer = co_await hear_word(talk);
    if (!answer) {
      co_return broken(answer.error(), true);
    }
    if (answer->kind != 'R') {
      co_return told_by(*answer);
    }
    Told told;
    const auto asks = wire::parse_postgres_asks(answer->body);
    if (asks.sound && asks.what == wire::kPostgresOk) {
      told = co_await prove(talk, true);
    }
    co_return told;
  }

  asio::awaitable<Told> log_in_scram(LineTalk& talk, const wire::PostgresAsks& asks, Secret password) {
    Told told;
    bool offered = false;
    for (const auto& mechanism : asks.mechanisms) {
      offered = offered || mechanism == kScram;
    }
    if (!offered) {
      told.text = "no mechanism of SASL that is known here is offered";
      co_return told;
    }
    const auto nonce = sessions::random_word(24);
    const auto first = "n=,r=" + nonce;
    const auto with_header = "n,," + first;
    auto words = wire::postgres_sasl_first(kScram, with_header);
    auto said = co_await talk.say(std::move(words));
    if (!said) {
      co_return broken(said.error(), false);
    }
    auto heard = co_await hear_word(talk);
    if (!heard) {
      co_return broken(heard.error(), false);
    }
    const auto goes_on = heard->kind == 'R' ? wire::parse_postgres_asks(heard->body) : wire::PostgresAsks{};
    const auto challenge = wire::parse_scram_challenge(goes_on.data, nonce);
    if (goes_on.what != wire::kPostgresSaslGoesOn || !challenge.sound || challenge.iterations > kMostIterations) {
      co_return heard->kind == 'R' ? told : told_by(*heard);
    }
    const auto ours = scram(password.reveal(), first, goes_on.data, challenge);
    door().record.conceal(ours.last_words, "answer with " + password.name());
    talk.hold();
    auto real = wire::postgres_sasl_next(ours.last_words);
    auto shown = "SASLResponse {" + password.name() + "}";
    auto sent = co_await talk.say_concealed(std::move(real), std::move(shown));
    if (!sent) {
      co_return broken(sent.error(), false);
    }
    auto last = co_await hear_word(talk);
    keep_out_signature(last, ours, password);
    talk.let_go();
    if (!last) {
      co_return broken(last.error(), true);
    }
    const auto ends = last->kind == 'R' ? wire::parse_postgres_asks(last->body) : wire::PostgresAsks{};
    if (ends.what != wire::kPostgresSaslEnds) {
      co_return told_by(*last);
    }
    told = co_await hear_verdict(talk);
    if (told.answer == Told::Answer::yes && ends.data == "v=" + ours.server_sign) {
      told.proof += "; the server showed that it knows the password too";
    }
    co_return told;
  }

  /// With the words before it, the server's signature lets the password be guessed as our own answer does.
  void keep_out_signature(const Result<Message>& message, const Scram& ours, const Secret& password) {
    if (message && message->body.find(ours.server_sign) != std::string::npos) {
      door().record.conceal(ours.server_sign, "signature with " + password.name());
      door().transcript.conceal(ours.server_sign, "signature with " + password.name());
    }
  }

  bool inside_tls_;
  bool clear_;
};

/// What the server wants of a name: the method of a password, nothing, or an error before any.
struct Wants {
  wire::PostgresAsks asks;
  std::optional<wire::PostgresError> error;
};

asio::awaitable<Result<Wants>> ask_as(Door& door, bool tls, std::string name) {
  auto opened = co_await open_door(door, false);
  if (!opened) {
    co_return opened.error();
  }
  LineTalk talk{std::move(*opened), login_patience(door)};
  auto message = co_await introduce(door, talk, tls, std::move(name));
  if (!message) {
    co_return message.error();
  }
  Wants wants;
  if (message->kind == 'E') {
    wants.error = wire::parse_postgres_error(message->body);
  } else if (message->kind == 'R') {
    wants.asks = wire::parse_postgres_asks(message->body);
  }
  if (message->kind != 'E' && !wants.asks.sound) {
    co_return Error{ErrorKind::protocol, "the reply is not of this protocol", {}};
  }
  co_return wants;
}

/// Whether a usual name is in without a password.
asio::awaitable<Result<std::string>> find_trust(Door& door, bool tls) {
  auto opened = co_await open_door(door, false);
  if (!opened) {
    co_return opened.error();
  }
  LineTalk talk{std::move(*opened), login_patience(door)};
  std::string usual{kUsualName};
  auto message = co_await introduce(door, talk, tls, std::move(usual));
  if (!message) {
    co_return message.error();
  }
  if (message->kind != 'R' || wire::parse_postgres_asks(message->body).what != wire::kPostgresOk) {
    co_return std::string{};
  }
  auto told = co_await prove(talk, false);
  co_return told.answer == Told::Answer::yes ? "as \"postgres\" " + told.proof : std::string{};
}

asio::awaitable<Result<Detection>> find(Door& door) {
  Detection found;
  const auto stranger = "assay" + sessions::random_word(8);
  bool tls = false;
  auto wants = co_await ask_as(door, tls, stranger);
  if (wants && wants->error && wants->error->sqlstate == kNotLetIn) {
    // Rules are made for TLS and for clear apart: what is shut on one way may be open on the other.
    auto inside = co_await ask_as(door, true, stranger);
    if (inside) {
      tls = true;
      wants = std::move(inside);
    }
  }
  if (!wants) {
    if (sessions::ends_probe(wants.error().kind)) {
      co_return wants.error();
    }
    co_return found;
  }
  if (wants->error) {
    if (wants->error->sqlstate.size() == 5) {
      found.spoken = "postgresql";
      found.doubt = "a name that nobody has is refused before a password is asked for: " + wants->error->message;
      found.way_doubt = found.doubt;
    }
    co_return found;
  }
  if (wants->asks.what == wire::kPostgresOk) {
    auto trust = co_await find_trust(door, tls);
    if (!trust && sessions::ends_probe(trust.error().kind)) {
      co_return trust.error();
    }
    found.open = trust && !trust->empty();
    found.open_proof = found.open ? *trust : std::string{};
  }
  const bool clear = !tls && wants->asks.what == wire::kPostgresClear;
  found.dialect = std::make_unique<PostgresLogin>(door, tls, clear);
  co_return found;
}

}  // namespace

}  // namespace postgres

asio::awaitable<Result<Detection>> detect_postgres(Door& door, bool tls) {
  Result<Detection> found{Detection{}};
  if (!tls) {
    found = co_await postgres::find(door);
  }
  co_return found;
}

}  // namespace assay::probes::credentials
