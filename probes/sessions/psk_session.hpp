#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "probes/sessions/channel.hpp"

/// DTLS and TLS with a pre-shared key (RFC 4279, RFC 6347; RFC 8446, 4.2.11), by OpenSSL over memory: every datagram
/// passes through the guarded socket, and every record through the guarded channel, so scope, pace, deadline and
/// transcript hold. The client's random is kept out of the transcript, and of a capture by `conceal`: with it, whoever
/// reads a handshake may guess the key at leisure.
namespace assay::sessions {

struct PskLogin {
  enum class Answer : std::uint8_t {
    accepted,  // both sides finished
    refused,   // an alert after the server had asked for a key; of TLS 1.3, one that says no to keys or to all of us
    silent,    // nothing after our last flight: servers throw away what a wrong key made
    no_key,    // the server asks for no pre-shared key
    unheard,   // no answer of DTLS at all
  };

  Answer answer = Answer::unheard;
  std::string alert;      // that was received, as OpenSSL names it
  int alert_number = -1;  // its description; -1: none came
  std::string hint;       // of the server for the identity (RFC 4279, 5.2), at most 128 bytes
  std::string suite;
  std::string reply;  // the first datagram or record inside the session
};

struct PskOffer {
  std::string identity;
  std::string key;       // empty: the handshake ends where the server asks for one
  std::string question;  // sent inside the session
  /// Of TLS: the key goes along with the first message of TLS 1.3, and no older version is offered. Nothing says that a
  /// server knows keys then but its answer to one: it goes on with the key, says no, or goes on without it.
  bool version13 = false;
  /// Is told the random of our hello.
  std::function<void(std::string_view)> conceal{};
  /// Of DTLS: what was said inside is the answer; others are passed over. None: the first is.
  std::function<bool(std::string_view)> settles{};
};

/// One handshake of TLS 1.0 to 1.2, or of 1.3, on a fresh channel. A server that ends the channel instead of an alert
/// is `silent`, and the channel is at its end. Errors: what ends the probe, and what the library cannot do.
asio::awaitable<Result<PskLogin>> log_in_psk(Channel& channel, Transcript& transcript, PskOffer offer,
                                             milliseconds patience);

/// One handshake of DTLS 1.0 to 1.2 on a fresh socket. Silence is repeated into twice. Errors: what ends the probe, a
/// refused port, and what the library cannot do.
asio::awaitable<Result<PskLogin>> log_in_psk(Datagrams& socket, Transcript& transcript, PskOffer offer,
                                             milliseconds patience);

}  // namespace assay::sessions
