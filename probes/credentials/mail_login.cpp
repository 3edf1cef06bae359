#include <algorithm>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/wire/mail.hpp"
#include "probes/wire/reply_lines.hpp"

/// Mailboxes and mail relays of cameras, printers and gateways.
namespace assay::probes::credentials {

namespace mail {

namespace {

wire::Parse imap_greeting(std::string_view bytes) {
  return bytes.empty() ? wire::Parse::need_more : wire::parse_imap_greeting(bytes);
}

wire::Parse smtp_reply(std::string_view bytes) {
  return wire::parse_reply_lines(bytes).state;
}

wire::Parse pop3_line(std::string_view bytes) {
  return bytes.empty() ? wire::Parse::need_more : wire::parse_pop3_greeting(bytes).state;
}

wire::Parse pop3_list(std::string_view bytes) {
  return bytes.empty() ? wire::Parse::need_more : wire::parse_pop3_capabilities(bytes).state;
}

int code_of(std::string_view reply) {
  return wire::parse_reply_lines(reply).reply.code;
}

bool holds(const std::vector<std::string>& words, std::string_view wanted) {
  return std::find(words.begin(), words.end(), wanted) != words.end();
}

/// A string of IMAP between quotation marks (RFC 3501, 9); line ends cannot stand in one and are left out.
std::string imap_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    if (c != '\r' && c != '\n') {
      out += c;
    }
  }
  return out + "\"";
}

/// TLS on a line dialogue that has been greeted. Nothing when it goes on inside.
asio::awaitable<std::optional<Told>> upgrade(LineTalk& talk, Door& door, std::string line, WholeReply whole,
                                             std::string agreement) {
  auto agreed = co_await talk.ask(std::move(line), whole);
  if (!agreed || !agreed->starts_with(agreement)) {
    const Error refused{ErrorKind::protocol, "TLS was refused", {}};
    co_return broken(agreed ? refused : agreed.error(), false);
  }
  auto begun = co_await talk.start_tls(door);
  if (!begun) {
    co_return broken(begun.error(), false);
  }
  co_return std::optional<Told>{};
}

class MailLogin : public FreshLogin {
 public:
  MailLogin(Door& door, bool tls, bool upgrades) : FreshLogin(door, tls), upgrades_(upgrades) {}

  bool clear() const override { return !tls() && !upgrades_; }

 protected:
  bool upgrades() const { return upgrades_; }

 private:
  bool upgrades_;
};

class ImapLogin final : public MailLogin {
 public:
  using MailLogin::MailLogin;

  std::string_view name() const override { return "imap"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    LineTalk talk{std::move(channel), login_patience(door())};
    auto greeting = co_await talk.hear(&imap_greeting);
    if (!greeting) {
      co_return broken(greeting.error(), false);
    }
    if (upgrades()) {
      auto failed = co_await upgrade(talk, door(), "a1 STARTTLS\r\n", &wire::imap_result, "a1 OK");
      if (failed) {
        co_return *failed;
      }
    }
    const auto head = "a2 LOGIN " + imap_string(username) + " ";
    const auto line = head + imap_string(password.reveal()) + "\r\n";
    const auto shown = head + "{" + password.name() + "}";
    auto reply = co_await talk.ask_concealed(line, shown, &wire::imap_result);
    if (!reply) {
      co_return broken(reply.error(), true);
    }
    Told told;
    told.text = *reply;
    told.answer = judge(*reply);
    if (told.answer == Told::Answer::yes) {
      auto listed = co_await talk.ask("a3 LIST \"\" \"\"\r\n", &wire::imap_result);
      const bool answered = listed && wire::imap_result_word(*listed) == "OK";
      told.proof = answered ? "LOGIN was answered with OK, and LIST too, which only a logged-in client may ask"
                            : "LOGIN was answered with OK";
      co_await talk.say_goodbye("a4 LOGOUT\r\n");
    }
    co_return told;
  }

 private:
  /// A server that cannot ask its accounts says so (RFC 5530), and nothing of the password.
  static Told::Answer judge(const std::string& reply) {
    const auto word = wire::imap_result_word(reply);
    if (word == "OK") {
      return Told::Answer::yes;
    }
    static constexpr std::string_view kOtherReasons[] = {"[UNAVAILABLE]", "[INUSE]", "[PRIVACYREQUIRED]"};
    const bool other = std::any_of(std::begin(kOtherReasons), std::end(kOtherReasons),
                                   [&](auto code) { return wire::contains_ignoring_case(reply, code); });
    if (word != "NO" || other) {
      return Told::Answer::unclear;
    }
    return says_locked(reply) ? Told::Answer::locked : Told::Answer::no;
  }
};

class Pop3Login final : public MailLogin {
 public:
  using MailLogin::MailLogin;

  std::string_view name() const override { return "pop3"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    LineTalk talk{std::move(channel), login_patience(door())};
    auto reply = co_await talk.hear(&pop3_line);
    if (!reply) {
      co_return broken(reply.error(), false);
    }
    if (upgrades()) {
      auto failed = co_await upgrade(talk, door(), "STLS\r\n", &pop3_line, "+OK");
      if (failed) {
        co_return *failed;
      }
    }
    const auto user = "USER " + username + "\r\n";
    reply = co_await talk.ask(user, &pop3_line);
    if (!reply) {
      co_return broken(reply.error(), false);
    }
    if (!reply->starts_with("+OK")) {
      // Of the name, or of USER in clear: no password was judged.
      Told told;
      told.text = *reply;
      told.answer = says_locked(*reply) ? Told::Answer::locked : Told::Answer::unclear;
      co_return told;
    }
    const auto line = "PASS " + password.reveal() + "\r\n";
    const auto shown = "PASS {" + password.name() + "}";
    reply = co_await talk.ask_concealed(line, shown, &pop3_line);
    if (!reply) {
      co_return broken(reply.error(), true);
    }
    auto told = judge(*reply);
    if (told.answer == Told::Answer::yes) {
      auto count = co_await talk.ask("STAT\r\n", &pop3_line);
      const bool answered = count && count->starts_with("+OK");
      told.proof = answered ? "PASS was answered with +OK, and STAT too, which only a logged-in client may ask"
                            : "PASS was answered with +OK";
      co_await talk.say_goodbye("QUIT\r\n");
    }
    co_return told;
  }

 private:
  /// Response codes of RFC 2449 and RFC 3206: a mailbox in use or a sick server says nothing of the password.
  static Told judge(const std::string& reply) {
    Told told;
    told.text = reply;
    const bool mailbox = reply.find("[IN-USE]") != std::string::npos ||
                         wire::contains_ignoring_case(reply, "mailbox") ||
                         wire::contains_ignoring_case(reply, "maildrop");
    const bool sick = reply.find("[SYS/") != std::string::npos || reply.find("[LOGIN-DELAY]") != std::string::npos;
    if (reply.starts_with("+OK")) {
      told.answer = Told::Answer::yes;
    } else if (!mailbox && !sick) {
      told.answer = says_locked(reply) ? Told::Answer::locked : Told::Answer::no;
    }
    return told;
  }
};

class SmtpLogin final : public MailLogin {
 public:
  SmtpLogin(Door& door, bool tls, bool upgrades, bool plain) : MailLogin(door, tls, upgrades), plain_(plain) {}

  std::string_view name() const override { return plain_ ? "smtp-plain" : "smtp-login"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    LineTalk talk{std::move(channel), login_patience(door())};
    auto reply = co_await talk.hear(&smtp_reply);
    if (reply) {
      reply = co_await talk.ask("EHLO assay.invalid\r\n", &smtp_reply);
    }
    if (!reply) {
      co_return broken(reply.error(), false);
    }
    if (upgrades()) {
      auto failed = co_await upgrade(talk, door(), "STARTTLS\r\n", &smtp_reply, "220");
      if (failed) {
        co_return *failed;
      }
      reply = co_await talk.ask("EHLO assay.invalid\r\n", &smtp_reply);
      if (!reply) {
        co_return broken(reply.error(), false);
      }
    }
    Told told;
    if (plain_) {
      told = co_await by_plain(talk, username, password);
    } else {
      told = co_await by_login(talk, username, password);
    }
    if (told.answer == Told::Answer::yes) {
      // A second AUTH is refused to those who are logged in already, and to nobody else (RFC 4954, 4).
      auto again = co_await talk.ask("AUTH LOGIN\r\n", &smtp_reply);
      const bool known = again && code_of(*again) == 503;
      told.proof = known ? "AUTH was answered with 235, and a second one with 503: logged in already"
                         : "AUTH was answered with 235";
      co_await talk.say_goodbye("QUIT\r\n");
    }
    co_return told;
  }

 private:
  asio::awaitable<Told> by_plain(LineTalk& talk, const std::string& username, const Secret& password) {
    const auto token = wire::base64(std::string(1, '\0') + username + std::string(1, '\0') + password.reveal());
    door().record.conceal(token, "credentials " + password.name());
    const auto line = "AUTH PLAIN " + token + "\r\n";
    const auto shown = "AUTH PLAIN {credentials " + username + ", " + password.name() + "}";
    auto reply = co_await talk.ask_concealed(line, shown, &smtp_reply);
    co_return judge(reply, true);
  }

  asio::awaitable<Told> by_login(LineTalk& talk, const std::string& username, const Secret& password) {
    auto reply = co_await talk.ask("AUTH LOGIN\r\n", &smtp_reply);
    const auto name = wire::base64(username) + "\r\n";
    if (reply && code_of(*reply) == 334) {
      reply = co_await talk.ask(name, &smtp_reply);
    }
    if (!reply || code_of(*reply) != 334) {
      co_return judge(reply, false);
    }
    const auto line = wire::base64(password.reveal()) + "\r\n";
    const auto shown = "{" + password.name() + "}";
    reply = co_await talk.ask_concealed(line, shown, &smtp_reply);
    co_return judge(reply, true);
  }

  static Told judge(const Result<std::string>& reply, bool secret_sent) {
    if (!reply) {
      return broken(reply.error(), secret_sent);
    }
    Told told;
    told.text = *reply;
    const int code = code_of(*reply);
    if (code == 235) {
      told.answer = Told::Answer::yes;
    } else if (says_locked(*reply)) {
      told.answer = Told::Answer::locked;
    } else if (code == 535 || code == 550) {
      // Not 534 and 538: a mechanism that is too weak, or wants TLS first, judged no password (RFC 4954, 6).
      told.answer = Told::Answer::no;
    }
    return told;
  }

  bool plain_;
};

/// Opens a dialogue and hears the greeting.
asio::awaitable<Result<std::unique_ptr<LineTalk>>> greeted(Door& door, bool tls, WholeReply whole,
                                                           std::string& greeting) {
  auto opened = co_await open_door(door, tls);
  if (!opened) {
    co_return opened.error();
  }
  auto talk = std::make_unique<LineTalk>(std::move(*opened), login_patience(door));
  auto heard = co_await talk->hear(whole);
  if (!heard) {
    co_return heard.error();
  }
  greeting = std::move(*heard);
  co_return talk;
}

/// What a reply to EHLO offers of logins.
struct SmtpOffer {
  bool plain = false;
  bool login = false;
  bool any = false;
  bool starttls = false;
};

SmtpOffer smtp_offer(std::string_view reply) {
  SmtpOffer offer;
  for (const auto& line : wire::parse_reply_lines(reply).reply.lines) {
    offer.starttls = offer.starttls || wire::equal_ignoring_case(line, "STARTTLS");
    if (wire::equal_ignoring_case(std::string_view{line}.substr(0, 4), "AUTH")) {
      offer.any = true;
      offer.plain = offer.plain || wire::contains_ignoring_case(line, "PLAIN");
      offer.login = offer.login || wire::contains_ignoring_case(line, "LOGIN");
    }
  }
  return offer;
}

asio::awaitable<Result<Detection>> find_imap(Door& door, bool tls) {
  Detection found;
  std::string greeting;
  auto talk = co_await greeted(door, tls, &imap_greeting, greeting);
  if (!talk) {
    co_return talk.error();
  }
  found.open = greeting.starts_with("* PREAUTH");
  found.open_proof = found.open ? "the greeting says that the client is logged in already" : "";
  auto said = co_await (*talk)->ask("a1 CAPABILITY\r\n", &wire::imap_result);
  if (!said) {
    co_return said.error();
  }
  const auto reply = wire::parse_imap_capability(*said, "a1");
  const auto& words = reply.words;
  if (!reply.good && !tls) {
    found.way_doubt = "CAPABILITY was not answered, so whether the login wants TLS first is not known";
  }
  const bool disabled = holds(words, "LOGINDISABLED");
  if (disabled && (tls || !holds(words, "STARTTLS"))) {
    found.other_login = "an IMAP login by other mechanisms than LOGIN";
    co_return found;
  }
  found.dialect = std::make_unique<ImapLogin>(door, tls, disabled);
  co_return found;
}

asio::awaitable<Result<Detection>> find_pop3(Door& door, bool tls) {
  Detection found;
  std::string greeting;
  auto talk = co_await greeted(door, tls, &pop3_line, greeting);
  if (!talk) {
    co_return talk.error();
  }
  auto said = co_await (*talk)->ask("CAPA\r\n", &pop3_list);
  if (!said) {
    co_return said.error();
  }
  const auto reply = wire::parse_pop3_capabilities(*said);
  const bool offered = holds(reply.words, "USER");
  const bool upgrades = reply.good && !tls && !offered && holds(reply.words, "STLS");
  if (reply.good && !offered && !upgrades) {
    found.other_login = "a POP3 login by other mechanisms than USER and PASS";
    co_return found;
  }
  if (!reply.good && !tls) {
    found.way_doubt = "CAPA was not answered, so whether USER is taken in clear is not known";
  }
  found.dialect = std::make_unique<Pop3Login>(door, tls, upgrades);
  co_return found;
}

asio::awaitable<Result<Detection>> find_smtp(Door& door, bool tls) {
  Detection found;
  std::string greeting;
  auto talk = co_await greeted(door, tls, &smtp_reply, greeting);
  if (!talk) {
    co_return talk.error();
  }
  auto said = co_await (*talk)->ask("EHLO assay.invalid\r\n", &smtp_reply);
  if (!said) {
    co_return said.error();
  }
  auto offer = smtp_offer(*said);
  bool upgrades = false;
  if (!offer.plain && !offer.login && offer.starttls && !tls) {
    auto failed = co_await upgrade(**talk, door, "STARTTLS\r\n", &smtp_reply, "220");
    if (failed && failed->error && sessions::ends_probe(failed->error->kind)) {
      co_return *failed->error;
    }
    if (failed) {
      found.other_login = "what SMTP offers after STARTTLS, which failed";
      co_return found;
    }
    said = co_await (*talk)->ask("EHLO assay.invalid\r\n", &smtp_reply);
    if (!said) {
      co_return said.error();
    }
    offer = smtp_offer(*said);
    upgrades = true;
  }
  if (offer.plain || offer.login) {
    found.dialect = std::make_unique<SmtpLogin>(door, tls, upgrades, offer.plain);
  } else if (offer.any) {
    found.other_login = "an SMTP login by other mechanisms than PLAIN and LOGIN";
  }
  co_return found;
}

}  // namespace

}  // namespace mail

asio::awaitable<Result<Detection>> detect_imap(Door& door, bool tls) {
  return mail::find_imap(door, tls);
}

asio::awaitable<Result<Detection>> detect_pop3(Door& door, bool tls) {
  return mail::find_pop3(door, tls);
}

asio::awaitable<Result<Detection>> detect_smtp(Door& door, bool tls) {
  return mail::find_smtp(door, tls);
}

}  // namespace assay::probes::credentials
