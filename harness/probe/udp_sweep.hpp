#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe/enum.hpp>

/// What a UDP scan is asked and what it says; see Network::sweep_udp.
namespace assay {

/// A datagram that a service on this port would answer.
struct UdpQuestion {
  std::uint16_t port = 0;
  std::string request;
  std::optional<std::uint16_t> from_port;   // the answer goes to this port of ours (DHCP)
  std::optional<std::uint16_t> address_at;  // our IPv4 address is written here; not asked over IPv6
};

/// Questions first, all in flight; then the proof which silent ports are closed.
struct UdpSweep {
  std::vector<UdpQuestion> questions;
  std::vector<std::uint16_t> others;       // ports without a question
  std::chrono::milliseconds prove_for{0};  // how long the proof may take after the questions
};

struct UdpAnswer {
  std::size_t question = 0;  // index
  std::string reply;         // cut to a few kilobytes
  std::uint16_t from_port = 0;
  std::int64_t after_ns = 0;
};

enum class UdpState : std::uint8_t {
  open,           // a datagram came back
  closed,         // ICMP port unreachable from the device itself
  open_filtered,  // silent where the device's ICMP errors would have come, or another ICMP error
  unreliable,     // silent, and nothing says what that means
};
BOOST_DESCRIBE_ENUM(UdpState, open, closed, open_filtered, unreliable)

struct UdpPort {
  std::uint16_t port = 0;
  UdpState state = UdpState::unreliable;
  std::string reason;
};

/// What the sweep did, for absence to have coverage.
struct UdpReport {
  std::vector<UdpPort> results;    // every port that is not `closed`, by port
  std::vector<UdpAnswer> answers;  // bounded in number
  std::int64_t ports = 0;          // asked for
  std::int64_t open = 0;
  std::int64_t closed = 0;
  std::int64_t open_filtered = 0;
  std::int64_t unreliable = 0;
  std::int64_t questions = 0;  // sent at least once
  std::int64_t unasked = 0;    // questions that could not be sent: a local port not free, IPv4 only
  std::int64_t attempts = 0;   // datagrams sent, repeats and control probes included
  std::int64_t answered = 0;   // datagrams that brought a reply or an ICMP error
  std::int64_t retried = 0;
  std::int64_t lost = 0;      // datagrams without either
  std::int64_t controls = 0;  // control probes to a port known to be closed
  std::int64_t controls_answered = 0;
  std::int64_t icmp_errors = 0;  // ICMP errors received
  bool icmp_limited = false;     // a control probe stayed without its error
  double icmp_per_second = 0;    // errors a second while limited, to all sources; 0: not measured
  std::int64_t sources = 0;      // addresses of this host that were sent from
  std::int64_t local_errors = 0;
  std::int64_t questions_took_ns = 0;  // until the last question was settled
  std::int64_t took_ns = 0;
  std::int64_t rtt_ns = 0;
  std::string interruption;  // empty: it ran to its end
};

}  // namespace assay
