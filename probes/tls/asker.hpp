#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "harness/probe/network.hpp"
#include "harness/probe/transcript.hpp"
#include "probes/tls/answer_time.hpp"
#include "probes/tls/starttls.hpp"
#include "probes/wire/tls_build.hpp"
#include "probes/wire/tls_flight.hpp"

/// One question to a TLS server on a connection of its own, and what kind of answer came.
namespace assay::probes::tls {

/// How a question ended. Only the first two settle anything: silence, a cut and a missing connection are not a no.
enum class Answer : std::uint8_t {
  hello,          // a ServerHello (or HelloRetryRequest, or SERVER-HELLO of SSL 2.0)
  refused,        // an alert that ends the handshake
  cut,            // closed or reset without an alert; of datagrams: dropped while others were answered
  silent,         // nothing within the time
  not_tls,        // bytes that are no TLS
  no_connection,  // TCP refused or timed out, or the upgrade to TLS was not agreed
};

struct Reply {
  Answer answer = Answer::silent;
  wire::TlsFlight flight;
  std::string text;                  // bytes that are no TLS, at most 4 KiB
  std::string why;                   // for a person: "alert handshake_failure", "reset" …
  std::chrono::nanoseconds took{0};  // from the hello's last byte to the answer
  std::optional<Error> ends;         // the run is over: cancelled, deadline, out of scope

  /// To a hello of TLS the flight has a ServerHello then; only to one of SSL 2.0 it may have a SERVER-HELLO instead.
  bool hello() const { return answer == Answer::hello; }
};

/// True when the flight holds all that is wanted; it always has a ServerHello then.
using Enough = std::function<bool(const wire::TlsFlight&)>;

bool at_hello(const wire::TlsFlight& flight);
bool at_end(const wire::TlsFlight& flight);

/// What the questions cost so far.
struct Cost {
  std::int64_t connections = 0;  // of datagrams: ports of ours
  std::int64_t round_trips = 0;  // of connects, upgrades and hellos
  std::int64_t hellos = 0;
  std::int64_t datagrams_sent = 0;
  std::int64_t datagrams_received = 0;
  std::int64_t sent_again = 0;          // turns of these, because no answer came
  std::chrono::nanoseconds slowest{0};  // answer
  std::chrono::nanoseconds fastest{0};  // answer; 0: none yet
};

class Asker {
 public:
  virtual ~Asker() = default;

  /// Sends the bytes of a client's first flight and reads until `enough`. `title` names the question in the transcript.
  /// The connection ends with a close_notify of ours.
  virtual asio::awaitable<Reply> ask(std::string title, std::string first_flight, Enough enough) = 0;

  /// The same for a hello, in whatever frames the transport has.
  virtual asio::awaitable<Reply> ask(std::string title, const wire::TlsHello& hello, Enough enough) = 0;

  /// A whole handshake by the library, on a connection of its own.
  virtual asio::awaitable<Result<std::unique_ptr<TlsStream>>> shake_hands(std::string title,
                                                                          const TlsOptions& options) = 0;

  /// How long an answer is waited for.
  virtual milliseconds patience() const = 0;

  /// How long a silence has to be before it is believed to be the answer: what the slowest answer took and a usual one
  /// after it. For questions to which silence is a likely answer.
  virtual milliseconds moment() const = 0;

  virtual const Cost& cost() const = 0;
};

/// How many connections a server was seen to serve at the same time.
enum class Serves : std::uint8_t {
  unknown,
  several,
  queue,  // one; the next waits in a queue until that one has ended
  one,    // one; another is not even taken
};

/// Over TCP, after an upgrade where the service wants one.
class TcpAsker final : public Asker {
 public:
  TcpAsker(Network& network, Endpoint to, Transcript& transcript)
      : network_(network), to_(to), transcript_(transcript) {}

  asio::awaitable<Reply> ask(std::string title, std::string first_flight, Enough enough) override;
  asio::awaitable<Reply> ask(std::string title, const wire::TlsHello& hello, Enough enough) override;
  asio::awaitable<Result<std::unique_ptr<TlsStream>>> shake_hands(std::string title,
                                                                  const TlsOptions& options) override;

  const Cost& cost() const override { return cost_; }

  /// From now on every connection is upgraded by this dialect first; null: TLS from the first byte. `name` is what the
  /// server is called where the dialect wants it, empty: not known.
  void set_upgrade(const UpgradeDialect* dialect, std::string name) {
    upgrade_ = dialect;
    name_ = std::move(name);
    hold_ = false;  // the first words of a service that waits for its turn may take longer than they are waited for
  }

  const UpgradeDialect* upgrade() const { return upgrade_; }

  /// What the service says first when it is not spoken to; "" when that is nothing.
  asio::awaitable<std::string> hear_greeting();

  /// A connection on which TLS may begin.
  asio::awaitable<Result<std::unique_ptr<Stream>>> open();

  milliseconds patience() const override;

  /// The longest that any answer is waited for.
  milliseconds longest() const { return network_.reply_timeout(); }

  milliseconds moment() const override;

  /// The next connection that is answered stays open while the question after it is asked: a server that answers that
  /// one only when the first has ended takes one connection at a time. Costs no question of its own.
  void hold_next() { hold_ = upgrade_ == nullptr; }

  /// Ends the connection that is held.
  asio::awaitable<void> release();

  Serves serves() const { return serves_; }

  /// From now on we end our side of a connection right after the hello, so that a server that takes one at a time goes
  /// on to the next without a round trip; until it answers that in another way than with a flight or an alert. An alert
  /// counts when a flight has shown that the server answers such hellos at all.
  void end_early() { ends_early_ = true; }

  /// A hello was sent on a connection of `open`.
  void count_hello() {
    ++cost_.hellos;
    ++cost_.round_trips;
  }

 private:
  asio::awaitable<Reply> ask_once(const std::string& title, const std::string& first_flight, const Enough& enough,
                                  bool ends_early);
  asio::awaitable<Result<std::unique_ptr<Stream>>> open_beside();
  asio::awaitable<void> converse(Stream& stream, const std::string& first_flight, const Enough& enough, bool ends_early,
                                 Reply& reply);
  asio::awaitable<Result<std::size_t>> read(Stream& stream, std::span<std::byte> room, milliseconds within);
  asio::awaitable<void> say_goodbye(Stream& stream, Reply& reply);
  asio::awaitable<void> note_deadline(Reply& reply);

  Network& network_;
  Endpoint to_;
  Transcript& transcript_;
  const UpgradeDialect* upgrade_ = nullptr;
  std::string name_;
  Cost cost_;
  AnswerTime usual_;
  bool hold_ = false;
  std::unique_ptr<Stream> held_;
  Serves serves_ = Serves::unknown;
  bool ends_early_ = false;
  bool early_taken_ = false;  // a hello of that kind was answered with a flight
};

}  // namespace assay::probes::tls
