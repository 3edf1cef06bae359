#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/probe/network.hpp"

namespace assay {

/// The ports asked for, each once: those where IoT devices mostly listen first, then the rest in a fixed mixed order,
/// so that what follows on a find starts early and no region of the range meets a bad moment as a whole.
std::vector<std::uint16_t> sweep_order(std::span<const PortRange> ranges);

/// What one connect said.
enum class Answer : std::uint8_t {
  accepted,           // SYN-ACK
  accepted_then_cut,  // SYN-ACK, then a reset before we looked
  refused,            // RST; of a connect an ICMP port unreachable too, which the kernel does not tell apart
  host_unreachable,   // ICMP host unreachable; of a connect prohibited too
  net_unreachable,    // ICMP network unreachable; of a connect prohibited too
  protocol_unreachable,
  port_unreachable,  // ICMP port unreachable: a firewall that rejects
  prohibited,        // ICMP communication prohibited
  silence,
  local_failure,  // this host could not ask
};

/// What is known of every port, and the passes over those that did not answer. Pure: no sockets, no clock.
///
/// A port is filtered only after two silences that can be believed, that is in a pass in which a port known to answer
/// (the canary) did answer. Passes go on until one brings nothing new: what a pass still finds estimates what the
/// passes before it missed (capture-recapture). Where even the last one found more than a few, no silence is believed.
class SweepLedger {
 public:
  static constexpr int kLeastPasses = 2;
  static constexpr int kMostPasses = 4;
  static constexpr int kFindingPasses = 8;  // as long as each still finds something
  static constexpr int kTrustedSilences = 2;
  static constexpr std::size_t kOpenRemembered = 8;

  explicit SweepLedger(std::vector<std::uint16_t> order);

  int pass() const { return pass_; }

  /// Ports of this pass that were not handed out yet.
  bool has_next() const { return next_ < round_.size(); }

  std::uint16_t take_next();

  /// The port was handed out but could not be asked: it comes again at the end of this pass.
  void put_back(std::uint16_t port);

  /// `epoch` is that in which the connect was started (SweepControl::epoch).
  void note(std::uint16_t port, Answer answer, std::uint32_t epoch);

  /// A port that is known to be open, 0 while none is: what it says later tells whether refusals are still believable.
  /// Each call names the next of them.
  std::uint16_t next_open();

  bool has_open() const { return !open_ports_.empty(); }

  /// So many ports refused since the last time that an open one was seen to be open still.
  std::int64_t unconfirmed() const { return unconfirmed_; }

  /// An open port is open still: what refused until now is closed.
  void confirm();

  /// The device gave out or turned us away: what refused since the last confirmation says nothing, and comes again at
  /// the end of this pass.
  void distrust();

  /// Ends the pass. Silences of `trusted_epoch` count as believed when `healthy`. True when another pass is needed.
  bool finish_pass(bool healthy, std::uint32_t trusted_epoch);

  /// A port that is known to answer, closed rather than open, 0 while none is known.
  std::uint16_t canary() const { return closed_canary_ != 0 ? closed_canary_ : open_canary_; }

  bool anything_answered() const { return open_ + closed_ > 0; }

  std::int64_t asked_for() const { return static_cast<std::int64_t>(order_.size()); }

  /// Ports that are open or closed.
  std::int64_t settled() const { return open_ + closed_; }

  /// The pass that ended found ports that the one before it had missed.
  bool still_finding() const { return still_finding_; }

  std::size_t in_this_pass() const { return round_.size(); }

  /// Ports silent so far in this pass.
  std::size_t silent_in_pass() const { return silent_.size(); }

  /// Fills results and counts. `interruption` is the reason of ports that were not asked to the end, empty when the
  /// sweep ran to its end.
  void fill(SweepReport& report, std::string_view interruption) const;

 private:
  enum class State : std::uint8_t { unasked, open, open_cut, closed, unanswered };

  struct Entry {
    State state = State::unasked;
    Answer last = Answer::silence;
    std::uint8_t era = 0;  // of a refusal: confirmations before it, modulo 256
    std::uint8_t asked = 0;
    std::uint8_t trusted = 0;
  };

  struct Silence {
    std::uint16_t port = 0;
    std::uint32_t epoch = 0;
  };

  PortResult describe_unsettled(std::uint16_t port, const Entry& entry, std::string_view interruption) const;

  std::vector<std::uint16_t> order_;
  std::vector<std::uint16_t> round_;
  std::size_t next_ = 0;
  std::vector<Entry> entries_;
  std::vector<Silence> silent_;
  int pass_ = 1;
  std::int64_t open_ = 0;
  std::int64_t closed_ = 0;
  std::int64_t new_in_pass_ = 0;
  bool still_finding_ = false;
  bool still_missing_ = false;  // the last pass still found too many
  std::uint16_t closed_canary_ = 0;
  std::uint16_t open_canary_ = 0;
  std::vector<std::uint16_t> open_ports_;  // the first of them
  std::size_t next_open_ = 0;
  std::int64_t unconfirmed_ = 0;
  std::uint8_t era_ = 0;
};

}  // namespace assay
