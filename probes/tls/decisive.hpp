#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/sessions/together.hpp"
#include "probes/tls/exchange.hpp"
#include "probes/tls/hellos.hpp"
#include "probes/tls/picture.hpp"
#include "probes/tls/robot.hpp"
#include "probes/tls/weaknesses.hpp"

/// The weaknesses that show only in the answer to something no client says. Each is asked where its precondition is
/// there, as small as decides it: nothing is read that a device did not mean to send, and no secret of anybody is
/// guessed.
///   heartbleed     CVE-2014-0160: a heartbeat that claims 23 bytes more than it has
///   ccs_injection  CVE-2014-0224: a ChangeCipherSpec before any key exchange
///   robot          RSA key exchange with right and wrong padding, whose answers ought to be alike: to the key
///                  exchange alone, and to the rest of the handshake after a silence
namespace assay::probes::tls {

/// A kind of suites.
struct Kinship {
  std::optional<HelloWish> wish;  // with one that is taken
  bool settled = false;           // where there is none: all were refused, and none left unanswered
};

/// The hellos that these exchanges begin with, all of versions from TLS 1.0 to TLS 1.2 and known to be taken.
struct Footing {
  std::optional<HelloWish> any;
  Kinship rsa;                    // with RSA key transport
  Kinship cbc;                    // that `cbc_suite` has
  std::optional<bool> heartbeat;  // the extension is answered
  bool settled = false;           // the versions that are not taken were refused, and not left unanswered
};

class Decisive {
 public:
  using NewExchange = std::function<Exchange()>;

  Decisive(NewExchange exchange, const Footing& footing);

  /// The first exchange with RSA key transport, while nothing else is asked: what its answer took, which is a
  /// decryption; 0 where none is made. How many may be asked at once, and how long, rests on it.
  asio::awaitable<std::chrono::nanoseconds> first_decryption();

  /// Adds the exchanges that make sense on that footing; after `first_decryption`.
  void plan(sessions::Jobs& jobs);

  /// One verdictless line for each weakness above, in that order.
  const std::vector<Weakness>& results() const { return results_; }

  /// What was wrong -> how it was answered.
  const Alerts& alerts() const { return alerts_; }

  /// The run is over.
  const std::optional<Error>& over() const { return over_; }

 private:
  using Answers = std::array<std::string, kPaddings>;

  /// Five paddings in the same setting, asked side by side or in turn.
  struct Round {
    bool whole = false;    // the rest of the handshake comes at once, for nobody knows how long to wait before it
    bool ends = false;     // our side ends behind it, for others wait for the end of this connection
    bool dropped = false;  // one had no alert: that end may be what was answered, or may have hidden who waits
    std::size_t at_once = 1;
    bool hurried = true;    // silence is believed soon
    std::size_t heard = 0;  // that were answered
    Answers answers;
    std::size_t left = kPaddings;  // that have no answer yet
    bool failed = false;           // one could not be asked
  };

  void decide(std::string_view name, WeaknessState state, std::string why);
  void take_end(const Exchange& exchange);

  void plan_robot(sessions::Jobs& jobs);
  void begin_round(sessions::Jobs& jobs, bool whole, bool ends);
  void begin_confirming(sessions::Jobs& jobs, bool whole);
  const Round* round_before(const Round& round) const;
  void end_round(sessions::Jobs& jobs, Round& round);
  void judge_robot(const Round& round);
  asio::awaitable<void> heartbleed(HelloWish wish);
  asio::awaitable<bool> try_heartbleed(HelloWish wish, bool last);
  asio::awaitable<void> inject_ccs(HelloWish wish);
  asio::awaitable<bool> try_ccs(HelloWish wish, bool last);
  asio::awaitable<void> ask_padding(sessions::Jobs& jobs, Round& round, Padding padding);
  asio::awaitable<void> ask_in_turn(sessions::Jobs& jobs, Round& round);
  asio::awaitable<std::string> begin_exchange(Exchange& line, Padding padding);
  asio::awaitable<void> exchange_key(Round& round, Padding padding);
  void take_answer(Round& round, Padding padding, const Heard& heard, std::string_view to);
  milliseconds silence_of(const Exchange& line, const Round& round) const;

  NewExchange exchange_;
  const Footing& footing_;
  std::vector<Weakness> results_;
  Alerts alerts_;
  std::deque<Round> rounds_;  // of ROBOT
  std::string robot_trouble_;
  bool waited_for_ = false;                         // others wait for the end of each connection
  std::size_t handshakes_ = 0;                      // with RSA key transport
  std::chrono::nanoseconds slowest_decryption_{0};  // with its wait for others; 0: none was answered
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls
