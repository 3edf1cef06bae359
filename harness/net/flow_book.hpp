#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/endpoint.hpp"
#include "harness/net/address.hpp"
#include "harness/net/packet_key.hpp"

/// Which invocation a packet belongs to, told by the sockets that it opened. Pure.
namespace assay {

/// What one of our sockets, or a sweep with its thousands of them, sends and receives. Times are nanoseconds since the
/// epoch, as the kernel stamps packets.
struct Flow {
  Transport transport = Transport::tcp;
  std::uint16_t own_port = 0;     // 0: any that no other flow has, for sweeps
  IpAddress device;               // not looked at when `own_port` is given and `device_port` is not
  std::uint16_t device_port = 0;  // 0: any
  std::int64_t from_ns = 0;       // before the first packet
};

/// Is told every socket as it is opened.
using FlowLog = std::function<void(const Flow&)>;

/// Now, on the clock of `Flow::from_ns`.
std::int64_t packet_clock();

class FlowBook {
 public:
  struct Match {
    const std::string* owner = nullptr;
    bool outbound = false;
    std::uint16_t own_port = 0;
    std::uint16_t device_port = 0;
  };

  void add(const std::string& owner, const Flow& flow);

  /// The owner is done; what comes later with its ports is of somebody else, or of nobody.
  void end(const std::string& owner, std::int64_t at_ns);

  /// A socket of its own goes before a sweep, the later before the earlier. A sweep sends no payload over TCP, so what
  /// carries one from this machine is not of a sweep.
  std::optional<Match> find(const PacketKey& key, std::int64_t time_ns) const;

 private:
  static constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();

  struct Owned {
    Flow flow;
    const std::string* owner = nullptr;
    const std::int64_t* until_ns = nullptr;
  };

  static bool holds(const Owned& owned, const IpAddress& device, std::uint16_t device_port, std::int64_t time_ns);
  std::optional<Match> find_socket(const PacketKey& key, std::int64_t time_ns, bool outbound) const;
  std::optional<Match> find_sweep(const PacketKey& key, std::int64_t time_ns, bool outbound) const;

  std::map<std::string, std::int64_t> owners_;                                 // -> end
  std::map<std::pair<Transport, std::uint16_t>, std::vector<Owned>> sockets_;  // by own port
  std::vector<Owned> sweeps_;
};

}  // namespace assay
