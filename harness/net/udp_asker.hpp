#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/net/address.hpp"
#include "harness/net/poll_set.hpp"
#include "harness/net/unique_fd.hpp"

namespace assay {

/// Something that came back to one of the sockets.
struct UdpEvent {
  enum class Kind : std::uint8_t {
    reply,     // a datagram; `port` is where it came from
    refused,   // ICMP port unreachable of the device; `port` is the one that was asked
    rejected,  // any other ICMP error, `text` in words
  };

  std::size_t socket = 0;
  Kind kind = Kind::reply;
  std::uint16_t port = 0;
  std::string text;  // the datagram, cut
};

/// Unconnected sockets to one address, so that answers from other ports are seen, with the kernel's error queue, so
/// that an ICMP error names the port it is about. A socket for each thing that has to be told apart.
class UdpAsker {
 public:
  static Result<UdpAsker> open(const IpAddress& address);

  /// Number of the new socket. `from_port` needs the right to bind it, `source` has to be an address of this host;
  /// without them the kernel chooses.
  Result<std::size_t> add_socket(std::optional<std::uint16_t> from_port, const std::optional<IpAddress>& source);

  /// 0 or an errno of this host; ICMP errors of earlier datagrams stay in the queue.
  int send(std::size_t socket, std::uint16_t port, std::string_view request);

  /// Appends what came. True when nothing more is waiting: only then may silence be believed.
  bool collect(std::vector<UdpEvent>& into);

  /// The IPv4 address that this host sends from, 4 bytes; empty for IPv6.
  const std::string& own_address() const { return own_address_; }

  Result<UniqueFd> waitable() const { return poll_.waitable(); }

  void wake_at(TimePoint when) { poll_.wake_at(when); }

 private:
  bool take_datagrams(std::size_t socket, std::vector<UdpEvent>& into);
  bool take_errors(std::size_t socket, std::vector<UdpEvent>& into);

  IpAddress address_;
  std::string own_address_;
  PollSet poll_;
  std::vector<UniqueFd> sockets_;
  std::vector<UdpEvent> early_;  // errors met while sending
  std::string buffer_;
};

/// "icmp host unreachable" for a type and code (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1; RFC 4443 3.1).
std::string icmp_in_words(bool v6, unsigned type, unsigned code);

}  // namespace assay
