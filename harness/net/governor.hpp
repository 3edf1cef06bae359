#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "harness/model/pace.hpp"
#include "harness/net/budget.hpp"
#include "harness/net/round_trip.hpp"
#include "harness/net/throttle.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// The governor's state in numbers, for the journal.
struct GovernorNumbers {
  std::int64_t sockets_in_flight = 0;
  std::int64_t socket_limit = 0;  // as adapted, never above the pace's
  std::int64_t decreases = 0;     // times the limit was halved
  std::int64_t connects = 0;      // connections of probes other than sweeps
  std::int64_t packets = 0;       // SYNs of sweeps and datagrams
  std::int64_t connect_timeouts = 0;
  std::int64_t logins = 0;
  std::int64_t rtt_ns = 0;  // 0: not measured
  std::int64_t rtt_variation_ns = 0;
  std::int64_t slow_downs = 0;  // times that late answers halved the rate
};
BOOST_DESCRIBE_STRUCT(GovernorNumbers, (),
                      (sockets_in_flight, socket_limit, decreases, connects, packets, connect_timeouts, logins, rtt_ns,
                       rtt_variation_ns, slow_downs))

/// The one budget of an address, shared by all probes that work on it. Whoever waits is served in the order of asking.
/// Logins are counted by the device: governors of its other addresses share that count.
/// Single-threaded: all of it belongs to the thread of the io_context.
class Governor {
 public:
  /// Called before a login permit is given, with the attempts used including this one. An error withholds the permit:
  /// what cannot be journalled is not done.
  using LoginListener =
      std::function<Result<>(const Endpoint& endpoint, const std::string& account, std::uint32_t used)>;

  /// A share in the sockets in flight, given back by destruction; may outlive the governor.
  class Slot {
   public:
    Slot() = default;
    Slot(Slot&& other) noexcept = default;
    Slot& operator=(Slot&& other) noexcept;
    ~Slot();

   private:
    friend class Governor;
    struct State;
    std::shared_ptr<State> state_;
  };

  /// With a count of logins of its own.
  explicit Governor(const Pace& pace);
  Governor(const Pace& pace, std::shared_ptr<LoginBudget> logins);
  Governor(const Governor&) = delete;
  Governor& operator=(const Governor&) = delete;
  ~Governor();

  const Pace& pace() const { return pace_; }

  /// Waits for a free socket, for the connects a second, and for the packets a second that a connect shares with
  /// sweeps. `timed_out` at `until`, `cancelled`.
  asio::awaitable<Result<Slot>> acquire_connection(TimePoint until);

  /// Waits for the packets a second.
  asio::awaitable<Result<>> acquire_packet(TimePoint until);

  /// For sweeps, which never suspend in their inner loop. A sweep steps back as soon as a probe waits.
  bool try_take_socket();
  void give_back_socket();
  bool try_take_packet(TimePoint now);

  /// Free sockets that nobody waits for.
  std::size_t spare_connections() const;

  TimePoint next_packet() const { return packets_.next(); }

  /// One wrong login of `account`; waits for the interval. `denied` when the account's budget is spent.
  /// `kept`: may be the one that is set aside.
  asio::awaitable<Result<>> permit_login(Endpoint endpoint, std::string account, TimePoint until, bool kept = false);

  /// What was permitted last was no wrong login. A run that is resumed still counts it.
  void return_permit(const Endpoint& endpoint, const std::string& account) { logins_->refund(endpoint, account); }

  /// As many as connections where logins have no interval between them, else 1.
  std::size_t logins_at_once() const { return pace_.login_interval_ms == 0 ? pace_.max_connections : 1; }

  /// One guess on an endpoint, see guesses_allowed(). The listener hears of it as of a login.
  Result<> permit_guess(Endpoint endpoint);

  void on_login(LoginListener listener) { listener_ = std::move(listener); }

  /// Counters by "tcp/23 admin".
  const std::map<std::string, std::uint32_t>& logins() const { return logins_->all(); }

  /// The device's network stack answered a SYN after `took`: moves the rate of everybody (Throttle).
  void noticed(std::chrono::nanoseconds took, TimePoint now);

  /// The device fell silent or lost its services.
  void device_gave_out();

  const Throttle& throttle() const { return throttle_; }

  RoundTrip& round_trip() { return round_trip_; }

  const RoundTrip& round_trip() const { return round_trip_; }

  /// How connects end moves the socket limit.
  void connect_answered();
  void connect_timed_out(TimePoint now);

  GovernorNumbers numbers() const;

 private:
  void follow_throttle();

  Pace pace_;
  std::shared_ptr<Slot::State> sockets_;
  Throttle throttle_;
  Bucket connects_;
  Bucket packets_;
  std::shared_ptr<LoginBudget> logins_;
  LoginListener listener_;
  RoundTrip round_trip_;
  std::int64_t connects_made_ = 0;
  std::int64_t packets_sent_ = 0;
  std::int64_t timeouts_ = 0;
  std::int64_t permits_ = 0;
};

}  // namespace assay
