#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/tls/exchange.hpp"
#include "probes/tls/robot.hpp"
#include "probes/tls/weaknesses.hpp"

/// The weaknesses that show only in an exchange of their own. Each is asked where its precondition is there, as small
/// as decides it: nothing is read that a device did not mean to send, and no secret of anybody is guessed.
///   heartbleed     CVE-2014-0160: a heartbeat that claims 23 bytes more than it has
///   ccs_injection  CVE-2014-0224: a ChangeCipherSpec before any key exchange
///   robot          RSA key exchange with right and wrong padding, whose answers ought to be alike
///   ticketbleed    CVE-2016-9244: a session id shorter than 32 bytes beside a ticket
namespace assay::probes::tls {

class Decisive {
 public:
  Decisive(TcpAsker& asker, Transcript& transcript, SuiteSurvey& survey, const Picture& picture,
           std::string server_name, Exchange::Forget forget);

  /// Adds the exchanges that make sense for what the survey has found.
  void plan(sessions::Jobs& jobs);

  /// Adds those that rest on the looks: whether heartbeats are taken, and a ticket of a session in TLS 1.2 or before;
  /// null: none is given.
  void plan_after_looks(sessions::Jobs& jobs, const TlsResumption* ticket);

  /// One verdictless line for each weakness above, in that order.
  const std::vector<Weakness>& results() const { return results_; }

  /// The run is over.
  const std::optional<Error>& over() const { return over_; }

 private:
  using Fits = std::function<bool(const wire::SuiteParts&)>;
  using Answers = std::array<std::string, kPaddings>;

  /// Five paddings in the same setting, asked side by side.
  struct Round {
    bool finish = true;  // the rest of the handshake follows
    Answers answers;
    std::size_t left = kPaddings;  // that have no answer yet
    bool failed = false;           // one could not be asked
  };

  std::optional<HelloWish> old_wish(const Fits& fits) const;
  bool old_settled() const;

  Exchange exchange() { return {asker_, transcript_, forget_}; }

  void decide(std::string_view name, WeaknessState state, std::string why);
  void take_end(const Exchange& exchange);

  void plan_heartbleed(sessions::Jobs& jobs);
  void plan_robot(sessions::Jobs& jobs);
  void begin_round(sessions::Jobs& jobs, bool finish);
  void end_round(sessions::Jobs& jobs, const Round& round);
  asio::awaitable<void> heartbleed(HelloWish wish);
  asio::awaitable<void> inject_ccs(HelloWish wish);
  asio::awaitable<void> ticketbleed(const TlsResumption* ticket);
  asio::awaitable<void> ask_padding(sessions::Jobs& jobs, Round& round, Padding padding);
  asio::awaitable<void> exchange_key(Round& round, Padding padding);
  milliseconds silence_of(const Exchange& line) const;

  TcpAsker& asker_;
  Transcript& transcript_;
  SuiteSurvey& survey_;
  const Picture& picture_;
  std::string server_name_;
  Exchange::Forget forget_;
  std::vector<Weakness> results_;
  HelloWish robot_wish_;
  std::deque<Round> rounds_;  // of ROBOT
  std::string robot_trouble_;
  std::chrono::nanoseconds slowest_decryption_{0};
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls
