#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "harness/model/endpoint.hpp"
#include "harness/model/pace.hpp"

/// The arithmetic of the governor: pure, every function is told the time.
namespace assay {

using TimePoint = std::chrono::steady_clock::time_point;

/// A token bucket as the generic cell rate algorithm (ITU-T I.371) keeps it: one time stamp instead of tokens.
class Bucket {
 public:
  /// `burst` tokens may be taken at once after a rest. A rate of 0 counts as 1 a second.
  Bucket(double rate_per_second, double burst);

  void set_rate(double rate_per_second, double burst);

  double rate() const { return rate_; }

  /// When the next token may be taken; not later than `now` means at once.
  TimePoint next() const { return due_ - tolerance_; }

  bool try_take(TimePoint now);

  /// Takes a token that may lie in the future and says when it may be used: first come, first served.
  TimePoint reserve(TimePoint now);

 private:
  double rate_ = 1;
  std::chrono::nanoseconds interval_{0};
  std::chrono::nanoseconds tolerance_{0};
  TimePoint due_{};
};

/// How many sockets may be open to the device: additive increase, multiplicative decrease below the pace's limit.
class SocketLimit {
 public:
  explicit SocketLimit(std::uint32_t most);

  std::size_t current() const { return static_cast<std::size_t>(limit_); }

  std::uint64_t decreases() const { return decreases_; }

  void answered();
  /// Halves, but once only for all the losses of one `round` (a round trip or more).
  void lost(TimePoint now, std::chrono::nanoseconds round);

 private:
  double most_;
  double limit_;
  TimePoint last_decrease_{};
  std::uint64_t decreases_ = 0;
};

/// Wrong logins used, for each account on each endpoint of a device, and when an endpoint may be tried again.
class LoginBudget {
 public:
  LoginBudget(std::uint32_t attempts, std::chrono::milliseconds interval);

  /// With the limit of all accounts of an endpoint together, where the pace has one.
  explicit LoginBudget(const Pace& pace);

  /// "tcp/23 admin": the name under which a counter is kept and restored.
  static std::string key(const Endpoint& endpoint, const std::string& account);

  /// Takes one attempt and says when it may be used. `denied` when none is left. `kept`: for whom one is set aside.
  Result<TimePoint> draw(const Endpoint& endpoint, const std::string& account, TimePoint now, bool kept = false);

  /// From now on the last attempt of this account is for `kept` draws alone.
  void set_aside(const Endpoint& endpoint, const std::string& account);

  /// As `draw` with a limit of its own and no interval.
  Result<> draw_guess(const Endpoint& endpoint, std::uint32_t limit);

  /// Under this name guesses are counted beside the accounts; "tcp/23 (guessing)" is their counter.
  static constexpr std::string_view kGuessing = "(guessing)";

  /// Gives back an attempt that was drawn and not used, or that was no wrong login.
  void refund(const Endpoint& endpoint, const std::string& account);

  std::uint32_t used(const Endpoint& endpoint, const std::string& account) const;

  void restore(std::map<std::string, std::uint32_t> used) { used_ = std::move(used); }

  /// Of all accounts of an endpoint; guesses count apart.
  std::uint32_t used_on(const Endpoint& endpoint) const;

  const std::map<std::string, std::uint32_t>& all() const { return used_; }

 private:
  std::uint32_t attempts_;
  std::optional<std::uint32_t> on_endpoint_{};  // of all accounts together; none: no limit
  std::chrono::milliseconds interval_;
  std::map<std::string, std::uint32_t> used_;
  std::set<std::string> aside_;  // keys whose last attempt is set aside
  std::map<Endpoint, TimePoint> next_;
};

}  // namespace assay
