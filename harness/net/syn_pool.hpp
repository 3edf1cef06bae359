#pragma once

#include <array>
#include <deque>
#include <memory>

#include "harness/net/poll_set.hpp"
#include "harness/net/port_asker.hpp"
#include "harness/net/raw_socket.hpp"
#include "harness/net/tcp_segment.hpp"

namespace assay {

/// Single SYN segments from one raw socket, in batches: an answer is a SYN-ACK, a RST or an ICMP error, told apart by
/// code. No connection is ever opened: the kernel knows none and resets what a SYN-ACK offers.
///
/// The sequence number of a SYN names the attempt under a random key, so that an answer belongs to exactly one attempt,
/// and whoever has not seen the SYN cannot answer it. Answers that come after their attempt was given up are dropped: the
/// sweep asks again.
class SynPool final : public PortAsker {
 public:
  /// As open_raw_tcp().
  static Result<std::unique_ptr<PortAsker>> open(const IpAddress& address);

  std::string_view method() const override { return "tcp-syn"; }

  bool connects() const override { return false; }

  Started start(const Attempt& attempt, TimePoint now) override;
  void flush(std::vector<Ended>& into) override;
  bool collect(std::vector<Ended>& into) override;
  void expire(TimePoint limit, TimePoint now, std::vector<Ended>& into) override;

  std::size_t in_flight() const override { return in_flight_; }

  std::optional<TimePoint> oldest() override;

  Result<UniqueFd> waitable() const override { return poll_.waitable(); }

  void wake_at(TimePoint when) override { poll_.wake_at(when); }

 private:
  struct Slot {
    Attempt attempt;
    TimePoint started;
    std::uint16_t generation = 0;
    bool busy = false;
  };

  struct Queued {
    std::array<std::uint8_t, kSynSize> segment;
    std::uint16_t slot = 0;
  };

  struct Ticket {  // in the order of sending
    std::uint16_t slot = 0;
    std::uint16_t generation = 0;
  };

  SynPool(const IpAddress& target, RawTcp raw, PollSet poll);

  std::optional<std::uint16_t> free_slot();
  std::uint32_t sequence_of(std::uint16_t slot) const;
  void answered(std::uint32_t sequence, std::uint16_t port, Answer answer, TimePoint now, std::vector<Ended>& into);
  void finish(std::uint16_t slot, Answer answer, TimePoint now, std::vector<Ended>& into);
  void read_segments(TimePoint now, std::vector<Ended>& into);
  void read_errors(TimePoint now, std::vector<Ended>& into);
  bool is_pending(const Ticket& ticket) const;

  IpAddress target_;
  RawTcp raw_;
  PollSet poll_;
  std::uint32_t key_;
  std::vector<Slot> slots_;
  std::vector<std::uint16_t> idle_;
  std::vector<Queued> queue_;
  std::deque<Ticket> order_;
  std::size_t in_flight_ = 0;
};

}  // namespace assay
