#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "harness/model/result.hpp"
#include "harness/net/address.hpp"
#include "harness/net/budget.hpp"
#include "harness/net/sweep_ledger.hpp"
#include "harness/net/unique_fd.hpp"

namespace assay {

/// Many connects to one address at once, at two system calls each: a refused socket is used again for the next port
/// (Linux returns it to its first state when the error is fetched by connect()), and epoll watches it edge-triggered
/// all its life. Measured here: half the CPU of a new socket for each port.
class ConnectPool {
 public:
  struct Attempt {
    std::uint16_t port = 0;
    bool canary = false;
    std::uint32_t epoch = 0;
  };

  struct Ended {
    Attempt attempt;
    Answer answer = Answer::silence;
    std::chrono::nanoseconds took{0};
  };

  enum class Start : std::uint8_t {
    pending,
    ended,           // answered at once, see `ended`
    no_descriptors,  // EMFILE, ENFILE
    out_of_local,    // ephemeral ports, memory, buffers
    not_allowed,     // a local firewall or the backstop
    no_route,
  };

  struct Started {
    Start how = Start::pending;
    int error = 0;
    Ended ended;
  };

  static Result<std::unique_ptr<ConnectPool>> open(const IpAddress& address);
  ConnectPool(const ConnectPool&) = delete;
  ConnectPool& operator=(const ConnectPool&) = delete;
  ~ConnectPool() = default;

  Started start(const Attempt& attempt, TimePoint now);

  /// Appends what has ended. True when nothing more is waiting: only then may silence be believed.
  bool collect(std::vector<Ended>& into);

  /// Gives up attempts started before `limit`: they end as silence.
  void expire(TimePoint limit, TimePoint now, std::vector<Ended>& into);

  std::size_t in_flight() const { return in_flight_; }

  /// When the oldest pending attempt was started.
  std::optional<TimePoint> oldest() const;

  /// A copy of the epoll descriptor to wait on; readable when something ended or `wake_at` has come.
  Result<UniqueFd> waitable() const;
  void wake_at(TimePoint when);

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Slot {
    UniqueFd socket;
    std::uint32_t generation = 0;
    bool busy = false;
    bool watched = false;
    Attempt attempt;
    TimePoint started;
    std::uint32_t before = kNone;  // neighbours in the list of pending attempts, oldest first
    std::uint32_t after = kNone;
  };

  explicit ConnectPool(const IpAddress& address) : to_(address, 0) {}

  std::uint32_t free_slot();
  int make_socket(Slot& slot);
  int watch(std::uint32_t index);
  static Answer accepted_or_self(Slot& slot);
  std::optional<Answer> outcome(Slot& slot);
  void finish(std::uint32_t index, Answer answer, TimePoint now, std::vector<Ended>& into);
  void link(std::uint32_t index);
  void unlink(std::uint32_t index);
  void clear_timer();

  SocketAddress to_;
  UniqueFd epoll_;
  UniqueFd timer_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> idle_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::size_t in_flight_ = 0;
};

}  // namespace assay
