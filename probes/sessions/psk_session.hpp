#pragma once

#include <string>

#include "probes/sessions/channel.hpp"

/// DTLS with a pre-shared key (RFC 4279, RFC 6347), by OpenSSL over memory: every datagram passes through the guarded
/// socket, so scope, pace, deadline and transcript hold.
namespace assay::sessions {

struct PskLogin {
  enum class Answer : std::uint8_t {
    accepted,  // both sides finished
    refused,   // an alert after the server had asked for a key
    silent,    // nothing after our last flight: servers throw away what a wrong key made
    no_key,    // the server asks for no pre-shared key
    unheard,   // no answer of DTLS at all
  };

  Answer answer = Answer::unheard;
  std::string alert;  // that was received, as OpenSSL names it
  std::string hint;   // of the server for the identity (RFC 4279, 5.2), at most 128 bytes
  std::string suite;
  std::string reply;  // the first datagram inside the session
};

struct PskOffer {
  std::string identity;
  std::string key;       // empty: the handshake ends where the server asks for one
  std::string question;  // sent inside the session
};

/// One handshake of DTLS 1.0 to 1.2 on a fresh socket. Silence is repeated into twice. Errors: what ends the probe, a
/// refused port, and what the library cannot do.
asio::awaitable<Result<PskLogin>> log_in_psk(Datagrams& socket, Transcript& transcript, PskOffer offer,
                                             milliseconds patience);

}  // namespace assay::sessions
