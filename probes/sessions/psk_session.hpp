#pragma once

#include <string>

#include "probes/sessions/channel.hpp"

/// DTLS and TLS with a pre-shared key (RFC 4279, RFC 6347), by OpenSSL over memory: every datagram passes through the
/// guarded socket, and every record through the guarded channel, so scope, pace, deadline and transcript hold. The
/// client's random is kept out of the transcript: with it, whoever reads a handshake may guess the key at leisure.
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
  std::string reply;  // the first datagram or record inside the session
};

struct PskOffer {
  std::string identity;
  std::string key;       // empty: the handshake ends where the server asks for one
  std::string question;  // sent inside the session
};

/// One handshake of TLS 1.0 to 1.2 on a fresh channel. A server that ends the channel instead of an alert is
/// `silent`, and the channel is at its end. Errors: what ends the probe, and what the library cannot do.
asio::awaitable<Result<PskLogin>> log_in_psk(Channel& channel, Transcript& transcript, PskOffer offer,
                                             milliseconds patience);

/// One handshake of DTLS 1.0 to 1.2 on a fresh socket. Silence is repeated into twice. Errors: what ends the probe, a
/// refused port, and what the library cannot do.
asio::awaitable<Result<PskLogin>> log_in_psk(Datagrams& socket, Transcript& transcript, PskOffer offer,
                                             milliseconds patience);

}  // namespace assay::sessions
