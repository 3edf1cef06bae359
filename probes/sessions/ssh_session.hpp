#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/sessions/channel.hpp"

/// The one wrapper of libssh: a client that finishes the key exchange. libssh sees one end of a pair of local sockets
/// and never the device; every byte between that end and the device passes through a guarded stream, so scope, pace,
/// deadline and transcript hold for it as for our own codecs. It runs without blocking, reads no configuration of the
/// user, verifies no host key and knows no secret.
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

}  // namespace assay::sessions
