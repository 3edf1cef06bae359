#pragma once

#include <map>

#include "probes/resistance/rate.hpp"
#include "probes/resistance/sign.hpp"

namespace assay::probes::resistance {

/// What the measure may cost. The pace's own budget for guesses stands above `attempts`.
struct Means {
  std::int64_t attempts = 250;
  milliseconds time{120'000};
  milliseconds recover{90'000};  // for one block to end, beside `time`
  std::int64_t sources = 4;      // other addresses of ours
};

/// A login that is right, of the DUT file.
struct Known {
  std::string role;
  std::string username;
  Secret secret;
};

/// Wrong logins in a row until the device reacted.
struct Series {
  std::int64_t wrong = 0;  // refused as usual before that
  std::optional<Sign> sign;
  std::string says;
  std::vector<milliseconds> each;  // time of each usual one
  std::vector<milliseconds> slow;  // of those that were slow
  milliseconds lasted{0};
};

/// What a reaction is bound to.
enum class Bound : std::uint8_t {
  unknown,
  account,             // another account is refused as usual from the same address
  source,              // the same account is refused as usual from another address of ours
  account_and_source,  // both
  everything,          // neither
  source_or_all,       // another account is held too, and there was no other address to ask from
};
BOOST_DESCRIBE_ENUM(Bound, unknown, account, source, account_and_source, everything, source_or_all)

/// Another address of ours.
struct AtSource {
  std::string address;
  bool reached = false;  // before the attack a wrong login from there was refused as usual
  std::int64_t wrong = 0;
  std::vector<milliseconds> each{};  // times of those
  bool reacted = false;              // to them, as at first to the usual one
  std::optional<bool> held{};        // nothing: not looked at, or not known
};

enum class Answer : std::uint8_t { no, yes, unknown };

/// From whether another account is held, and the account that is attacked at another address; nothing: not asked there.
Bound bound_of(Answer other_account, std::optional<Answer> elsewhere, bool silent);

/// Wrong passwords that got in. Two end a siege: who is let in by the next word, too, was never held back.
struct LetIn {
  int times = 0;
  std::int64_t after = 0;  // logins of any kind before the first
};

/// All that a siege saw; what is empty was not looked at.
struct Seen {
  std::int64_t made = 0;  // logins of any kind
  LetIn let_in;
  std::optional<Known> known;
  std::optional<Series> first;
  bool silent = false;  // wrong logins look as ever, but the right one is refused
  std::optional<Series> second;
  std::string afresh;  // what the second began anew by
  bool repeated = false;
  bool sooner = false;           // it came again after a wait, before as many wrong logins as at first
  Growth growth = Growth::none;  // of the delays of the first series
  Bound bound = Bound::unknown;
  std::optional<bool> right_in_attack;
  std::optional<bool> right_lifts;  // a right login ended the reaction
  std::string right_unclear;        // what the right login got that means neither; empty: none did
  std::vector<Block> blocks;        // how long it held, and the next time at the same place
  std::optional<bool> resets;
  std::vector<AtSource> sources;
  std::vector<std::int64_t> used_up;  // logins of each connection that ended
  std::string why_stopped;            // empty: went to the end
};

/// Measures how one login bears guessing. Never looks for a password: all that it tries are random words, and the right
/// one of the DUT file.
class Siege {
 public:
  static constexpr int kControls = 2;  // logins of names that nobody has, before the attack

  Siege(ProbeContext& context, credentials::Door& door, credentials::Dialect& dialect, Means means)
      : context_(context), door_(door), dialect_(dialect), means_(means) {}

  /// An error only for what ends the probe; `seen()` holds what was seen until then.
  asio::awaitable<Result<>> run(std::vector<Known> accounts);

  const Seen& seen() const { return seen_; }

 private:
  using Tried = Result<credentials::Attempt>;

  asio::awaitable<Result<bool>> learn();
  asio::awaitable<Result<>> find_known(std::vector<Known> accounts);
  asio::awaitable<Result<Answer>> get_in(std::string username);
  asio::awaitable<Result<>> find_sources();
  asio::awaitable<Result<>> attack();
  asio::awaitable<Result<>> look_for_silent_lock();
  asio::awaitable<Result<>> look_around();
  asio::awaitable<Result<std::optional<Answer>>> look_elsewhere();
  asio::awaitable<Result<>> wait_for_end(milliseconds step);
  asio::awaitable<Result<>> repeat();
  asio::awaitable<Result<>> repeat_growth();
  asio::awaitable<Result<>> time_again();
  asio::awaitable<Result<>> try_reset();
  asio::awaitable<Result<>> try_sources();

  asio::awaitable<Result<Series>> series(std::string username, std::int64_t most);
  std::int64_t first_at_most() const;
  void tell_growth();
  asio::awaitable<Result<>> follow_delay(Series& out, std::string username);
  asio::awaitable<Result<Sign>> wrong(std::string username);
  asio::awaitable<Result<Answer>> right();
  asio::awaitable<Tried> guess(std::string username, Secret password, bool control);
  asio::awaitable<Result<Answer>> right_once();
  Answer answer_of_right(const credentials::Attempt& tried);
  asio::awaitable<Tried> once(std::string username, Secret password, bool control);
  asio::awaitable<Result<Answer>> held(std::string username, bool elsewhere);
  /// A name that no device has.
  static std::string nobody();
  Result<> speak_from(const std::string& source);
  void speak_as_usual();
  void start_afresh();
  void count_connection();
  bool spent(const Result<>& result);

  std::int64_t left() const { return means_.attempts - seen_.made - 1; }  // one is in reserve

  std::int64_t again_at_most() const;
  milliseconds first_step() const;
  bool near(const Series& again) const;
  bool sooner(const Series& again) const;

  bool ended() const { return !seen_.blocks.empty() && seen_.blocks.back().most.has_value(); }

  ProbeContext& context_;
  credentials::Door& door_;
  credentials::Dialect& dialect_;
  Means means_;
  Seen seen_;
  Usual usual_;
  Result<> reserve_;           // a permit for a login that a dialect sends twice; an error: there are no more
  std::string target_;         // the account that is attacked
  std::string other_source_;   // one that was not held
  credentials::Attempt last_;  // of wrong()
  credentials::Outcome right_looks_ = credentials::Outcome::rejected;  // of a right login; rejected: not seen yet
  milliseconds took_{0};                                               // of wrong(), with its connection
  milliseconds held_since_{0};                                         // a login was seen to be held
  milliseconds free_until_{0};                                         // the last one that was not went out
  milliseconds waited_{0};
  std::int64_t on_connection_ = 0;
  std::int64_t connections_ = 0;
};

}  // namespace assay::probes::resistance
