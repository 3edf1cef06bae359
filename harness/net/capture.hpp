#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "harness/model/result.hpp"
#include "harness/net/flow_book.hpp"
#include "harness/net/packet_key.hpp"
#include "harness/net/packet_tap.hpp"
#include "harness/net/vantage.hpp"
#include "harness/probe/network.hpp"

/// The packets of a run, and which invocation each belongs to.
namespace assay {

struct CapturedFrame {
  enum class Direction : std::uint8_t { unknown, inbound, outbound };

  std::int64_t time_ns = 0;         // since the epoch, by the kernel
  std::uint32_t interface = 0;      // index in Capture::interfaces()
  std::uint32_t original_size = 0;  // on the link
  std::vector<std::byte> bytes;     // at most the snap length
  Direction direction = Direction::unknown;
  std::uint16_t own_port = 0;     // of the conversation, 0: none
  std::uint16_t device_port = 0;  // the same
};

struct CaptureTarget {
  IpAddress address;
  const Vantage* vantage = nullptr;  // that it is looked at from; null: where the thread is
};

/// One capture on every interface that leads to a target, in every namespace that one is looked at from. Frames wait in
/// memory, at most kMostHeld of them, until the invocation they belong to has ended; what comes beyond is counted.
/// Belongs to the thread of the io_context, and holds that up until stop().
class Capture {
 public:
  static constexpr std::size_t kMostHeld = std::size_t{64} << 20U;  // bytes

  /// `denied` when this process may not capture, `unsupported` for a link that is neither Ethernet nor plain IP.
  static Result<std::unique_ptr<Capture>> open(const asio::any_io_executor& executor,
                                               const std::vector<CaptureTarget>& targets);

  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  const std::vector<TapInterface>& interfaces() const { return interfaces_; }

  /// By interface, since the capture began.
  std::vector<TapCounters> counters() const;

  /// Frames that memory had no room for.
  std::int64_t not_kept() const { return not_kept_; }

  /// A log for the sockets of one owner.
  FlowLog log_for(const std::string& owner);

  /// The frames of an owner that has ended, in order of time. Waits a moment, for the kernel hands frames over in
  /// blocks.
  asio::awaitable<std::vector<CapturedFrame>> take(std::string owner);

  /// Everything that is left and concerns a target: frames that came after their invocation had ended, liveness checks,
  /// and what a device says by itself. On the loopback of this machine only frames of our own sockets.
  asio::awaitable<std::vector<CapturedFrame>> take_rest();

  /// UDP payloads to a DHCP server's port that a target sent (RFC 2131, 4.1), the latest last, a few of them.
  std::vector<std::vector<std::byte>> dhcp_messages();

  /// Ends reading; what was read stays.
  void stop();

 private:
  struct Reader;
  struct Way;

  Capture() = default;

  Result<std::vector<Way>> ways_to(const std::vector<CaptureTarget>& targets);
  void start(std::size_t interface);
  void read(std::size_t interface);
  void read_all();
  void keep(std::uint32_t interface, const TappedFrame& frame);
  void learn_sender(const PacketKey& key, const CapturedFrame& frame);
  bool is_target(const IpAddress& address) const;
  bool is_of_target(const CapturedFrame& frame) const;
  bool concerns_target(const std::optional<PacketKey>& key, const CapturedFrame& frame) const;
  void note_dhcp(const PacketKey& key, const CapturedFrame& frame);
  asio::awaitable<void> settle();

  std::vector<IpAddress> targets_;
  std::set<IpAddress> on_link_;  // those that no router stands before
  std::vector<TapInterface> interfaces_;
  std::vector<std::unique_ptr<PacketTap>> taps_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::deque<CapturedFrame> frames_;
  std::size_t held_ = 0;  // bytes
  std::int64_t not_kept_ = 0;
  std::set<MacAddress> senders_;    // of frames that came from a target on the link
  std::deque<CapturedFrame> dhcp_;  // copies
  FlowBook flows_;
};

}  // namespace assay
