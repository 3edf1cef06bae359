#pragma once

#include <functional>
#include <memory>
#include <optional>
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
  std::string reply;        // the answer to the last question inside the session; empty: none came
  milliseconds slowest{0};  // of the answers until the key was used
};

/// In one session.
constexpr std::uint32_t kMostPskQuestions = 256;

struct PskOffer {
  std::string identity;
  std::string key;       // empty: the handshake ends where the server asks for one
  std::string question;  // sent inside the session; empty: nothing is
  /// Of TLS: the key goes along with the first message of TLS 1.3, and no older version is offered. Nothing says that a
  /// server knows keys then but its answer to one: it goes on with the key, says no, or goes on without it.
  bool version13 = false;
  /// Is told the random of our hello.
  std::function<void(std::string_view)> conceal{};
  /// What was said inside is the answer; others are passed over. None: the first is.
  std::function<bool(std::string_view)> settles{};
  /// The question after an answer, until there were `kMostPskQuestions`; empty: there is none.
  std::function<std::string(std::string_view)> next{};
};

/// What carries the records of a session.
class PskCarrier {
 public:
  virtual ~PskCarrier() = default;

  virtual bool datagrams() const = 0;

  /// Silences in a row that end the wait; after each, what was said is said again where there are more.
  virtual int most_silences() const = 0;

  virtual asio::awaitable<Result<>> send(std::string records) = 0;

  /// Nothing: silence.
  virtual asio::awaitable<Result<std::optional<std::string>>> receive(milliseconds within) = 0;
};

/// TLS on a fresh channel. An end of the channel is heard as silence; errors are those that end the probe.
class PskOverChannel final : public PskCarrier {
 public:
  explicit PskOverChannel(Channel& channel) : channel_(channel) {}

  bool datagrams() const override { return false; }

  int most_silences() const override { return 1; }

  asio::awaitable<Result<>> send(std::string records) override;
  asio::awaitable<Result<std::optional<std::string>>> receive(milliseconds within) override;

 private:
  Channel& channel_;
};

/// DTLS on a fresh socket. Errors: all but silence, so a refused port too.
class PskOverDatagrams final : public PskCarrier {
 public:
  PskOverDatagrams(Datagrams& socket, Transcript& transcript) : socket_(socket), transcript_(transcript) {}

  bool datagrams() const override { return true; }

  int most_silences() const override { return 3; }

  asio::awaitable<Result<>> send(std::string records) override;
  asio::awaitable<Result<std::optional<std::string>>> receive(milliseconds within) override;

 private:
  Datagrams& socket_;
  Transcript& transcript_;
};

/// One handshake, of TLS 1.0 to 1.2 or of 1.3, or of DTLS 1.0 to 1.2, and the question inside. A server that ends a
/// channel instead of an alert is `silent`. Errors: those of the carrier until the handshake is over, and what the
/// library cannot do.
asio::awaitable<Result<PskLogin>> log_in_psk(PskCarrier& carrier, Transcript& transcript, PskOffer offer,
                                             milliseconds patience);

struct PskChannel {
  PskLogin told;
  std::unique_ptr<Channel> channel;  // what goes through it goes through the session; null: not accepted
};

/// A connection whose session both sides finished: by TLS 1.2 or before, or by TLS 1.3 where the server answers those
/// with the alert protocol_version. `question` is not sent. Errors: those of connecting, and of `log_in_psk`.
asio::awaitable<Result<PskChannel>> open_psk_channel(Network& network, Endpoint to, Transcript& transcript,
                                                     PskOffer offer, milliseconds patience);

/// The key that a word stands for with brokers of MQTT: they and their clients write keys in hex (mosquitto's psk_file,
/// `--psk`). A word that is no hex is the key itself.
std::string psk_of_word(const std::string& word);

/// The alert of a server that speaks none of the versions (RFC 8446, 6.2).
constexpr int kAlertProtocolVersion = 70;

}  // namespace assay::sessions
