#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/probe/udp_sweep.hpp"

namespace assay {

/// What is known about each UDP port of a sweep, and what it comes to. Pure: no clock, no sockets.
class UdpLedger {
 public:
  static constexpr int kEnoughSilences = 2;
  static constexpr int kTriesAlone = 2;

  explicit UdpLedger(const std::vector<std::uint16_t>& ports);

  bool knows(std::uint16_t port) const { return entries_.contains(port); }

  void sent(std::uint16_t port);

  /// A datagram came; `from` another port of the device, perhaps.
  void replied(std::uint16_t port, std::uint16_t from);

  /// ICMP port unreachable of the device.
  void refused(std::uint16_t port);

  /// Any other ICMP error, in words.
  void rejected(std::uint16_t port, std::string reason);

  /// Silent while the control brought its error.
  void silent_beside_control(std::uint16_t port);

  /// Silent, and no control was sent.
  void silent_alone(std::uint16_t port);

  /// Whether the port may be asked without a control behind it: on a device that limits its ICMP errors and refuses
  /// nearly everything, silence mostly means that it had no error left, and the control would take one more. What stays
  /// silent is asked beside a control in the end.
  bool ask_alone(std::uint16_t port) const;

  /// Silent, and no port is known that would show what that means.
  void silent_without_control(std::uint16_t port);

  /// Nothing more has to be asked.
  bool settled(std::uint16_t port) const;
  bool open(std::uint16_t port) const;

  /// A port that refused and never answered, or 0.
  std::uint16_t control() const { return control_; }

  /// Ports still to be proven, as a queue.
  void begin_proof();
  std::optional<std::uint16_t> take_next();
  void put_back(std::uint16_t port);

  /// Puts the ports that were silent without a control into the queue again when there is one now.
  bool reopen_blind();

  bool has_next() const { return !queue_.empty(); }

  std::int64_t settled_count() const;

  std::int64_t count() const { return static_cast<std::int64_t>(entries_.size()); }

  /// `why` the rest was not asked to the end; empty: it was.
  void fill(UdpReport& report, std::string_view why) const;

 private:
  struct Entry {
    int sent = 0;
    int replies = 0;
    int refusals = 0;
    int silences = 0;  // beside a control
    int blind = 0;
    int alone = 0;
    std::uint16_t from = 0;  // of the reply, when it is another port
    std::string rejected;
  };

  UdpPort describe(std::uint16_t port, const Entry& entry, std::string_view why) const;

  std::map<std::uint16_t, Entry> entries_;
  std::deque<std::uint16_t> queue_;
  std::uint16_t control_ = 0;
  bool any_icmp_ = false;
  std::int64_t refused_ = 0;  // ports
  std::int64_t silent_ = 0;   // times beside a control
};

}  // namespace assay
