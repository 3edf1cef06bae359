#pragma once

#include <memory>
#include <string>

#include "probes/credentials/fresh_login.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

/// Says whether the bytes hold one whole reply of a protocol.
using WholeReply = wire::Parse (*)(std::string_view bytes);

/// A dialogue in which every word of ours has one reply. libcurl speaks these protocols too (docs/decisions/0009); here
/// the connection is the guarded one, so that scope, pace, deadline and transcript hold.
class LineTalk {
 public:
  LineTalk(std::unique_ptr<sessions::Channel> channel, milliseconds patience)
      : channel_(std::move(channel)), patience_(patience) {}

  /// The next reply. Errors: how the stream ended, `timed_out` without a whole reply, `protocol` for bytes that are
  /// none.
  asio::awaitable<Result<std::string>> hear(WholeReply whole);

  asio::awaitable<Result<std::string>> ask(std::string line, WholeReply whole);

  /// The line holds a secret; the transcript gets `shown`.
  asio::awaitable<Result<std::string>> ask_concealed(std::string line, std::string shown, WholeReply whole);

  /// Exactly so many bytes; what comes beyond them is left for the next one.
  asio::awaitable<Result<std::string>> take(std::size_t count);

  asio::awaitable<Result<>> say(std::string bytes);
  asio::awaitable<Result<>> say_concealed(std::string bytes, std::string shown);

  asio::awaitable<void> say_goodbye(std::string line);

  /// What is heard is put aside until `let_go`, for secrets in it to be found before the transcript gets it.
  void hold() { channel_->hold(); }

  void let_go() { channel_->let_go(); }

  /// Goes on inside TLS.
  asio::awaitable<Result<>> start_tls(Door& door);

 private:
  std::unique_ptr<sessions::Channel> channel_;
  milliseconds patience_;
  std::string partial_;
};

/// How long the answer to a login may take: PAM waits three seconds after a wrong one, Dovecot up to fifteen.
milliseconds login_patience(const Door& door);

}  // namespace assay::probes::credentials
