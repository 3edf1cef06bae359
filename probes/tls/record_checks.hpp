#pragma once

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "probes/sessions/together.hpp"
#include "probes/tls/cbc_session.hpp"
#include "probes/tls/exchange.hpp"
#include "probes/tls/hellos.hpp"
#include "probes/tls/picture.hpp"
#include "probes/tls/weaknesses.hpp"

/// How a server checks the records of a session with a CBC suite. Each of five sessions gets one record of no content
/// that is right, or wrong in one way:
///   tls_poodle     CVE-2014-8730: a wrong padding is taken
///   zombie_poodle  CVE-2019-6593 and its kin: wrong padding under a right MAC is answered in a way of its own
///   goldendoodle   a wrong MAC is answered otherwise with right padding than with a wrong one
/// Times of answers are not compared, and no secret is guessed.
namespace assay::probes::tls {

class RecordChecks {
 public:
  using NewExchange = std::function<Exchange()>;

  explicit RecordChecks(NewExchange exchange);

  /// Adds the sessions; `wish` is a hello with suites that `cbc_suite` has, which the server is known to take.
  void plan(sessions::Jobs& jobs, HelloWish wish);

  /// Says the same of all three without asking.
  void decide(WeaknessState state, const std::string& why);

  const std::vector<Weakness>& results() const { return results_; }

  /// How a wrong MAC and a wrong padding were answered.
  const Alerts& alerts() const { return alerts_; }

  /// The run is over.
  const std::optional<Error>& over() const { return over_; }

 private:
  using Answers = std::array<std::string, kFlaws>;

  struct Round {
    // The record and our end of the connection follow the handshake at once: a server that takes the record ends too,
    // so that nobody waits for a silence. Believed where each wrong record is answered with an alert.
    bool ends = false;
    Answers answers;
    std::size_t left = kFlaws;
    bool failed = false;
  };

  struct Session {
    std::optional<CbcKeys> keys;
    milliseconds silence{0};    // that says a record was passed over
    std::size_t handshake = 0;  // records of the server's, to its Finished
  };

  void begin_round(sessions::Jobs& jobs, bool ends);
  static bool same_wrongs(const Round& one, const Round& other);
  void compare_rounds(sessions::Jobs& jobs, const Round& round);
  void end_round(sessions::Jobs& jobs, const Round& round);
  void judge(const Round& round);
  void decide(std::string_view name, bool shown, const Answers& answers, Flaw one, Flaw other);
  bool fail(const Exchange& line, std::string why);
  asio::awaitable<void> ask(sessions::Jobs& jobs, Round& round, Flaw flaw);
  asio::awaitable<void> ask_in_session(Round& round, Flaw flaw);
  std::string end_of_handshake(Exchange& line, const wire::TlsHello& hello, Session& session);
  bool is_finished(const Exchange& line, const Heard& heard, Session& session);
  asio::awaitable<bool> finish(Exchange& line, std::string bytes, Session& session);
  asio::awaitable<std::string> answer_at_once(Exchange& line, std::string bytes, Session& session, Flaw flaw);
  asio::awaitable<std::string> answer_to(Exchange& line, Session& session, Flaw flaw);

  NewExchange exchange_;
  HelloWish wish_;
  std::deque<Round> rounds_;  // that are believed
  std::size_t sessions_ = 0;  // that were finished, and what was asked in them was answered
  std::vector<Weakness> results_;
  Alerts alerts_;
  std::string trouble_;
  std::string setting_;  // version and suite
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls
