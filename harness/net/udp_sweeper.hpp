#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "harness/net/governor.hpp"
#include "harness/net/icmp_flow.hpp"
#include "harness/net/icmp_pacer.hpp"
#include "harness/net/sliced_work.hpp"
#include "harness/net/udp_asker.hpp"
#include "harness/net/udp_ledger.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// One run of sweep_datagrams: udp_sweep.cpp has the loop and the questions, udp_proof.cpp the pairs.
class UdpSweeper final : public SlicedWork {
 public:
  /// To ports that no question is known for. Eight bytes: some stacks drop empty datagrams.
  static constexpr std::string_view kAnything{"\0\0\0\0\0\0\0\0", 8};

  UdpSweeper(Governor& governor, UdpAsker asker, const UdpSweep& asked, std::vector<std::uint16_t> ports,
             const std::vector<IpAddress>& sources, const Progress& progress, TimePoint deadline)
      : governor_(governor),
        asker_(std::move(asker)),
        sweep_(asked),
        ledger_(ports),
        progress_(progress),
        deadline_(deadline),
        begin_(std::chrono::steady_clock::now()) {
    for (const auto& source : sources) {
      sources_.push_back({source, {}, 0, {}});
    }
  }

  asio::awaitable<Result<UdpReport>> run();

 private:
  static constexpr int kBatch = 16;  // datagrams between two looks at the answers

  /// A question on its way.
  struct Asked {
    std::size_t socket = 0;
    int tries = 0;
    TimePoint sent{};
    TimePoint due{};
    bool settled = false;
    int replies = 0;
  };

  /// An address of ours that pairs leave from. A device that limits its ICMP errors does so for each of them.
  struct Source {
    std::optional<IpAddress> address;  // none: the kernel's choice
    IcmpPacer pacer;
    std::size_t busy = 0;
    std::vector<std::size_t> idle;  // lanes
  };

  /// One pair at a time: a datagram to a port and, mostly, one to the control.
  struct Lane {
    std::size_t socket = 0;
    std::size_t source = 0;
    bool busy = false;
    std::uint16_t port = 0;
    std::uint16_t control = 0;  // 0: none is known
    bool port_ended = false;
    bool control_ended = false;
    bool port_silent = true;
    bool port_refused = false;
    bool alone = false;  // on purpose without a control
    std::uint32_t epoch = 0;
    TimePoint sent{};
  };

  enum class Phase : std::uint8_t { questions, proof, done };

  bool finished() const override { return phase_ == Phase::done || fatal_.has_value(); }

  bool slice() override;
  void tell(TimePoint now) override;

  void prepare_wait(TimePoint now) override { asker_.wake_at(next_wake(now)); }

  void interrupt(std::string_view reason) override { interruption_ = reason; }

  void open_questions();
  int send_questions(TimePoint now);
  int send_pairs(TimePoint now);
  void start_pair(std::size_t number, std::uint16_t port, TimePoint now);
  void send_control(Lane& lane, TimePoint now);
  std::size_t sources_in_use() const;
  std::optional<std::size_t> ready_source(TimePoint now);
  std::optional<std::size_t> idle_lane(std::size_t source);
  void leave(Lane& lane);
  bool send(std::size_t socket, std::uint16_t port, std::string_view request, TimePoint now);
  void take(const UdpEvent& event, TimePoint now);
  void take_for_question(std::size_t index, const UdpEvent& event, TimePoint now);
  void take_for_lane(Lane& lane, const UdpEvent& event);
  void keep(std::size_t index, const UdpEvent& event, TimePoint now);
  void note(const UdpEvent& event, std::uint16_t asked_port);
  void measure(std::chrono::nanoseconds took);
  void end_questions(TimePoint now);
  void end_pairs(TimePoint now, bool silence_counts);
  void end_pair(Lane& lane, TimePoint now);
  void starve(Lane& lane, TimePoint now);
  double errors_a_second(TimePoint now) const;
  void end_proof(TimePoint now);
  bool may_send(TimePoint now) const;
  std::chrono::nanoseconds patience() const;
  std::string_view request_for(std::uint16_t port) const;
  TimePoint next_wake(TimePoint now) const;
  TimePoint next_pair(TimePoint now) const;
  UdpReport report();

  Governor& governor_;
  UdpAsker asker_;
  const UdpSweep& sweep_;
  UdpLedger ledger_;
  const Progress& progress_;
  TimePoint deadline_;
  TimePoint begin_;
  TimePoint proof_begin_{};
  Phase phase_ = Phase::questions;
  std::vector<Source> sources_{Source{}};  // the kernel's choice first
  std::size_t next_source_ = 0;
  std::optional<IcmpFlow> flow_;  // of more than one source
  RoundTrip round_trip_;
  int samples_ = 0;
  UdpReport counts_;
  std::vector<std::string> requests_;               // as sent
  std::vector<Asked> asked_;                        // by question
  std::vector<std::optional<std::size_t>> owners_;  // socket -> question
  std::vector<Lane> lanes_;
  std::size_t first_lane_socket_ = 0;  // the sockets of lanes follow one another
  std::size_t lanes_busy_ = 0;
  std::vector<UdpEvent> events_;
  std::optional<Error> fatal_;
  std::string interruption_;
  int local_in_row_ = 0;
  TimePoint paused_until_{};
  TimePoint last_told_{};
};

}  // namespace assay
