#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "harness/model/result.hpp"
#include "harness/net/packet_key.hpp"

struct pcap;

/// Packets of one interface, as the kernel copies them (packet(7), by libpcap).
namespace assay {

struct TapInterface {
  std::string name;    // "eth0"
  std::string filter;  // pcap-filter(7)
  LinkType link = LinkType::ethernet;
  std::uint32_t snap_length = 0;  // bytes of a frame that are kept
};

struct TapCounters {
  std::int64_t received = 0;              // passed the filter
  std::int64_t dropped = 0;               // the ring was full
  std::int64_t dropped_by_interface = 0;  // the driver lost them, whatever they were
};

struct TappedFrame {
  std::int64_t time_ns = 0;
  std::uint32_t original_size = 0;
  std::span<const std::byte> bytes;
};

class PacketTap {
 public:
  static constexpr std::uint32_t kSnapLength = 65535;
  static constexpr int kRingBytes = 16 << 20;
  /// A block of the ring is handed over when it is full or this old.
  static constexpr int kBlockMilliseconds = 8;

  /// `denied` without CAP_NET_RAW. Not promiscuous: what is not meant for this machine is not taken.
  static Result<std::unique_ptr<PacketTap>> open(const std::string& interface, const std::string& filter);

  ~PacketTap();
  PacketTap(const PacketTap&) = delete;
  PacketTap& operator=(const PacketTap&) = delete;

  const TapInterface& interface() const { return interface_; }

  /// Readable when frames wait. Belongs to the tap.
  int descriptor() const;

  /// Calls `take` for each waiting frame, at most `most`; how many there were.
  int read(int most, const std::function<void(const TappedFrame&)>& take);

  TapCounters counters() const;

 private:
  PacketTap(pcap* handle, TapInterface interface) : handle_(handle), interface_(std::move(interface)) {}

  pcap* handle_;
  TapInterface interface_;
};

}  // namespace assay
