#pragma once

#include <memory>
#include <optional>
#include <string>

#include "probes/credentials/dialect.hpp"

namespace assay::probes::credentials {

/// A connection to the door, plain or inside TLS.
asio::awaitable<sessions::ChannelResult> open_door(Door& door, bool tls);

/// What a server said to one login.
struct Told {
  enum class Answer : std::uint8_t {
    yes,      // let in, in the words of the protocol
    no,       // refused, in the words of the protocol
    locked,   // says that it takes no more logins
    cut,      // the connection ended after the secret was sent, without an answer
    unclear,  // anything else
    lost,     // there was no connection
  };

  Answer answer = Answer::unclear;
  std::string text;              // the device's words, raw and bounded
  std::string proof;             // for yes: what was reached
  bool must_change = false;      // for yes: a new password is demanded
  bool sent = true;              // the secret went out
  milliseconds took{0};          // from the open connection to the answer
  bool by_code = false;          // locked is said by a code of the protocol
  int times = 1;                 // the login went out
  std::optional<Error> error{};  // how the exchange ended, if by an error
};

/// A dialect in which a server says in words of its protocol how a login ended.
class SpokenLogin : public Dialect {
 public:
  SpokenLogin(Door& door, bool tls) : door_(&door), tls_(tls) {}

  asio::awaitable<Attempt> attempt(std::string username, Secret password) final;
  asio::awaitable<Attempt> attempt_control(std::string username, Secret password) final;

  bool clear() const override { return !tls_; }

 protected:
  /// One login, wherever it is made.
  virtual asio::awaitable<Told> ask(std::string username, Secret password) = 0;

  Door& door() { return *door_; }

  bool tls() const { return tls_; }

  /// What `beside` gives where all that a dialect has learnt may be copied.
  template <typename Self>
  static std::unique_ptr<Dialect> copy_of(const Self& self, Door& door) {
    auto copy = std::make_unique<Self>(self);
    copy->door_ = &door;
    return copy;
  }

 private:
  asio::awaitable<Attempt> once(std::string username, Secret password, bool control);

  Door* door_;
  bool tls_;
  int cuts_ = 0;  // controls in a row that were answered by the end of the connection alone
};

/// One in which every login has a connection of its own: many servers cut after a few wrong ones, and refuse another
/// name on the same connection, and neither must look like a lockout or lose a password.
class FreshLogin : public SpokenLogin {
 public:
  using SpokenLogin::SpokenLogin;

  void start_afresh() final {}

 protected:
  /// The whole dialogue of one login. The channel is fresh.
  virtual asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                                       Secret password) = 0;

 private:
  asio::awaitable<Told> ask(std::string username, Secret password) final;
};

/// What ends an exchange without an answer: `answer` is cut when the stream ended after the secret, else unclear.
Told broken(const Error& error, bool secret_sent);

/// What an attempt to connect ends in when there is no connection.
Told no_connection(const Error& error);

/// Words by which servers say that they take no more logins from here for now.
bool says_locked(std::string_view text);

}  // namespace assay::probes::credentials
