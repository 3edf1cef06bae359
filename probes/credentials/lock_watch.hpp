#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "probes/credentials/dialect.hpp"

namespace assay::probes::credentials {

/// Tells refusals that show a lockout from others, by what logins that cannot exist and the same account were told
/// before.
class LockWatch {
 public:
  enum class Sign : std::uint8_t {
    none,
    doubtful,  // the first refusal of this account speaks of a lockout: it may warn, or speak of one before our time
    lock,
  };

  /// The refusal of a name and a password that cannot exist.
  void learn(const Attempt& refusal);

  /// One refusal of `account`. `beside`: others were on their way, so that how long it took says nothing.
  Sign see(const Attempt& refusal, const std::string& account, bool beside);

  /// What the last refusal that was more than none says of a lockout.
  const std::string& why() const { return why_; }

  /// The refusal of a random name speaks of a lockout as the last doubtful one did.
  bool speaks_alike(const Attempt& control) const;

  /// Accounts whose refusals spoke of a lockout from the first on, with their number.
  std::map<std::string, std::int64_t> suspects() const;

  /// Much slower than what random logins got at first.
  bool is_slow(const Attempt& attempted) const;

  milliseconds usual_delay() const { return usual_delay_; }

  void expect(milliseconds delay) { usual_delay_ = std::max(usual_delay_, delay); }

 private:
  struct Account {
    bool plain = false;                // it was refused without a word of a lockout
    std::set<std::string> mentions{};  // of a lockout, that it had from the first refusal on
    std::int64_t suspect = 0;          // refusals with these
    std::vector<milliseconds> delays{};
  };

  Sign see_words(const Attempt& refusal, Account& account, const std::string& name);
  Sign see_delay(const Attempt& refusal, Account& account);

  std::map<std::string, Account> accounts_;
  std::set<std::string> usual_words_;
  std::set<std::string> last_words_;  // of the last refusal that spoke of a lockout
  std::string plain_refusal_;         // the last one that was searched for words and had none
  std::string why_;
  milliseconds usual_delay_{0};
  int slow_in_a_row_ = 0;
};

}  // namespace assay::probes::credentials
