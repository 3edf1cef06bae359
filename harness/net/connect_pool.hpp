#pragma once

#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "harness/net/address.hpp"
#include "harness/net/poll_set.hpp"
#include "harness/net/port_asker.hpp"

namespace assay {

/// Many connects to one address at once, at two system calls each: a refused socket is used again for the next port
/// (Linux returns it to its first state when the error is fetched by connect()), and epoll watches it edge-triggered
/// all its life. Measured here: half the CPU of a new socket for each port.
///
/// What accepted is ended in order: FIN, then what the device says until it ends too, at most for a second.
class ConnectPool final : public PortAsker {
 public:
  static Result<std::unique_ptr<PortAsker>> open(const IpAddress& address);

  std::string_view method() const override { return "tcp-connect"; }

  bool connects() const override { return true; }

  Started start(const Attempt& attempt, TimePoint now) override;

  void flush(std::vector<Ended>&) override {}

  bool collect(std::vector<Ended>& into) override;
  void expire(TimePoint limit, TimePoint now, std::vector<Ended>& into) override;

  std::size_t in_flight() const override { return in_flight_; }

  std::size_t closing() const override { return closing_.size(); }

  std::size_t take_closed() override { return std::exchange(closed_, 0); }

  std::optional<TimePoint> oldest() override;

  Result<UniqueFd> waitable() const override { return poll_.waitable(); }

  void wake_at(TimePoint when) override { poll_.wake_at(when); }

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

  struct Closing {
    UniqueFd socket;
    TimePoint since;
  };

  ConnectPool(const IpAddress& address, PollSet poll) : to_(address, 0), poll_(std::move(poll)) {}

  std::uint32_t free_slot();
  int make_socket(Slot& slot);
  int watch(std::uint32_t index);
  static Answer accepted_or_self(Slot& slot);
  std::optional<Answer> outcome(Slot& slot);
  void finish(std::uint32_t index, Answer answer, TimePoint now, std::vector<Ended>& into);
  bool begin_closing(std::uint32_t index, TimePoint now);
  void go_on_closing(std::uint64_t tag);
  void end_oldest_closing();
  void link(std::uint32_t index);
  void unlink(std::uint32_t index);

  SocketAddress to_;
  PollSet poll_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> idle_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::size_t in_flight_ = 0;
  std::map<std::uint64_t, Closing> closing_;  // by tag in the poll set
  std::deque<std::uint64_t> closing_order_;   // tags, oldest first; some are gone
  std::size_t closed_ = 0;
};

}  // namespace assay
