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
///   robot          RSA key exchange with right and wrong padding, whose answers ought to be alike
namespace assay::probes::tls {

/// The hellos that these exchanges begin with, all of versions from TLS 1.0 to TLS 1.2 and known to be taken.
struct Footing {
  std::optional<HelloWish> any;
  std::optional<HelloWish> rsa;   // with RSA key transport
  std::optional<HelloWish> cbc;   // with suites that `cbc_suite` has
  std::optional<bool> heartbeat;  // the extension is answered
  bool settled = false;           // what is not here was refused, and not left unanswered
};

class Decisive {
 public:
  using NewExchange = std::function<Exchange()>;

  Decisive(NewExchange exchange, const Footing& footing);

  /// Adds the exchanges that make sense on that footing.
  void plan(sessions::Jobs& jobs);

  /// One verdictless line for each weakness above, in that order.
  const std::vector<Weakness>& results() const { return results_; }

  /// What was wrong -> how it was answered.
  const Alerts& alerts() const { return alerts_; }

  /// The run is over.
  const std::optional<Error>& over() const { return over_; }

 private:
  using Answers = std::array<std::string, kPaddings>;

  /// Five paddings in the same setting, asked side by side.
  struct Round {
    bool finish = true;  // the rest of the handshake follows
    Answers answers;
    std::size_t left = kPaddings;  // that have no answer yet
    bool failed = false;           // one could not be asked
  };

  void decide(std::string_view name, WeaknessState state, std::string why);
  void take_end(const Exchange& exchange);

  void plan_heartbleed(sessions::Jobs& jobs);
  void plan_robot(sessions::Jobs& jobs);
  void begin_round(sessions::Jobs& jobs, bool finish);
  void end_round(sessions::Jobs& jobs, const Round& round);
  asio::awaitable<void> heartbleed(HelloWish wish);
  asio::awaitable<void> inject_ccs(HelloWish wish);
  asio::awaitable<void> ask_padding(sessions::Jobs& jobs, Round& round, Padding padding);
  asio::awaitable<void> exchange_key(Round& round, Padding padding);
  milliseconds silence_of(const Exchange& line) const;

  NewExchange exchange_;
  const Footing& footing_;
  std::vector<Weakness> results_;
  Alerts alerts_;
  std::deque<Round> rounds_;  // of ROBOT
  std::string robot_trouble_;
  std::chrono::nanoseconds slowest_decryption_{0};
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls
