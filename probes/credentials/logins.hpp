#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "probes/credentials/dialect.hpp"
#include "probes/credentials/lock_watch.hpp"
#include "probes/sessions/fact_sheet.hpp"

namespace assay::probes::credentials {

/// What a series of logins showed.
struct Tally {
  json::array accepted;
  std::optional<bool> open;  // nothing: the controls gave no clear answer
  std::int64_t tried = 0;    // candidates that were tried
  std::int64_t skipped_budget = 0;
  std::int64_t skipped_stopped = 0;
  std::int64_t controls = 0;
  std::int64_t unclear = 0;
  std::int64_t refusals = 0;  // wrong logins that were clearly refused
  std::set<std::string> accounts;
  std::string lock_sign;  // empty: no lockout seen
  std::string lock_account;
  std::string why_stopped;   // empty: went to the end
  std::string doubt;         // why refusals that were seen say little
  std::int64_t resumed = 0;  // times that logins went on after a lockout

  /// Takes in what another login of the same endpoint showed.
  void absorb(const Tally& other);
};

struct LoginOptions {
  bool stop_at_first = true;
  std::size_t connections = 1;               // on which logins may be on their way, where the pace allows it
  milliseconds resume_after{0};              // of a lockout; 0: logins do not go on after one
  std::function<Door&()> another_door = {};  // for each connection beside the first; it outlives the logins
};

/// Tries candidates one by one, or on several connections where that is asked for. A pair is accepted when what is
/// behind the login was reached, twice, and logins with random names and passwords failed before and after. Stops at
/// the first sign of a lockout.
class Logins {
 public:
  Logins(ProbeContext& context, Door& door, Dialect& dialect, std::vector<Candidate> candidates, LoginOptions options)
      : context_(context),
        door_(door),
        dialect_(dialect),
        candidates_(std::move(candidates)),
        options_(std::move(options)) {}

  /// An error only for what ends the probe; the tally holds what was seen until then.
  asio::awaitable<Result<>> run();

  const Tally& tally() const { return tally_; }

 private:
  struct Beside;

  asio::awaitable<Result<>> run_through();
  void doubt_suspects();
  asio::awaitable<Result<>> calibrate();
  asio::awaitable<Result<>> calibrate_with_known();
  asio::awaitable<Result<>> try_all();
  asio::awaitable<Result<>> try_between_locks();
  void take_up_again();
  void reopen();
  void bring_forward(std::size_t at, std::size_t last, const Dialect& dialect);
  asio::awaitable<Result<Attempt>> control();
  asio::awaitable<Result<Attempt>> control_by(Dialect& dialect);
  asio::awaitable<Result<bool>> reserve_check();
  asio::awaitable<Result<>> show_known();
  asio::awaitable<Result<std::optional<Attempt>>> try_own(Candidate own);
  asio::awaitable<Result<std::optional<Attempt>>> try_turned(Candidate own);
  asio::awaitable<Result<Attempt>> make_own(Candidate own);
  asio::awaitable<Result<>> find_known();
  asio::awaitable<Result<>> keep_known(Candidate own);
  asio::awaitable<Result<>> check_known();
  asio::awaitable<Result<bool>> permit(std::string account);
  asio::awaitable<Result<>> try_candidate(Candidate candidate, bool again = false);
  asio::awaitable<Result<bool>> settle(Candidate candidate, Attempt attempted);
  asio::awaitable<Result<>> prove_order();
  asio::awaitable<Result<>> try_several();
  asio::awaitable<Result<>> settle_several(std::vector<Candidate> sent, Several several);
  std::size_t at_once() const;
  asio::awaitable<Result<>> prove_beside();
  asio::awaitable<void> control_beside(Dialect& dialect, Beside& shared);
  asio::awaitable<Result<>> try_beside();
  asio::awaitable<std::optional<Candidate>> take_beside(Dialect& dialect, Beside& shared);
  asio::awaitable<void> row_beside(Dialect& dialect, Beside& shared);
  asio::awaitable<Result<>> settle_beside(Beside& shared);
  asio::awaitable<Result<>> confirm(Candidate candidate, std::string proof, bool compared = false);
  asio::awaitable<Result<Outcome>> control_after_hit();
  asio::awaitable<Result<Outcome>> try_wrong(Candidate candidate);
  void looks_alike(const std::string& username);
  void tell_accepted(const Candidate& candidate, const Attempt& taken, std::string proof, bool any);
  asio::awaitable<Result<>> doubt(Candidate candidate, Attempt attempted);
  asio::awaitable<Result<Attempt>> attempt(Candidate candidate);
  asio::awaitable<Result<>> weigh(const Attempt& refusal, std::string account, bool beside);
  asio::awaitable<Result<>> heed(LockWatch::Sign sign, std::string account);
  void locked(std::string sign, const std::string& account);

  bool stopped() const { return !tally_.why_stopped.empty(); }

  ProbeContext& context_;
  Door& door_;
  Dialect& dialect_;
  std::vector<Candidate> candidates_;
  std::size_t next_ = 0;  // of the candidates
  LoginOptions options_;
  Tally tally_;
  std::size_t at_once_ = 1;  // logins that the server was seen to answer in their order, and more as it goes well
  std::vector<std::unique_ptr<Dialect>> beside_;  // one for each connection, where several are used
  std::size_t rows_ = 0;                          // of these that are used; fewer as the server gives way
  bool answered_late_ = false;                    // what is tried now got an answer after it was taken for refused
  std::optional<Candidate> known_{};              // an account of the tester that got in, and a permit for another look
  bool turned_ = false;                           // logins are made in the other way of the dialect
  std::set<std::string> tried_turned_;            // accounts of the tester
  bool reserved_ = false;                         // a permit is kept for the control that follows a hit
  std::set<std::string> spent_;                   // accounts without budget
  std::set<std::string> solved_;                  // accounts whose password is known
  LockWatch watch_;
  std::vector<Candidate> unjudged_;  // that went out as the device stopped taking logins
  int unclear_in_a_row_ = 0;
};

}  // namespace assay::probes::credentials
