#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/sessions/channel.hpp"

/// The one wrapper of libssh: a client that finishes the key exchange. libssh sees one end of a pair of local sockets
/// and never the device; every byte between that end and the device passes through a guarded stream, so scope, pace,
/// deadline and transcript hold for it as for our own codecs. It runs without blocking, reads no configuration of the
/// user, verifies no host key, and knows no secret but the password of a login.
namespace assay::sessions {

/// What a server says of logins before anybody has logged in.
struct SshWelcome {
  std::vector<std::string> methods;  // that can continue, as far as the library knows them (RFC 4252 section 5.2)
  bool let_in = false;               // the request without credentials was enough
  bool partial = false;              // it counted as one of several steps
  std::string banner;                // of the authentication, as it came; at most 4 KiB
};

/// Finishes the key exchange on a fresh connection, asks for the login methods of `user` with the request `none` (RFC
/// 4252 section 5.2), and says goodbye. Never sends a password. Old algorithms are offered after the new ones, as far
/// as the library has them. Errors: `protocol` when the two cannot agree or the server breaks off with a reason (its
/// words in the text), otherwise how the stream ended; `closed` or `reset` only before it has introduced itself;
/// silence is `timed_out`. At most 256 KiB are taken from the server.
asio::awaitable<Result<SshWelcome>> ask_ssh_methods(Channel& channel, std::string user, milliseconds patience);

/// What a server said to one login.
struct SshLogin {
  enum class Answer : std::uint8_t {
    accepted,
    refused,
    partial,    // right, and another step is asked for
    no_method,  // neither password nor keyboard-interactive is offered
    cut,        // the server ended the connection after the password
  };

  Answer answer = Answer::refused;
  bool without_password = false;  // the request "none" was enough
  bool session = false;           // a session was opened after the login
  bool echoed = false;            // a command was run, and its output came back
  bool must_change = false;       // a new password is demanded: after the password, or where a command was to run
  std::vector<std::string> methods;
  std::string error;  // the library's words when it was cut
};

/// What a command said that was run after a login.
struct SshRun {
  SshLogin::Answer answer = SshLogin::Answer::refused;  // to the login
  bool ended = false;                                   // the command's output came to its end
  std::string output;                                   // what it wrote to its standard output, at most 16 KiB
};

/// One connection on which logins follow each other, all of one name: servers hang up on another one. Closed with it.
class SshSession {
 public:
  explicit SshSession(std::unique_ptr<Channel> channel);
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;
  ~SshSession();

  /// One login: before the first the key exchange and the request "none", which is left out where `methods` says by
  /// which the server takes passwords and saves a round trip so; then one password by the method "password" or, where
  /// that is not offered, as the answer to the first hidden question of keyboard-interactive (RFC 4256); where a new
  /// password is asked for next it was taken, and none is given. After a
  /// success a session is opened, and "echo" of `word` is run and awaited for a short time (RFC 4254, 6.1 and 6.5).
  /// Errors as `ask_ssh_methods`; `awaits_answer` says whether the password had gone out. Nothing follows an error, a
  /// cut or a success. At most 256 KiB are taken from the server for each login.
  asio::awaitable<Result<SshLogin>> log_in(std::string user, std::string password, std::string word,
                                           milliseconds patience, std::vector<std::string> methods = {});

  /// As `log_in`, but runs `command`, which has 4 seconds to end once the login was taken.
  asio::awaitable<Result<SshRun>> run(std::string user, std::string password, std::string command,
                                      milliseconds patience);

  /// A password went out, and the server has said nothing to it.
  bool awaits_answer() const;

  asio::awaitable<void> say_goodbye();

 private:
  struct Inside;

  asio::awaitable<Result<SshLogin>> finish(milliseconds patience);

  std::unique_ptr<Inside> inside_;
};

}  // namespace assay::sessions
