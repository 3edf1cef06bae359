#include <utility>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/kept_login.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/wire/reply_lines.hpp"

namespace assay::probes::credentials {

namespace ftp {

namespace {

constexpr int kReady = 220;
constexpr int kLoggedIn = 230;
constexpr int kPath = 257;
constexpr int kNeedsPassword = 331;
constexpr int kTlsNow = 234;
constexpr int kGoingAway = 421;

wire::Parse whole(std::string_view bytes) {
  return wire::parse_reply_lines(bytes).state;
}

int code_of(std::string_view reply) {
  return wire::parse_reply_lines(reply).reply.code;
}

/// "Too many connected users" is a limit of connections; a server that locks somebody out says that.
bool turns_away(std::string_view reply) {
  return says_locked(reply) && !wire::contains_ignoring_case(reply, "connect") &&
         !wire::contains_ignoring_case(reply, "users");
}

Told judge(std::string reply) {
  Told told;
  const int code = code_of(reply);
  const bool locked = turns_away(reply);
  told.text = std::move(reply);
  if (code == kLoggedIn || code == 202) {
    told.answer = Told::Answer::yes;
  } else if (code == kGoingAway) {
    told.answer = locked ? Told::Answer::locked : Told::Answer::unclear;
  } else if (code == 530 || code == 430 || code == 535) {
    told.answer = Told::Answer::no;
  }
  return told;
}

/// What was said to names, on all connections.
struct Names {
  bool asked = false;    // some for a password
  bool refused = false;  // some without having been asked
};

/// One control connection. USER and PASS may follow each other until somebody is let in (RFC 959, 5.4).
class FtpSession final : public LoginSession {
 public:
  FtpSession(std::unique_ptr<sessions::Channel> channel, Door& door, bool upgrade, Names& names)
      : talk_(std::move(channel), login_patience(door)), door_(door), upgrade_(upgrade), names_(names) {}

  asio::awaitable<Told> log_in(std::string username, Secret password) override {
    if (!std::exchange(begun_, true)) {
      auto begun = co_await begin();
      if (begun) {
        co_return *begun;
      }
    }
    const auto user = "USER " + username + "\r\n";
    auto reply = co_await talk_.ask(user, &whole);
    if (!reply) {
      co_return broken(reply.error(), false);
    }
    const bool wanted = code_of(*reply) == kNeedsPassword;
    if (wanted) {
      names_.asked = true;
      const auto shown = "PASS {" + password.name() + "}";
      const auto line = "PASS " + password.reveal() + "\r\n";
      reply = co_await talk_.ask_concealed(line, shown, &whole);
      if (!reply) {
        co_return broken(reply.error(), true);
      }
    }
    auto told = judge(std::move(*reply));
    told.sent = wanted;
    if (told.answer == Told::Answer::no && !wanted) {
      // Said of the name, and after a wrong login it may be said of that.
      names_.refused = true;
      told.answer = refused_ ? Told::Answer::unclear : Told::Answer::no;
    }
    refused_ = refused_ || told.answer == Told::Answer::no;
    if (told.answer == Told::Answer::yes) {
      auto where = co_await talk_.ask("PWD\r\n", &whole);
      const bool answered = where && code_of(*where) == kPath;
      told.proof = answered ? "after the login PWD was answered with 257" : "the login was answered with 230";
    }
    co_return told;
  }

  asio::awaitable<void> say_goodbye() override { co_await talk_.say_goodbye("QUIT\r\n"); }

 private:
  /// Nothing when a name may be sent now.
  asio::awaitable<std::optional<Told>> begin() {
    auto greeting = co_await talk_.hear(&whole);
    if (!greeting) {
      co_return broken(greeting.error(), false);
    }
    if (code_of(*greeting) != kReady) {
      Told told;
      told.answer = turns_away(*greeting) ? Told::Answer::locked : Told::Answer::unclear;
      told.text = *greeting;
      co_return told;
    }
    if (upgrade_) {
      auto agreed = co_await talk_.ask("AUTH TLS\r\n", &whole);
      if (!agreed || code_of(*agreed) != kTlsNow) {
        const Error refused{ErrorKind::protocol, "AUTH TLS was refused", {}};
        co_return broken(agreed ? refused : agreed.error(), false);
      }
      auto begun = co_await talk_.start_tls(door_);
      if (!begun) {
        co_return broken(begun.error(), false);
      }
    }
    co_return std::optional<Told>{};
  }

  LineTalk talk_;
  Door& door_;
  bool upgrade_;
  Names& names_;
  bool begun_ = false;
  bool refused_ = false;  // a login on this connection
};

class FtpLogin final : public KeptLogin {
 public:
  FtpLogin(Door& door, bool tls, bool upgrade) : KeptLogin(door, tls), upgrade_(upgrade) {}

  std::string_view name() const override { return "ftp"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

  bool clear() const override { return !tls() && !upgrade_; }

  std::string doubt() const override {
    return names_->refused && !names_->asked ? "every name was refused before a password was asked for" : "";
  }

 protected:
  std::unique_ptr<LoginSession> begin(std::unique_ptr<sessions::Channel> channel) override {
    return std::make_unique<FtpSession>(std::move(channel), door(), upgrade_, *names_);
  }

 private:
  bool upgrade_;
  std::shared_ptr<Names> names_ = std::make_shared<Names>();  // shared with those beside
};

/// Whether guests are let in.
struct Guest {
  std::string proof;  // of one that was
  std::string doubt;  // why it is not known; both empty: refused
};

Guest judge_guest(const Result<std::string>& reply, bool path_given) {
  Guest guest;
  const int code = reply ? code_of(*reply) : 0;
  if (code == kLoggedIn && path_given) {
    guest.proof = "the user anonymous was let in, and PWD was answered with 257";
  } else if (code == kLoggedIn) {
    guest.doubt = "the user anonymous was answered with 230, and PWD not with 257";
  } else if (code < 500) {
    guest.doubt = "the login of the user anonymous got no clear answer";
  }
  return guest;
}

/// Begins TLS on a connection that was greeted; false when it is refused.
asio::awaitable<Result<bool>> begin_tls(LineTalk& talk, Door& door) {
  auto agreed = co_await talk.ask("AUTH TLS\r\n", &whole);
  if (!agreed) {
    co_return agreed.error();
  }
  if (code_of(*agreed) != kTlsNow) {
    co_return false;
  }
  auto begun = co_await talk.start_tls(door);
  if (!begun) {
    co_return begun.error();
  }
  co_return true;
}

/// The last reply to a login as "anonymous" with an address as the password, as guests do (RFC 1635).
asio::awaitable<Result<std::string>> ask_as_guest(LineTalk& talk, Door& door, bool upgrade) {
  auto reply = co_await talk.hear(&whole);
  if (!reply || code_of(*reply) != kReady) {
    const Result<std::string> none{Error{ErrorKind::protocol, "no greeting came", {}}};
    co_return reply ? none : reply;
  }
  if (upgrade) {
    auto begun = co_await begin_tls(talk, door);
    if (!begun || !*begun) {
      const Error refused{ErrorKind::protocol, "AUTH TLS was refused", {}};
      co_return begun ? refused : begun.error();
    }
  }
  reply = co_await talk.ask("USER anonymous\r\n", &whole);
  if (reply && code_of(*reply) == kNeedsPassword) {
    reply = co_await talk.ask("PASS guest@assay.invalid\r\n", &whole);
  }
  co_return reply;
}

asio::awaitable<Result<Guest>> try_guest(Door& door, bool tls, bool upgrade) {
  auto permitted = co_await door.network.permit_login(door.endpoint, "anonymous");
  if (!permitted && permitted.error().kind != ErrorKind::denied) {
    co_return permitted.error();
  }
  Guest guest;
  if (!permitted) {
    guest.doubt = "the budget of logins left none for the user anonymous";
    co_return guest;
  }
  auto opened = co_await open_door(door, tls);
  if (!opened) {
    co_return opened.error();
  }
  LineTalk talk{std::move(*opened), login_patience(door)};
  auto reply = co_await ask_as_guest(talk, door, upgrade);
  if (!reply && sessions::ends_probe(reply.error().kind)) {
    co_return reply.error();
  }
  bool path_given = false;
  if (reply && code_of(*reply) == kLoggedIn) {
    auto where = co_await talk.ask("PWD\r\n", &whole);
    if (!where && sessions::ends_probe(where.error().kind)) {
      co_return where.error();
    }
    path_given = where && code_of(*where) == kPath;
  }
  if (reply) {
    co_await talk.say_goodbye("QUIT\r\n");
  }
  co_return judge_guest(reply, path_given);
}

/// The code of the reply to one command on a fresh connection; 0 when none came.
asio::awaitable<Result<int>> reply_to(Door& door, std::string line) {
  auto opened = co_await open_door(door, false);
  if (!opened) {
    co_return opened.error();
  }
  LineTalk talk{std::move(*opened), login_patience(door)};
  auto reply = co_await talk.hear(&whole);
  if (reply) {
    reply = co_await talk.ask(std::move(line), &whole);
  }
  if (!reply && sessions::ends_probe(reply.error().kind)) {
    co_return reply.error();
  }
  co_return reply ? code_of(*reply) : 0;
}

/// How a name is taken.
enum class Way : std::uint8_t { clear, after_tls, unknown };

/// Whether a name is only taken once TLS has begun. Asked on two connections: a server may hang up on a name in clear.
asio::awaitable<Result<Way>> find_way(Door& door) {
  auto name = "USER assay" + sessions::random_word(8) + "\r\n";
  auto user = co_await reply_to(door, std::move(name));
  if (!user) {
    co_return user.error();
  }
  if (*user == kNeedsPassword || *user == kLoggedIn) {
    co_return Way::clear;
  }
  auto agreed = co_await reply_to(door, "AUTH TLS\r\n");
  if (!agreed) {
    co_return agreed.error();
  }
  co_return *agreed == kTlsNow ? Way::after_tls : Way::unknown;
}

asio::awaitable<Result<Detection>> find(Door& door, bool tls) {
  Detection found;
  auto guest = co_await try_guest(door, tls, false);
  if (!guest) {
    co_return guest.error();
  }
  auto way = Way::clear;
  if (!tls && guest->proof.empty()) {
    auto seen = co_await find_way(door);
    if (!seen) {
      co_return seen.error();
    }
    way = *seen;
  }
  if (way == Way::after_tls) {
    // What was said to the guest in clear may have been said of the missing TLS.
    guest = co_await try_guest(door, tls, true);
    if (!guest) {
      co_return guest.error();
    }
  }
  found.open = !guest->proof.empty();
  found.open_proof = guest->proof;
  found.doubt = guest->doubt;
  if (way == Way::unknown) {
    found.way_doubt = "neither a name in clear nor AUTH TLS was taken";
  }
  found.dialect = std::make_unique<FtpLogin>(door, tls, way == Way::after_tls);
  co_return found;
}

}  // namespace

}  // namespace ftp

asio::awaitable<Result<Detection>> detect_ftp(Door& door, bool tls) {
  return ftp::find(door, tls);
}

}  // namespace assay::probes::credentials
