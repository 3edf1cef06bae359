#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Captures as PCAPNG (draft-ietf-opsawg-pcapng; numbers as in its section 4), so that an assessor opens them in
/// Wireshark. Little-endian, stamps in nanoseconds. Pure.
namespace assay::evidence {

struct PcapngSection {
  std::string application;  // "assay 0.1.0"
  std::string system;       // "Linux 6.1.0 x86_64"
  std::string comment;
};

struct PcapngInterface {
  std::uint16_t link_type = 1;  // LINKTYPE_…
  std::uint32_t snap_length = 0;
  std::string name;
  std::string filter;  // pcap-filter(7)
};

struct PcapngPacket {
  enum class Direction : std::uint8_t { unknown = 0, inbound = 1, outbound = 2 };

  std::uint32_t interface = 0;  // in the order they were added
  std::int64_t time_ns = 0;     // since the epoch
  std::uint32_t original_size = 0;
  std::span<const std::byte> bytes;
  Direction direction = Direction::unknown;
  std::string_view comment;
};

/// Counters of an interface since its capture began. `kept` is how many frames of it are in the file.
struct PcapngStatistics {
  std::uint32_t interface = 0;
  std::int64_t began_ns = 0;
  std::int64_t ended_ns = 0;
  std::int64_t received = 0;
  std::int64_t dropped_by_interface = 0;
  std::int64_t dropped_by_system = 0;
  std::int64_t kept = 0;
};

class PcapngWriter {
 public:
  explicit PcapngWriter(const PcapngSection& section);

  /// Interfaces come before their packets.
  void add(const PcapngInterface& interface);

  void add(const PcapngPacket& packet);
  void add(const PcapngStatistics& statistics);

  /// Bytes that a packet takes in the file.
  static std::size_t size_of(const PcapngPacket& packet);

  /// Room for so many more bytes at once: a large file grows without being copied.
  void reserve(std::size_t more) { bytes_.reserve(bytes_.size() + more); }

  std::size_t size() const { return bytes_.size(); }

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace assay::evidence
